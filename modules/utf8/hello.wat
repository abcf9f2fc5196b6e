;; Greets: "Hello, " and the input, or "World" when the input is empty.
;; The smallest component that shows the whole contract. Input up to 64 KiB, output 7 bytes more.
(module
  (memory (export "memory") 4 4)

  (global (export "input_ptr") i32 (i32.const 0x10000))
  (global (export "input_utf8_cap") i32 (i32.const 0x10000))
  (global (export "output_ptr") i32 (i32.const 0x20000))
  (global (export "output_utf8_cap") i32 (i32.const 0x10007))

  (data (i32.const 0) "World")
  (data (i32.const 0x20000) "Hello, ")

  (func (export "render") (param $input_len i32) (result i32)
    (if (i32.eqz (local.get $input_len))
      (then
        (memory.copy (i32.const 0x20007) (i32.const 0) (i32.const 5))
        (return (i32.const 12))))
    (memory.copy (i32.const 0x20007) (i32.const 0x10000) (local.get $input_len))
    (i32.add (local.get $input_len) (i32.const 7))))
