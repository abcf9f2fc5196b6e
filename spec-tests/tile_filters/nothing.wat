;; Changes nothing. Setting: halo, 0..60.
(module
  (memory (export "memory") 9 9)
  (global $halo (mut i32) (i32.const 0))
  (global (export "input_ptr") i32 (i32.const 0))
  (global (export "input_bytes_cap") i32 (i32.const 541696))  ;; 184 * 184 * 16
  (func (export "uniform_set_halo") (param $halo i32)
    (global.set $halo (local.get $halo)))
  (func (export "calculate_halo_px") (result i32) (global.get $halo))
  (func (export "tile_rgba32float_64x64") (param $x f32) (param $y f32)))
