;; Traps when it is called for the n-th time, counted from 0; before that it changes nothing. Without
;; its setting, call, it never does.
(module
  (memory (export "memory") 1 1)
  (global (export "input_ptr") i32 (i32.const 0))
  (global (export "input_bytes_cap") i32 (i32.const 65536))
  (global $left (mut i32) (i32.const -1))
  (func (export "uniform_set_call") (param $call i32) (global.set $left (local.get $call)))
  (func (export "tile_rgba32float_64x64") (param $x f32) (param $y f32)
    (if (i32.eqz (global.get $left)) (then (unreachable)))
    (global.set $left (i32.sub (global.get $left) (i32.const 1)))))
