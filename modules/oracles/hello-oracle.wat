;; What `utf8/hello` must do: greet the input, or the world when there is none. An oracle links only
;; to components that export the same names in the same way: this one wants globals and `render`.
;;
;; The oracle lives in the memory of the component: its cases lie in the second half of the input
;; buffer, which no case reaches.
(module
  (import "impl" "memory" (memory 1))
  (import "impl" "input_ptr" (global $input_ptr i32))
  (import "impl" "input_utf8_cap" (global $input_cap i32))
  (import "impl" "output_ptr" (global $output_ptr i32))
  (import "impl" "output_utf8_cap" (global $output_cap i32))
  (import "impl" "render" (func $render (param i32) (result i32)))

  ;; The cases: size of the input, input, size of the output, output. A size of 0xff ends them.
  (data $cases
    "\00" "\0cHello, World"
    "\05World" "\0cHello, World"
    "\03you" "\0aHello, you"
    "\00" "\0cHello, World"
    "\01 " "\08Hello,  "
    "\04Zo\c3\ab" "\0bHello, Zo\c3\ab"
    "\03a\0ab" "\0aHello, a\0ab"
    "\ff")

  (func $scratch (result i32)
    (i32.add (global.get $input_ptr) (i32.shr_u (global.get $input_cap) (i32.const 1))))

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
    (memory.copy (global.get $input_ptr) (local.get $input) (global.get $input_size))
    (global.set $actual_size (call $render (global.get $input_size)))
    (global.set $actual_at (global.get $output_ptr))
    (if (i32.ne (global.get $actual_size) (global.get $expected_size))
      (then (return (i32.const 0))))
    (block $end
      (loop $next
        (br_if $end (i32.ge_u (local.get $i) (global.get $expected_size)))
        (if (i32.ne
              (i32.load8_u (i32.add (global.get $output_ptr) (local.get $i)))
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
    (memory.init $cases (call $scratch) (i32.const 0) (i32.const 106))
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

  (func (export "positive") (result i32)
    ;; Seven bytes more than the longest input must fit.
    (if (i32.lt_u (global.get $output_cap) (i32.add (global.get $input_cap) (i32.const 7)))
      (then (return (i32.const -100))))
    (if (i32.lt_u (global.get $input_cap) (i32.const 1024)) (then (return (i32.const -101))))
    (call $check_table))
)
