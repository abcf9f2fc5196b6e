;; CRC-32 of the input (IEEE 802.3: reflected polynomial 0xEDB88320, start and final value all
;; ones) as one 32-bit item; no item for an empty input. Input up to 16 MiB.
;;
;; Four bytes a step with four tables (slicing): table k holds the remainder of a byte that is
;; followed by k zero bytes. Memory: 0x0 the tables (4 x 256 words); 0x1000 the result; 0x10000 the
;; input.
(module
  (memory (export "memory") 257 257)

  (global $input_ptr (export "input_ptr") i32 (i32.const 0x10000))
  (global (export "input_bytes_cap") i32 (i32.const 0x1000000))
  (global $output_ptr (export "output_ptr") i32 (i32.const 0x1000))
  (global (export "output_i32_cap") i32 (i32.const 1))

  (global $tables_ready (mut i32) (i32.const 0))

  ;; The remainder of one byte: eight steps of the shift register.
  (func $byte_remainder (param $value i32) (result i32)
    (local $steps i32)
    (local.set $steps (i32.const 8))
    (loop $next
      (local.set $value
        (i32.xor
          (i32.shr_u (local.get $value) (i32.const 1))
          (i32.and
            (i32.const 0xedb88320)
            (i32.sub (i32.const 0) (i32.and (local.get $value) (i32.const 1))))))
      (local.set $steps (i32.sub (local.get $steps) (i32.const 1)))
      (br_if $next (local.get $steps)))
    (local.get $value))

  ;; A remainder moved on by one byte of zeros, through the first table.
  (func $shift_byte (param $remainder i32) (result i32)
    (i32.xor
      (i32.shr_u (local.get $remainder) (i32.const 8))
      (i32.load (i32.shl (i32.and (local.get $remainder) (i32.const 0xff)) (i32.const 2)))))

  (func $build_tables
    (local $byte i32) (local $at i32)
    (loop $next
      (i32.store
        (i32.shl (local.get $byte) (i32.const 2))
        (call $byte_remainder (local.get $byte)))
      (local.set $byte (i32.add (local.get $byte) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $byte) (i32.const 256))))
    ;; Each further table is the one before it, shifted: 3 x 256 words, one after the other.
    (loop $next
      (i32.store offset=1024
        (local.get $at)
        (call $shift_byte (i32.load (local.get $at))))
      (local.set $at (i32.add (local.get $at) (i32.const 4)))
      (br_if $next (i32.lt_u (local.get $at) (i32.const 3072))))
    (global.set $tables_ready (i32.const 1)))

  (func (export "render") (param $input_len i32) (result i32)
    (local $at i32) (local $end i32) (local $words_end i32) (local $crc i32)
    (if (i32.eqz (local.get $input_len)) (then (return (i32.const 0))))
    (if (i32.eqz (global.get $tables_ready)) (then (call $build_tables)))
    (local.set $at (global.get $input_ptr))
    (local.set $end (i32.add (local.get $at) (local.get $input_len)))
    (local.set $words_end (i32.and (local.get $end) (i32.const -4)))
    (local.set $crc (i32.const -1))
    (block $words_done
      (loop $next
        (br_if $words_done (i32.ge_u (local.get $at) (local.get $words_end)))
        (local.set $crc (i32.xor (local.get $crc) (i32.load (local.get $at))))
        (local.set $crc
          (i32.xor
            (i32.xor
              (i32.load offset=3072
                (i32.shl (i32.and (local.get $crc) (i32.const 0xff)) (i32.const 2)))
              (i32.load offset=2048
                (i32.and (i32.shr_u (local.get $crc) (i32.const 6)) (i32.const 0x3fc))))
            (i32.xor
              (i32.load offset=1024
                (i32.and (i32.shr_u (local.get $crc) (i32.const 14)) (i32.const 0x3fc)))
              (i32.load
                (i32.shl (i32.shr_u (local.get $crc) (i32.const 24)) (i32.const 2))))))
        (local.set $at (i32.add (local.get $at) (i32.const 4)))
        (br $next)))
    (block $bytes_done
      (loop $next
        (br_if $bytes_done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $crc
          (call $shift_byte (i32.xor (local.get $crc) (i32.load8_u (local.get $at)))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
    (i32.store (global.get $output_ptr) (i32.xor (local.get $crc) (i32.const -1)))
    (i32.const 1)))
