;; Gives the digits of the input back when they pass the Luhn check (ISO/IEC 7812-1, annex B), and
;; nothing otherwise. White space between the digits is dropped; any other byte fails the check.
;; Input up to 64 KiB; the output is never longer.
(module
  (memory (export "memory") 2 2)

  (global (export "input_ptr") i32 (i32.const 0))
  (global (export "input_utf8_cap") i32 (i32.const 0x10000))
  (global (export "output_ptr") i32 (i32.const 0x10000))
  (global (export "output_utf8_cap") i32 (i32.const 0x10000))

  ;; Space, tab, line feed, vertical tab, form feed or carriage return.
  (func $is_space (param $byte i32) (result i32)
    (i32.or
      (i32.eq (local.get $byte) (i32.const 0x20))
      (i32.lt_u (i32.sub (local.get $byte) (i32.const 9)) (i32.const 5))))

  ;; Copies the digits to the output and returns their count, or -1 if another byte is found.
  (func $collect_digits (param $input_len i32) (result i32)
    (local $at i32) (local $byte i32) (local $count i32)
    (block $end
      (loop $next
        (br_if $end (i32.ge_u (local.get $at) (local.get $input_len)))
        (local.set $byte (i32.load8_u (local.get $at)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br_if $next (call $is_space (local.get $byte)))
        (if (i32.ge_u (i32.sub (local.get $byte) (i32.const 0x30)) (i32.const 10))
          (then (return (i32.const -1))))
        (i32.store8 offset=0x10000 (local.get $count) (local.get $byte))
        (local.set $count (i32.add (local.get $count) (i32.const 1)))
        (br $next)))
    (local.get $count))

  ;; The weighted digit sum: from the right, every second digit counts twice, its own digits summed.
  ;; 65,536 digits of at most 9 cannot overflow.
  (func $checksum (param $count i32) (result i32)
    (local $digit i32) (local $double i32) (local $sum i32)
    (block $end
      (loop $next
        (br_if $end (i32.eqz (local.get $count)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (local.set $digit
          (i32.shl
            (i32.sub (i32.load8_u offset=0x10000 (local.get $count)) (i32.const 0x30))
            (local.get $double)))
        (if (i32.gt_u (local.get $digit) (i32.const 9))
          (then (local.set $digit (i32.sub (local.get $digit) (i32.const 9)))))
        (local.set $sum (i32.add (local.get $sum) (local.get $digit)))
        (local.set $double (i32.xor (local.get $double) (i32.const 1)))
        (br $next)))
    (local.get $sum))

  (func (export "render") (param $input_len i32) (result i32)
    (local $count i32)
    (local.set $count (call $collect_digits (local.get $input_len)))
    (if (i32.le_s (local.get $count) (i32.const 0))
      (then (return (i32.const 0))))
    (select
      (i32.const 0)
      (local.get $count)
      (i32.rem_u (call $checksum (local.get $count)) (i32.const 10)))))
