;; The negative: 1 - x for red, green and blue; alpha stays. The smallest example of a tile filter.
(module
  (memory (export "memory") 1 1)
  (func (export "input_ptr") (result i32) (i32.const 0))
  (func (export "input_bytes_cap") (result i32) (i32.const 65536))

  (func (export "tile_rgba32float_64x64") (param $x f32) (param $y f32)
    (local $pixel i32)
    (loop $next
      (f32.store (local.get $pixel)
        (f32.sub (f32.const 1) (f32.load (local.get $pixel))))
      (f32.store offset=4 (local.get $pixel)
        (f32.sub (f32.const 1) (f32.load offset=4 (local.get $pixel))))
      (f32.store offset=8 (local.get $pixel)
        (f32.sub (f32.const 1) (f32.load offset=8 (local.get $pixel))))
      (br_if $next
        (i32.lt_u
          (local.tee $pixel (i32.add (local.get $pixel) (i32.const 16)))
          (i32.const 65536))))))
