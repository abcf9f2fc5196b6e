;; Gives the input back when it is a CSS identifier and so can stand after the dot of a class
;; selector, and nothing otherwise. Grammar: CSS Syntax Level 3, "ident-token" diagram: "--", or an
;; optional "-" and then a name start; then name bytes; escapes count as names. Bytes from 0x80 on
;; are parts of non-ASCII characters, which all count as names. NUL is refused.
;; Input up to 64 KiB.
(module
  (memory (export "memory") 1 1)

  (global (export "input_ptr") i32 (i32.const 0))
  (global (export "input_utf8_cap") i32 (i32.const 0x10000))
  (global (export "output_ptr") i32 (i32.const 0))
  (global (export "output_utf8_cap") i32 (i32.const 0x10000))

  (func $is_letter (param $byte i32) (result i32)
    (i32.lt_u
      (i32.sub (i32.or (local.get $byte) (i32.const 0x20)) (i32.const 0x61))
      (i32.const 26)))

  (func $is_digit (param $byte i32) (result i32)
    (i32.lt_u (i32.sub (local.get $byte) (i32.const 0x30)) (i32.const 10)))

  ;; Letter, "_", or non-ASCII.
  (func $is_name_start (param $byte i32) (result i32)
    (i32.or
      (i32.or (call $is_letter (local.get $byte)) (i32.eq (local.get $byte) (i32.const 0x5f)))
      (i32.ge_u (local.get $byte) (i32.const 0x80))))

  ;; Name start, digit, or "-".
  (func $is_name (param $byte i32) (result i32)
    (i32.or
      (i32.or (call $is_name_start (local.get $byte)) (call $is_digit (local.get $byte)))
      (i32.eq (local.get $byte) (i32.const 0x2d))))

  (func $is_hex (param $byte i32) (result i32)
    (i32.or
      (call $is_digit (local.get $byte))
      (i32.lt_u
        (i32.sub (i32.or (local.get $byte) (i32.const 0x20)) (i32.const 0x61))
        (i32.const 6))))

  ;; Line feed, form feed, carriage return.
  (func $is_newline (param $byte i32) (result i32)
    (i32.or
      (i32.eq (local.get $byte) (i32.const 0x0a))
      (i32.lt_u (i32.sub (local.get $byte) (i32.const 0x0c)) (i32.const 2))))

  ;; The byte at $at, or 0 at the end of the input.
  (func $peek (param $at i32) (param $end i32) (result i32)
    (if (result i32) (i32.lt_u (local.get $at) (local.get $end))
      (then (i32.load8_u (local.get $at)))
      (else (i32.const 0))))

  ;; $at is behind a backslash. Returns the position behind the escape, or 0 if it is none:
  ;; one to six hexadecimal digits and one optional white space, or any byte but a newline.
  (func $skip_escape (param $at i32) (param $end i32) (result i32)
    (local $byte i32) (local $digits i32)
    (local.set $byte (call $peek (local.get $at) (local.get $end)))
    (if (i32.or (i32.eqz (local.get $byte)) (call $is_newline (local.get $byte)))
      (then (return (i32.const 0))))
    (if (i32.eqz (call $is_hex (local.get $byte)))
      (then (return (i32.add (local.get $at) (i32.const 1)))))
    (loop $next
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (local.set $digits (i32.add (local.get $digits) (i32.const 1)))
      (local.set $byte (call $peek (local.get $at) (local.get $end)))
      (br_if $next
        (i32.and (call $is_hex (local.get $byte)) (i32.lt_u (local.get $digits) (i32.const 6)))))
    (if
      (i32.or
        (call $is_newline (local.get $byte))
        (i32.or
          (i32.eq (local.get $byte) (i32.const 0x09))
          (i32.eq (local.get $byte) (i32.const 0x20))))
      (then (local.set $at (i32.add (local.get $at) (i32.const 1)))))
    (local.get $at))

  (func (export "render") (param $input_len i32) (result i32)
    (local $at i32) (local $byte i32)
    ;; The first name byte may follow one "-"; behind "--" anything that is a name follows.
    (local.set $byte (call $peek (i32.const 0) (local.get $input_len)))
    (if (i32.eq (local.get $byte) (i32.const 0x2d))
      (then
        (local.set $at (i32.const 1))
        (local.set $byte (call $peek (i32.const 1) (local.get $input_len)))))
    (if
      (i32.eqz
        (i32.or
          (i32.or (call $is_name_start (local.get $byte)) (i32.eq (local.get $byte) (i32.const 0x5c)))
          (i32.and (local.get $at) (i32.eq (local.get $byte) (i32.const 0x2d)))))
      (then (return (i32.const 0))))
    (loop $next
      (if (i32.ge_u (local.get $at) (local.get $input_len))
        (then (return (local.get $input_len))))
      (local.set $byte (i32.load8_u (local.get $at)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $next (call $is_name (local.get $byte)))
      (if (i32.ne (local.get $byte) (i32.const 0x5c))
        (then (return (i32.const 0))))
      (local.set $at (call $skip_escape (local.get $at) (local.get $input_len)))
      (br_if $next (local.get $at)))
    (i32.const 0)))
