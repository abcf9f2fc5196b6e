;; Exhaustion of the call stack: direct, mutual and indirect recursion, with no locals, many locals,
;; arguments and results; and that an instance goes on working afterwards.

(module
  (type $void (func))
  (table funcref (elem $through_table $through_null))
  (global $depth (mut i32) (i32.const 0))
  (memory 1)

  (func $direct (export "direct") (call $direct))
  (func $mutual_a (export "mutual") (call $mutual_b))
  (func $mutual_b (call $mutual_a))
  (func $through_table (export "through_table") (call_indirect (type $void) (i32.const 0)))
  (func $through_null)

  ;; The depth that is reached is at least 100 and bounded.
  (func $count (global.set $depth (i32.add (global.get $depth) (i32.const 1))) (call $count))
  (func (export "count") (global.set $depth (i32.const 0)) (call $count))
  (func (export "depth_is_sane") (result i32)
    (i32.and (i32.gt_u (global.get $depth) (i32.const 100)) (i32.le_u (global.get $depth) (i32.const 1000000))))

  (func $arguments (export "arguments") (param i32 i64 f32 f64) (result i64)
    (i64.add (local.get 1)
      (call $arguments (i32.add (local.get 0) (i32.const 1)) (i64.add (local.get 1) (i64.const 1)) (local.get 2) (local.get 3))))
  (func $vectors (export "vectors") (param v128) (result v128)
    (i32x4.add (local.get 0) (call $vectors (i32x4.add (local.get 0) (v128.const i32x4 1 1 1 1)))))

  ;; Recursion from operands that wait, from a loop, from a block in an if.
  (func $operands (export "operands") (result i32)
    (i32.add (i32.const 1) (i32.mul (i32.const 2) (i32.sub (i32.const 3) (call $operands)))))
  (func $loop (export "loop") (local i32)
    (loop $l (call $loop) (br_if $l (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 10)))))

  ;; Finite recursion, before and after.
  (func $sum (export "sum") (param i64) (result i64)
    (if (result i64) (i64.eqz (local.get 0)) (then (i64.const 0))
      (else (i64.add (local.get 0) (call $sum (i64.sub (local.get 0) (i64.const 1)))))))

  ;; What was stored before the stack ran out stays.
  (func $store (param i32) (i32.store (i32.const 16) (local.get 0)) (call $store (i32.add (local.get 0) (i32.const 1))))
  (func (export "store") (call $store (i32.const 1)))
  (func (export "stored") (result i32) (i32.gt_u (i32.load (i32.const 16)) (i32.const 100)))
)
(assert_return (invoke "sum" (i64.const 1000)) (i64.const 500500))
(assert_exhaustion (invoke "direct") "call stack exhausted")
(assert_exhaustion (invoke "mutual") "call stack exhausted")
(assert_exhaustion (invoke "through_table") "call stack exhausted")
(assert_exhaustion (invoke "count") "call stack exhausted")
(assert_return (invoke "depth_is_sane") (i32.const 1))
(assert_exhaustion (invoke "arguments" (i32.const 0) (i64.const 1) (f32.const 2) (f64.const 3)) "call stack exhausted")
(assert_exhaustion (invoke "vectors" (v128.const i32x4 1 2 3 4)) "call stack exhausted")
(assert_exhaustion (invoke "operands") "call stack exhausted")
(assert_exhaustion (invoke "loop") "call stack exhausted")
(assert_exhaustion (invoke "sum" (i64.const -1)) "call stack exhausted")
(assert_return (invoke "sum" (i64.const 1000)) (i64.const 500500))
(assert_exhaustion (invoke "store") "call stack exhausted")
(assert_return (invoke "stored") (i32.const 1))
(assert_exhaustion (invoke "direct") "call stack exhausted")
(assert_return (invoke "sum" (i64.const 2000)) (i64.const 2001000))

;; Frames of odd sizes reach the limit at every residue.
(module
  (func $1 (export "1") (local i32) (call $1))
  (func $2 (export "2") (local i32 i32) (call $2))
  (func $3 (export "3") (local i64 i32 i32) (call $3))
  (func $5 (export "5") (param i32) (local i64 f32 f64 v128) (call $5 (i32.const 1)))
  (func $7 (export "7") (local v128 v128 v128 i32 v128 v128 v128) (call $7))
  (func $13 (export "13") (local i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64) (call $13))
  (func $results (export "results") (result i32 i32 i32) (call $results) (call $results) (drop) (drop) (drop))
  (func (export "fine") (result i32) (i32.const 8))
)
(assert_exhaustion (invoke "1") "call stack exhausted")
(assert_exhaustion (invoke "2") "call stack exhausted")
(assert_exhaustion (invoke "3") "call stack exhausted")
(assert_exhaustion (invoke "5" (i32.const 1)) "call stack exhausted")
(assert_exhaustion (invoke "7") "call stack exhausted")
(assert_exhaustion (invoke "13") "call stack exhausted")
(assert_return (invoke "fine") (i32.const 8))

;; Across instances.
(module $a
  (type $void (func))
  (table (export "t") 2 funcref)
  (func (export "start") (call_indirect (type $void) (i32.const 0)))
  (func (export "fine") (result i32) (i32.const 4)))
(register "a" $a)
(module $b
  (type $void (func))
  (import "a" "t" (table 2 funcref))
  (elem (i32.const 0) $f)
  (func $f (call_indirect (type $void) (i32.const 0))))
(assert_exhaustion (invoke $a "start") "call stack exhausted")
(assert_return (invoke $a "fine") (i32.const 4))

;; A start function that exhausts the stack makes the module uninstantiable, and nothing else.
(assert_trap
  (module (func $f (call $f)) (start $f))
  "call stack exhausted")
(assert_return (invoke $a "fine") (i32.const 4))
