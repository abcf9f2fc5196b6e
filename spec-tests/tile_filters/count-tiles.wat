;; Counts its tiles in a global: the first pixel of each tile becomes (x / 64, y / 64, number of the
;; call), as bytes; alpha stays. Old name of the entry, values as globals.
(module
  (memory (export "memory") 1 1)
  (global (export "input_ptr") i32 (i32.const 0))
  (global (export "input_bytes_cap") i32 (i32.const 65536))
  (global $calls (mut i32) (i32.const 0))
  (func $as_byte (param $value i32) (result f32)
    (f32.div (f32.convert_i32_u (i32.and (local.get $value) (i32.const 255))) (f32.const 255)))
  (func (export "tile_rgba_f32_64x64") (param $x f32) (param $y f32)
    (f32.store (i32.const 0)
      (call $as_byte (i32.trunc_f32_s (f32.mul (local.get $x) (f32.const 0.015625)))))
    (f32.store (i32.const 4)
      (call $as_byte (i32.trunc_f32_s (f32.mul (local.get $y) (f32.const 0.015625)))))
    (f32.store (i32.const 8) (call $as_byte (global.get $calls)))
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))))
