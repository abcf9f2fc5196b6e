;; What `utf8/utf8-must-be-valid` must do: pass UTF-8 through and trap on everything else. Source of
;; the cases: the Unicode Standard, section 3.9, table 3-7: both sides of every boundary.
;;
;; The oracle lives in the memory of the component: its cases lie in the second half of the input
;; buffer, which no case reaches.
(module
  (import "impl" "memory" (memory 1))
  (import "impl" "input_ptr" (func $input_ptr (result i32)))
  (import "impl" "input_utf8_cap" (func $input_cap (result i32)))
  (import "impl" "output_ptr" (func $output_ptr (result i32)))
  (import "impl" "output_utf8_cap" (func $output_cap (result i32)))
  (import "impl" "render" (func $render (param i32) (result i32)))
  (import "qip" "render_must_trap" (func $render_must_trap (param i32) (result i32)))

  ;; Size of the input, input. A size of 0xff ends a list.
  (data $valid
    "\00"
    "\01a"
    "\02\00\7f"
    "\02\c2\80"
    "\02\df\bf"
    "\03\e0\a0\80"
    "\03\ed\9f\bf"
    "\03\ee\80\80"
    "\03\ef\bf\bf"
    "\04\f0\90\80\80"
    "\04\f4\8f\bf\bf"
    "\1eeight ASCII bytes \e2\82\ac and more"
    "\ff")
  (data $invalid
    "\01\80"
    "\01\bf"
    "\02\c0\80"
    "\02\c1\bf"
    "\01\c2"
    "\02\c2a"
    "\03\e0\9f\bf"
    "\02\e2\82"
    "\03\e2(\a1"
    "\03\ed\a0\80"
    "\03\ed\bf\bf"
    "\04\f0\8f\bf\bf"
    "\03\f0\90\80"
    "\04\f4\90\80\80"
    "\04\f5\80\80\80"
    "\01\fe"
    "\01\ff"
    "\13eight ASCII bytes \80"
    "\03a\ffb"
    "\ff")

  (func $scratch (result i32)
    (i32.add (call $input_ptr) (i32.shr_u (call $input_cap) (i32.const 1))))

  ;; What is told about the case that failed.
  (global $input_at (mut i32) (i32.const 0))
  (global $input_size (mut i32) (i32.const 0))
  (func (export "failure_input_ptr") (result i32) (global.get $input_at))
  (func (export "failure_input_size") (result i32) (global.get $input_size))

  ;; The output is the input: as long, and the same bytes.
  (func $passes (result i32)
    (local $i i32)
    (if (i32.ne (call $render (global.get $input_size)) (global.get $input_size))
      (then (return (i32.const 0))))
    (block $end
      (loop $next
        (br_if $end (i32.ge_u (local.get $i) (global.get $input_size)))
        (if (i32.ne
              (i32.load8_u (i32.add (call $output_ptr) (local.get $i)))
              (i32.load8_u (i32.add (global.get $input_at) (local.get $i))))
          (then (return (i32.const 0))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    (i32.const 1))

  ;; Every case of the list in the scratch space, with the check that it must pass: the count of
  ;; cases, or minus the number of the first that fails.
  (func $check_list (param $must_trap i32) (result i32)
    (local $at i32)
    (local $count i32)
    (local $is_right i32)
    (local.set $at (call $scratch))
    (block $end
      (loop $next
        (global.set $input_size (i32.load8_u (local.get $at)))
        (br_if $end (i32.eq (global.get $input_size) (i32.const 0xff)))
        (local.set $count (i32.add (local.get $count) (i32.const 1)))
        (global.set $input_at (i32.add (local.get $at) (i32.const 1)))
        (memory.copy (call $input_ptr) (global.get $input_at) (global.get $input_size))
        (local.set $is_right
          (if (result i32) (local.get $must_trap)
            (then (call $render_must_trap (global.get $input_size)))
            (else (call $passes))))
        (if (i32.eqz (local.get $is_right))
          (then (return (i32.sub (i32.const 0) (local.get $count)))))
        (local.set $at (i32.add (global.get $input_at) (global.get $input_size)))
        (br $next)))
    (local.get $count))

  (func (export "positive") (result i32)
    (if (i32.lt_u (call $input_cap) (i32.const 1024)) (then (return (i32.const -100))))
    (if (i32.lt_u (call $output_cap) (call $input_cap)) (then (return (i32.const -101))))
    (memory.init $valid (call $scratch) (i32.const 0) (i32.const 70))
    (call $check_list (i32.const 0)))

  (func (export "negative") (result i32)
    (memory.init $invalid (call $scratch) (i32.const 0) (i32.const 82))
    (call $check_list (i32.const 1))))
