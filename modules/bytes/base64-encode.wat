;; Base64 text of any bytes: the standard alphabet with padding, without line breaks (RFC 4648,
;; section 4). Input up to 16 MiB.
;;
;; Memory: 0x0 the alphabet; 0x10000 the input (16 MiB); 0x1020000 the output (4 bytes for every
;; 3 begun: 22,369,624). A group is read as one 32-bit word; the last read may reach one byte past
;; the input, into the free page before the output.
(module
  (memory (export "memory") 600 600)

  (global $input_ptr (export "input_ptr") i32 (i32.const 0x10000))
  (global (export "input_bytes_cap") i32 (i32.const 0x1000000))
  (global $output_ptr (export "output_ptr") i32 (i32.const 0x1020000))
  (global (export "output_utf8_cap") i32 (i32.const 22369624))

  (global (export "output_content_type_ptr") i32 (i32.const 64))
  (global (export "output_content_type_size") i32 (i32.const 10))

  (data (i32.const 0) "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
  (data (i32.const 64) "text/plain")

  ;; Writes the four characters of a 24-bit group (first byte highest) to $to.
  (func $put_group (param $to i32) (param $group i32)
    (i32.store (local.get $to)
      (i32.or
        (i32.or
          (i32.load8_u (i32.shr_u (local.get $group) (i32.const 18)))
          (i32.shl
            (i32.load8_u (i32.and (i32.shr_u (local.get $group) (i32.const 12)) (i32.const 63)))
            (i32.const 8)))
        (i32.or
          (i32.shl
            (i32.load8_u (i32.and (i32.shr_u (local.get $group) (i32.const 6)) (i32.const 63)))
            (i32.const 16))
          (i32.shl
            (i32.load8_u (i32.and (local.get $group) (i32.const 63)))
            (i32.const 24))))))

  ;; The three bytes at $at as one number, the first byte highest.
  (func $group_at (param $at i32) (result i32)
    (local $word i32)
    (local.set $word (i32.load (local.get $at)))
    (i32.or
      (i32.shl (i32.and (local.get $word) (i32.const 0xff)) (i32.const 16))
      (i32.or
        (i32.and (local.get $word) (i32.const 0xff00))
        (i32.and (i32.shr_u (local.get $word) (i32.const 16)) (i32.const 0xff)))))

  (func (export "render") (param $input_len i32) (result i32)
    (local $at i32) (local $to i32) (local $full_end i32) (local $rest i32)
    (local.set $at (global.get $input_ptr))
    (local.set $to (global.get $output_ptr))
    (local.set $rest (i32.rem_u (local.get $input_len) (i32.const 3)))
    (local.set $full_end
      (i32.sub (i32.add (local.get $at) (local.get $input_len)) (local.get $rest)))
    (block $end
      (loop $next
        (br_if $end (i32.ge_u (local.get $at) (local.get $full_end)))
        (call $put_group (local.get $to) (call $group_at (local.get $at)))
        (local.set $at (i32.add (local.get $at) (i32.const 3)))
        (local.set $to (i32.add (local.get $to) (i32.const 4)))
        (br $next)))
    ;; One or two bytes left: their bits, zeros, and padding over the characters that carry none.
    (if (local.get $rest)
      (then
        (call $put_group (local.get $to)
          (i32.and
            (call $group_at (local.get $at))
            (select
              (i32.const 0xff0000)
              (i32.const 0xffff00)
              (i32.eq (local.get $rest) (i32.const 1)))))
        (i32.store8 offset=3 (local.get $to) (i32.const 0x3d))
        (if (i32.eq (local.get $rest) (i32.const 1))
          (then (i32.store8 offset=2 (local.get $to) (i32.const 0x3d))))
        (local.set $to (i32.add (local.get $to) (i32.const 4)))))
    (i32.sub (local.get $to) (global.get $output_ptr))))
