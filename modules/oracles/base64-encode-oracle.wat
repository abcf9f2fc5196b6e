;; What `bytes/base64-encode` must do: the test vectors of RFC 4648, section 10, and then, for
;; inputs of 0 to 512 arbitrary bytes, a text that has the right length and padding, no bit set
;; that stands for nothing, and decodes to the input.
;;
;; The oracle lives in the memory of the component: it keeps its cases and a copy of each input in
;; the second half of the input buffer, which no input reaches.
(module
  (import "impl" "memory" (memory 1))
  (import "impl" "input_ptr" (global $input_ptr i32))
  (import "impl" "input_bytes_cap" (global $input_cap i32))
  (import "impl" "output_ptr" (global $output_ptr i32))
  (import "impl" "output_utf8_cap" (global $output_cap i32))
  (import "impl" "render" (func $render (param i32) (result i32)))

  ;; The cases: size of the input, input, size of the output, output. A size of 0xff ends them.
  (data $cases
    "\00" "\00"
    "\01f" "\04Zg=="
    "\02fo" "\04Zm8="
    "\03foo" "\04Zm9v"
    "\04foob" "\08Zm9vYg=="
    "\05fooba" "\08Zm9vYmE="
    "\06foobar" "\08Zm9vYmFy"
    "\03\fb\ff\bf" "\04+/+/"
    "\01\00" "\04AA=="
    "\03\00\00\00" "\04AAAA"
    "\03\ff\ff\ff" "\04////"
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

  ;; The six bits that a character stands for; 64 if it is not of the alphabet.
  (func $bits_of (param $character i32) (result i32)
    (if (i32.lt_u (i32.sub (local.get $character) (i32.const 65)) (i32.const 26))
      (then (return (i32.sub (local.get $character) (i32.const 65)))))
    (if (i32.lt_u (i32.sub (local.get $character) (i32.const 97)) (i32.const 26))
      (then (return (i32.sub (local.get $character) (i32.const 71)))))
    (if (i32.lt_u (i32.sub (local.get $character) (i32.const 48)) (i32.const 10))
      (then (return (i32.add (local.get $character) (i32.const 4)))))
    (if (i32.eq (local.get $character) (i32.const 43)) (then (return (i32.const 62))))
    (if (i32.eq (local.get $character) (i32.const 47)) (then (return (i32.const 63))))
    (i32.const 64))

  (func $bits_at (param $index i32) (result i32)
    (call $bits_of (i32.load8_u (i32.add (global.get $output_ptr) (local.get $index)))))

  ;; Byte i comes from the characters i + i/3 and the one behind it: two bits of the second are left
  ;; over for i % 3 = 1, four for 0, none for 2.
  (func $decodes_to (param $copy i32) (param $size i32) (result i32)
    (local $i i32)
    (local $pair i32)
    (local $unused i32)
    (block $end
      (loop $next
        (br_if $end (i32.ge_u (local.get $i) (local.get $size)))
        (local.set $pair
          (i32.or
            (i32.shl
              (call $bits_at (i32.add (local.get $i) (i32.div_u (local.get $i) (i32.const 3))))
              (i32.const 7))
            (call $bits_at
              (i32.add
                (i32.add (local.get $i) (i32.div_u (local.get $i) (i32.const 3)))
                (i32.const 1)))))
        ;; Bit 6 of either: not of the alphabet.
        (if (i32.and (local.get $pair) (i32.const 0x2040)) (then (return (i32.const 0))))
        (local.set $pair
          (i32.or
            (i32.shr_u (i32.and (local.get $pair) (i32.const 0x1f80)) (i32.const 1))
            (i32.and (local.get $pair) (i32.const 0x3f))))
        (local.set $unused
          (i32.shl
            (i32.sub (i32.const 2) (i32.rem_u (local.get $i) (i32.const 3)))
            (i32.const 1)))
        (if (i32.ne
              (i32.and (i32.shr_u (local.get $pair) (local.get $unused)) (i32.const 0xff))
              (i32.load8_u (i32.add (local.get $copy) (local.get $i))))
          (then (return (i32.const 0))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    ;; Of the last byte, the bits left over are zero.
    (i32.or
      (i32.eqz (i32.rem_u (local.get $size) (i32.const 3)))
      (i32.eqz
        (i32.and
          (local.get $pair)
          (i32.sub (i32.shl (i32.const 1) (local.get $unused)) (i32.const 1))))))

  ;; One '=' for every byte that the last group of three lacks.
  (func $is_padded (param $size i32) (result i32)
    (local $at i32)
    (local $lacking i32)
    (local.set $at
      (i32.add
        (local.get $size)
        (i32.div_u (i32.add (local.get $size) (i32.const 2)) (i32.const 3))))
    (local.set $lacking
      (i32.rem_u
        (i32.sub (i32.const 3) (i32.rem_u (local.get $size) (i32.const 3)))
        (i32.const 3)))
    (block $end
      (loop $next
        (br_if $end (i32.eqz (local.get $lacking)))
        (if (i32.ne
              (i32.load8_u (i32.add (global.get $output_ptr) (local.get $at)))
              (i32.const 0x3d))
          (then (return (i32.const 0))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (local.set $lacking (i32.sub (local.get $lacking) (i32.const 1)))
        (br $next)))
    (i32.const 1))

  ;; Fills the input and its copy with arbitrary bytes (xorshift), renders, and looks at the text.
  (func $is_right_for_size (param $size i32) (result i32)
    (local $i i32)
    (local $state i32)
    (local.set $state (i32.add (local.get $size) (i32.const 0x9e3779b9)))
    (block $end
      (loop $next
        (br_if $end (i32.ge_u (local.get $i) (local.get $size)))
        (local.set $state
          (i32.xor (local.get $state) (i32.shl (local.get $state) (i32.const 13))))
        (local.set $state
          (i32.xor (local.get $state) (i32.shr_u (local.get $state) (i32.const 17))))
        (local.set $state
          (i32.xor (local.get $state) (i32.shl (local.get $state) (i32.const 5))))
        (i32.store8 (i32.add (call $scratch) (local.get $i)) (local.get $state))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    (memory.copy (global.get $input_ptr) (call $scratch) (local.get $size))
    (global.set $input_at (call $scratch))
    (global.set $input_size (local.get $size))
    (global.set $expected_at (i32.const 0))
    (global.set $expected_size (i32.const 0))
    (global.set $actual_size (call $render (local.get $size)))
    (global.set $actual_at (global.get $output_ptr))
    (if (i32.ne
          (global.get $actual_size)
          (i32.shl
            (i32.div_u (i32.add (local.get $size) (i32.const 2)) (i32.const 3))
            (i32.const 2)))
      (then (return (i32.const 0))))
    (if (i32.eqz (call $decodes_to (call $scratch) (local.get $size)))
      (then (return (i32.const 0))))
    (call $is_padded (local.get $size)))

  (func (export "positive") (result i32)
    (local $size i32)
    (local $status i32)
    (if (i32.lt_u (global.get $input_cap) (i32.const 4096)) (then (return (i32.const -100))))
    ;; Four characters for every three bytes begun must fit.
    (if (i32.lt_u
          (i32.shr_u (global.get $output_cap) (i32.const 2))
          (i32.div_u (i32.add (global.get $input_cap) (i32.const 2)) (i32.const 3)))
      (then (return (i32.const -101))))
    (local.set $status (call $check_table))
    (if (i32.le_s (local.get $status) (i32.const 0)) (then (return (local.get $status))))
    (loop $next
      (if (i32.eqz (call $is_right_for_size (local.get $size)))
        (then (return (i32.sub (i32.const -1000) (local.get $size)))))
      (local.set $size (i32.add (local.get $size) (i32.const 1)))
      (br_if $next (i32.le_u (local.get $size) (i32.const 512))))
    (i32.const 1))
)
