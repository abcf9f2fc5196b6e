;; Never returns: the component that a host's time limit has to end.
(module
  (memory (export "memory") 2 2)

  (global (export "input_ptr") i32 (i32.const 0))
  (global (export "input_utf8_cap") i32 (i32.const 0x10000))
  (global (export "output_ptr") i32 (i32.const 0x10000))
  (global (export "output_utf8_cap") i32 (i32.const 0x10000))

  (func (export "render") (param $input_len i32) (result i32)
    (loop $forever
      (br $forever))
    (unreachable)))
