;; Grows its memory by a page for each tile, up to 12, and keeps a count in the newest page: the size
;; of the memory and its contents beyond the first page are state. Shows size and count in the first
;; pixel. The buffer begins where no float is aligned.
(module
  (memory (export "memory") 2 12)
  (func (export "input_ptr") (result i32) (i32.const 3))
  (func (export "input_bytes_cap") (result i32) (i32.const 65536))
  (func (export "tile_rgba32float_64x64") (param $x f32) (param $y f32)
    (local $last i32)
    (local.set $last (i32.shl (i32.sub (memory.size) (i32.const 1)) (i32.const 16)))
    (i32.store8 offset=65535 (local.get $last)
      (i32.add (i32.load8_u offset=65535 (local.get $last)) (i32.const 7)))
    (f32.store (i32.const 3)
      (f32.div (f32.convert_i32_u (i32.load8_u offset=65535 (local.get $last))) (f32.const 255)))
    (f32.store (i32.const 7) (f32.div (f32.convert_i32_u (memory.size)) (f32.const 255)))
    (if (i32.and (i32.load8_u offset=65535 (local.get $last)) (i32.const 1))
      (then (drop (memory.grow (i32.const 1)))))))
