;; What `utf8/trim` must do: remove the ASCII white space at both ends, and nothing else.
;;
;; The oracle lives in the memory of the component: its cases lie in the second half of the input
;; buffer, which no case of the table reaches. The last case fills the whole buffer.
(module
  (import "impl" "memory" (memory 1))
  (import "impl" "input_ptr" (func $input_ptr (result i32)))
  (import "impl" "input_utf8_cap" (func $input_cap (result i32)))
  (import "impl" "output_ptr" (func $output_ptr (result i32)))
  (import "impl" "output_utf8_cap" (func $output_cap (result i32)))
  (import "impl" "render" (func $render (param i32) (result i32)))

  ;; The cases: size of the input, input, size of the output, output. A size of 0xff ends them.
  (data $cases
    "\00" "\00"
    "\01a" "\01a"
    "\03a b" "\03a b"
    "\02 a" "\01a"
    "\02a " "\01a"
    "\07  a b  " "\03a b"
    "\0d\09\0a\0b\0c\0d a\0d\0c\0b\0a\09 " "\01a"
    "\03   " "\00"
    "\01\0a" "\00"
    "\05\c2\a0a\c2\a0" "\05\c2\a0a\c2\a0"
    "\03 \00 " "\01\00"
    "\04 \ff\fe " "\02\ff\fe"
    "\03\e3\80\80" "\03\e3\80\80"
    "\11  h\c3\a9llo  w\c3\b6rld\0a" "\0eh\c3\a9llo  w\c3\b6rld"
    "\ff")

  (func $scratch (result i32)
    (i32.add (call $input_ptr) (i32.shr_u (call $input_cap) (i32.const 1))))

  ;; What is told about the case that failed.
  (global $input_at (mut i32) (i32.const 0))
  (global $input_size (mut i32) (i32.const 0))
  (global $expected_at (mut i32) (i32.const 0))
  (global $expected_size (mut i32) (i32.const 0))
  (global $actual_at (mut i32) (i32.const 0))
  (global $actual_size (mut i32) (i32.const 0))
  (func (export "failure_input_ptr") (result i32) (global.get $input_at))
  (func (export "failure_input_size") (result i32) (global.get $input_size))
  (func (export "failure_expected_output_ptr") (result i32) (global.get $expected_at))
  (func (export "failure_expected_output_size") (result i32) (global.get $expected_size))
  (func (export "failure_actual_output_ptr") (result i32) (global.get $actual_at))
  (func (export "failure_actual_output_size") (result i32) (global.get $actual_size))

  ;; Renders the bytes of a case and compares the output. 1: as expected.
  (func $is_right (param $input i32) (param $expected i32) (result i32)
    (local $i i32)
    (global.set $input_at (local.get $input))
    (global.set $expected_at (local.get $expected))
    (memory.copy (call $input_ptr) (local.get $input) (global.get $input_size))
    (global.set $actual_size (call $render (global.get $input_size)))
    (global.set $actual_at (call $output_ptr))
    (if (i32.ne (global.get $actual_size) (global.get $expected_size))
      (then (return (i32.const 0))))
    (block $end
      (loop $next
        (br_if $end (i32.ge_u (local.get $i) (global.get $expected_size)))
        (if (i32.ne
              (i32.load8_u (i32.add (call $output_ptr) (local.get $i)))
              (i32.load8_u (i32.add (local.get $expected) (local.get $i))))
          (then (return (i32.const 0))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    (i32.const 1))

  ;; Every case of the table: the count of cases, or minus the number of the first that is wrong.
  (func $check_table (result i32)
    (local $at i32)
    (local $input i32)
    (local $count i32)
    (memory.init $cases (call $scratch) (i32.const 0) (i32.const 128))
    (local.set $at (call $scratch))
    (block $end
      (loop $next
        (global.set $input_size (i32.load8_u (local.get $at)))
        (br_if $end (i32.eq (global.get $input_size) (i32.const 0xff)))
        (local.set $count (i32.add (local.get $count) (i32.const 1)))
        (local.set $input (i32.add (local.get $at) (i32.const 1)))
        (local.set $at (i32.add (local.get $input) (global.get $input_size)))
        (global.set $expected_size (i32.load8_u (local.get $at)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (if (i32.eqz (call $is_right (local.get $input) (local.get $at)))
          (then (return (i32.sub (i32.const 0) (local.get $count)))))
        (local.set $at (i32.add (local.get $at) (global.get $expected_size)))
        (br $next)))
    (local.get $count))

  ;; White space up to the last byte that fits, with one character in the middle.
  (func $check_full_input (result i32)
    (local $cap i32)
    (local.set $cap (call $input_cap))
    ;; The table is gone, and this input is too long to be told.
    (global.set $input_at (i32.const 0))
    (global.set $input_size (i32.const 0))
    (global.set $expected_at (i32.const 0))
    (global.set $expected_size (i32.const 0))
    (memory.fill (call $input_ptr) (i32.const 0x20) (local.get $cap))
    (i32.store8
      (i32.add (call $input_ptr) (i32.shr_u (local.get $cap) (i32.const 1)))
      (i32.const 0x78))
    (global.set $actual_size (call $render (local.get $cap)))
    (global.set $actual_at (call $output_ptr))
    (i32.and
      (i32.eq (global.get $actual_size) (i32.const 1))
      (i32.eq (i32.load8_u (call $output_ptr)) (i32.const 0x78))))

  (func (export "positive") (result i32)
    (local $status i32)
    ;; Room for the table behind the cases, and outputs no longer than inputs.
    (if (i32.lt_u (call $input_cap) (i32.const 1024)) (then (return (i32.const -100))))
    (if (i32.lt_u (call $output_cap) (call $input_cap)) (then (return (i32.const -101))))
    (local.set $status (call $check_table))
    (if (i32.le_s (local.get $status) (i32.const 0)) (then (return (local.get $status))))
    ;; A second time: nothing may be left of the first.
    (local.set $status (call $check_table))
    (if (i32.le_s (local.get $status) (i32.const 0)) (then (return (local.get $status))))
    (if (i32.eqz (call $check_full_input)) (then (return (i32.const -102))))
    (local.get $status))
)
