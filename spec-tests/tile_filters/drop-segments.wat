;; Takes a factor from a data segment and a function from an element segment with its first tile, and
;; drops both. An instance whose memory, table and globals alone are put back traps then.
(module
  (type $channel (func (param f32) (result f32)))
  (memory (export "memory") 2 2)
  (table $ways 1 1 funcref)
  (data $factor "\00\00\40\3f")  ;; 0.75
  (elem $way func $scale)
  (global $is_ready (mut i32) (i32.const 0))
  (global $calls (mut i32) (i32.const 0))
  (func (export "input_ptr") (result i32) (i32.const 0))
  (func (export "input_bytes_cap") (result i32) (i32.const 65536))
  (func $scale (type $channel) (f32.mul (local.get 0) (f32.load (i32.const 65536))))
  (func (export "tile_rgba32float_64x64") (param $x f32) (param $y f32)
    (local $at i32)
    (if (i32.eqz (global.get $is_ready))
      (then
        (memory.init $factor (i32.const 65536) (i32.const 0) (i32.const 4))
        (data.drop $factor)
        (table.init $ways $way (i32.const 0) (i32.const 0) (i32.const 1))
        (elem.drop $way)
        (global.set $is_ready (i32.const 1))))
    (local.set $at (i32.shl (global.get $calls) (i32.const 2)))
    (loop $next
      (f32.store (local.get $at)
        (call_indirect $ways (type $channel) (f32.load (local.get $at)) (i32.const 0)))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 36)))
        (i32.const 65536))))
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))))
