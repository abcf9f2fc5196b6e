;; The bytes of a Base64 text (RFC 4648, section 4). White space is skipped; everything else is
;; exact: a byte outside the alphabet, wrong or missing padding, text behind the padding, or bits
;; set that no byte carries (section 3.5) traps, so each byte string has one accepted encoding.
;; Input up to 24 MiB, output up to 18 MiB.
;;
;; Memory: 0x0 a class for each byte: its 6-bit value, 64 for not in the alphabet, 65 for white
;; space, 66 for "="; 0x10000 the input (24 MiB); 0x1810000 the output (18 MiB).
(module
  (memory (export "memory") 673 673)

  (global $input_ptr (export "input_ptr") i32 (i32.const 0x10000))
  (global (export "input_utf8_cap") i32 (i32.const 0x1800000))
  (global $output_ptr (export "output_ptr") i32 (i32.const 0x1810000))
  (global (export "output_bytes_cap") i32 (i32.const 0x1200000))

  (global (export "output_content_type_ptr") i32 (i32.const 0x100))
  (global (export "output_content_type_size") i32 (i32.const 24))
  (data (i32.const 0x100) "application/octet-stream")

  ;; $classes fills the table from the ranges of the alphabet.
  (func $set_range (param $first i32) (param $last i32) (param $value i32)
    (loop $next
      (i32.store8 (local.get $first) (local.get $value))
      (local.set $value (i32.add (local.get $value) (i32.const 1)))
      (local.set $first (i32.add (local.get $first) (i32.const 1)))
      (br_if $next (i32.le_u (local.get $first) (local.get $last)))))

  (func $classes
    (memory.fill (i32.const 0) (i32.const 64) (i32.const 256))
    (call $set_range (i32.const 0x41) (i32.const 0x5a) (i32.const 0))   ;; A to Z
    (call $set_range (i32.const 0x61) (i32.const 0x7a) (i32.const 26))  ;; a to z
    (call $set_range (i32.const 0x30) (i32.const 0x39) (i32.const 52))  ;; 0 to 9
    (i32.store8 (i32.const 0x2b) (i32.const 62))                        ;; +
    (i32.store8 (i32.const 0x2f) (i32.const 63))                        ;; /
    (memory.fill (i32.const 0x09) (i32.const 65) (i32.const 5))         ;; tab to carriage return
    (i32.store8 (i32.const 0x20) (i32.const 65))                        ;; space
    (i32.store8 (i32.const 0x3d) (i32.const 66)))                       ;; =
  (start $classes)

  ;; Ends the output with the $bits kept in $group, which are no multiple of 8 bits: checks that
  ;; padding is due and complete and that the bits below the last byte are zero.
  ;; Returns the position behind the output.
  (func $finish (param $to i32) (param $group i32) (param $characters i32) (param $padding i32)
    (result i32)
    (if (i32.eqz (i32.or (local.get $characters) (local.get $padding)))
      (then (return (local.get $to))))
    (if (i32.eq (local.get $characters) (i32.const 2))
      (then
        (if (i32.ne (local.get $padding) (i32.const 2)) (then (unreachable)))
        (if (i32.and (local.get $group) (i32.const 15)) (then (unreachable)))
        (i32.store8 (local.get $to) (i32.shr_u (local.get $group) (i32.const 4)))
        (return (i32.add (local.get $to) (i32.const 1)))))
    (if (i32.ne (local.get $characters) (i32.const 3)) (then (unreachable)))
    (if (i32.ne (local.get $padding) (i32.const 1)) (then (unreachable)))
    (if (i32.and (local.get $group) (i32.const 3)) (then (unreachable)))
    (i32.store8 (local.get $to) (i32.shr_u (local.get $group) (i32.const 10)))
    (i32.store8 offset=1 (local.get $to) (i32.shr_u (local.get $group) (i32.const 2)))
    (i32.add (local.get $to) (i32.const 2)))

  (func (export "render") (param $input_len i32) (result i32)
    (local $at i32) (local $end i32) (local $to i32)
    (local $class i32) (local $group i32) (local $characters i32) (local $padding i32)
    (local.set $at (global.get $input_ptr))
    (local.set $end (i32.add (local.get $at) (local.get $input_len)))
    (local.set $to (global.get $output_ptr))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $class (i32.load8_u (i32.load8_u (local.get $at))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (if (i32.ge_u (local.get $class) (i32.const 64))
          (then
            (br_if $next (i32.eq (local.get $class) (i32.const 65)))
            (if (i32.eq (local.get $class) (i32.const 64)) (then (unreachable)))
            ;; More than two are refused by $finish; counting cannot overflow.
            (local.set $padding (i32.add (local.get $padding) (i32.const 1)))
            (br $next)))
        (if (local.get $padding) (then (unreachable)))
        (local.set $group (i32.or (i32.shl (local.get $group) (i32.const 6)) (local.get $class)))
        (local.set $characters (i32.add (local.get $characters) (i32.const 1)))
        (br_if $next (i32.lt_u (local.get $characters) (i32.const 4)))
        (i32.store8 (local.get $to) (i32.shr_u (local.get $group) (i32.const 16)))
        (i32.store8 offset=1 (local.get $to) (i32.shr_u (local.get $group) (i32.const 8)))
        (i32.store8 offset=2 (local.get $to) (local.get $group))
        (local.set $to (i32.add (local.get $to) (i32.const 3)))
        (local.set $group (i32.const 0))
        (local.set $characters (i32.const 0))
        (br $next)))
    (i32.sub
      (call $finish
        (local.get $to) (local.get $group) (local.get $characters) (local.get $padding))
      (global.get $output_ptr))))
