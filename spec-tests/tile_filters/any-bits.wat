;; Replaces every channel by bits that are hard to convert: by turns arbitrary ones (NaN and infinity
;; among them), and floats within two units of the last place of (byte + 0.5) / 255, where rounding
;; changes. Which ones depends on the place and on the setting seed.
(module
  (memory (export "memory") 1 1)
  (global $seed (mut i32) (i32.const 0))
  (func (export "input_ptr") (result i32) (i32.const 0))
  (func (export "input_bytes_cap") (result i32) (i32.const 65536))
  (func (export "uniform_set_seed") (param $seed i32) (global.set $seed (local.get $seed)))
  (func $scramble (param $value i32) (result i32)
    (local.set $value (i32.mul
      (i32.xor (local.get $value) (i32.shr_u (local.get $value) (i32.const 16)))
      (i32.const 0x7feb352d)))
    (local.set $value (i32.mul
      (i32.xor (local.get $value) (i32.shr_u (local.get $value) (i32.const 15)))
      (i32.const 0x846ca68b)))
    (i32.xor (local.get $value) (i32.shr_u (local.get $value) (i32.const 16))))
  (func $near_rounding (param $random i32) (result i32)
    (i32.add
      (i32.reinterpret_f32 (f32.div
        (f32.add (f32.convert_i32_u (i32.and (local.get $random) (i32.const 255))) (f32.const 0.5))
        (f32.const 255)))
      (i32.sub (i32.rem_u (i32.shr_u (local.get $random) (i32.const 8)) (i32.const 5)) (i32.const 2))))
  (func (export "tile_rgba32float_64x64") (param $x f32) (param $y f32)
    (local $at i32) (local $random i32)
    (local.set $random (i32.xor (global.get $seed)
      (i32.xor (i32.reinterpret_f32 (local.get $x))
        (i32.rotl (i32.reinterpret_f32 (local.get $y)) (i32.const 7)))))
    (loop $next
      (local.set $random (call $scramble (i32.add (local.get $random) (i32.const 0x9E3779B9))))
      (i32.store (local.get $at)
        (if (result i32) (i32.and (local.get $at) (i32.const 4))
          (then (local.get $random))
          (else (call $near_rounding (local.get $random)))))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 4)))
        (i32.const 65536))))))
