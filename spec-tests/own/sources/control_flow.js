// Structured control: br_table of many targets and arities, branches that carry values, loops with
// parameters, multi-value blocks, typed select, dead code, deep nesting.
'use strict';
const {Script} = require('./script_writer.js');

const script = new Script('control_flow', [
  'br_table, branches with values, loops with parameters, multi-value blocks, select of every type,',
  'dead code and deep nesting. Expectations: V8.',
]);
const range = (n) => Array.from({length: n}, (_, i) => i);

// br_table with n targets, each doing something else; the index in a local, a sum, a load.
for (const n of [0, 1, 2, 7, 300]) {
  const targets = range(n);
  const table = (index) => `${'(block '.repeat(n + 1)} (br_table ${
      targets.join(' ')} ${n} ${index}) ${
      targets.map((k) => `) (local.set $r (i32.add (local.get $r) (i32.const ${k * k + 1}))) ${
          k % 3 === 0 ? '(return (local.get $r))' : ''}`).join('')})`;
  script.comment(`br_table of ${n} targets`);
  const indices = [0, 1, n - 1, n, n + 1, -1, 0x7FFFFFFF, n >> 1].filter((v) => v >= -1);
  script.module(`(module
  (memory 1)
  (func (export "local") (param $i i32) (result i32) (local $r i32)
    ${table('(local.get $i)')} (i32.sub (local.get $r) (i32.const 1)))
  (func (export "sum") (param $i i32) (result i32) (local $r i32)
    ${table('(i32.sub (local.get $i) (i32.const 3))')} (i32.sub (local.get $r) (i32.const 1)))
  (func (export "load") (param $i i32) (result i32) (local $r i32)
    (i32.store8 (i32.const 9) (local.get $i))
    ${table('(i32.load8_u (i32.const 9))')} (i32.sub (local.get $r) (i32.const 1)))
  (func (export "value") (param $i i32) (result i32) (local $r i32)
    ${'(block (result i32) '.repeat(n + 1)} (br_table ${targets.join(' ')} ${n}
      (i32.add (local.get $i) (i32.const 5)) (local.get $i)) ${
      targets.map((k) => `) (i32.mul (i32.const ${k + 2})) (i32.add (local.get $i))`).join('')}))
)`, ['local', 'sum', 'load', 'value'].flatMap((name) => indices.map((i) => [name, [['i32', i]], ['i32']])));
}

script.comment('branches with values of several types, and operands below them');
script.module(`(module
  (func (export "br_if_keeps") (param i32 i32) (result i32)
    (i32.add (i32.const 1000)
      (block $b (result i32)
        (i32.mul (i32.const 3) (br_if $b (i32.add (local.get 0) (i32.const 1)) (local.get 1))))))
  (func (export "br_if_two") (param i32 i64 i32) (result i32 i64)
    (block $b (result i32 i64)
      (i32.const 5) (drop)
      (local.get 0) (local.get 1)
      (br_if $b (local.get 2))
      (i64.add (i64.const 10))
      (local.set 1) (i32.sub (i32.const 10)) (local.get 1)))
  (func (export "br_drops_below") (param i32) (result i32)
    (block $b (result i32)
      (i32.const 1) (i64.const 2) (f64.const 3) (local.get 0)
      (br $b)))
  (func (export "br_if_drops_below") (param i32 i32) (result i32)
    (block $b (result i32)
      (i32.const 111) (i32.const 222) (local.get 0)
      (br_if $b (local.get 1))
      (i32.add) (i32.add)))
  (func (export "br_if_swap") (param i32 i32 i32) (result i32 i32)
    (block $b (result i32 i32)
      (local.get 1) (local.get 0)
      (br_if $b (local.get 2))
      (local.set 0) (local.set 1) (local.get 0) (local.get 1)))
  (func (export "table_arities") (param i32) (result i32 i32)
    (block $a (result i32 i32)
      (block $b (result i32 i32)
        (block $c (result i32 i32)
          (i32.const 10) (i32.const 20) (local.get 0)
          (br_table $c $b $a $c))
        (i32.add (i32.const 1)))
      (local.set 0) (i32.add (i32.const 100)) (local.get 0))
    (i32.mul (i32.const 2)))
  (func (export "nested_results") (param i32) (result i32)
    (block $outer (result i32)
      (block $inner (result i32)
        (drop (br_if $outer (i32.const 1) (i32.eq (local.get 0) (i32.const 1))))
        (i32.add (br_if $inner (i32.const 2) (i32.eq (local.get 0) (i32.const 2))) (i32.const 10)))
      (i32.add (i32.const 100))))
  (func (export "if_parameters") (param i32 i32) (result i32 i32)
    (local.get 0) (i32.const 3)
    (if (param i32 i32) (result i32 i32) (local.get 1)
      (then (i32.add) (i32.const 9))
      (else (i32.mul) (local.get 1) (i32.const 8) (i32.add))))
  (func (export "if_without_else") (param i32 i32) (result i32)
    (local.get 0)
    (if (param i32) (result i32) (local.get 1) (then (i32.add (i32.const 5)))))
  (func (export "loop_parameters") (param $n i32) (result i32)
    (local $a i32)
    (i32.const 0) (i32.const 1)
    (loop $l (param i32 i32) (result i32)
      (local.set $a) (i32.add (local.get $a))
      (local.get $a) (i32.add (i32.const 2)) (local.set $a)
      (local.get $a)
      (br_if $l (i32.lt_s (local.get $a) (local.get $n)))
      (drop)))
  (func (export "loop_fibonacci") (param $n i32) (result i64)
    (local $a i64) (local $b i64)
    (i64.const 0) (i64.const 1)
    (loop $l (param i64 i64) (result i64 i64)
      (local.set $b) (local.set $a)
      (local.get $b) (i64.add (local.get $a) (local.get $b))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (drop))
  (func (export "loop_swap_parameters") (param $n i32) (param $x i32) (param $y i32) (result i32 i32)
    (local $t i32)
    (local.get $x) (local.get $y)
    (loop $l (param i32 i32) (result i32 i32)
      (local.set $t) (local.set $x) (local.get $t) (local.get $x)
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "loop_mixed_parameters") (param $n i32) (result f64 i32)
    (local $i i32) (local $d f64)
    (i32.const 1) (f64.const 0.5)
    (loop $l (param i32 f64) (result i32 f64)
      (local.set $d) (local.set $i)
      (i32.mul (local.get $i) (i32.const 3))
      (f64.add (local.get $d) (f64.convert_i32_s (local.get $i)))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.set $d) (local.set $i) (local.get $d) (local.get $i))
  (func (export "br_table_to_loop") (param $n i32) (result i32)
    (local $r i32)
    (block $out
      (loop $l
        (local.set $r (i32.add (i32.mul (local.get $r) (i32.const 3)) (local.get $n)))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br_table $out $l $l $l $out (local.get $n))))
    (local.get $r))
  (func (export "block_ten") (result i32)
    (block (result i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)
      (i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4) (i32.const 5)
      (i32.const 6) (i32.const 7) (i32.const 8) (i32.const 9) (i32.const 10))
    (i32.sub) (i32.mul) (i32.sub) (i32.mul) (i32.sub) (i32.mul) (i32.sub) (i32.mul) (i32.sub))
)`, [
  ['br_if_keeps', [['i32', 4], ['i32', 0]], ['i32']],
  ['br_if_keeps', [['i32', 4], ['i32', 1]], ['i32']],
  ['br_if_two', [['i32', 4], ['i64', 7], ['i32', 0]], ['i32', 'i64']],
  ['br_if_two', [['i32', 4], ['i64', 7], ['i32', 1]], ['i32', 'i64']],
  ['br_drops_below', [['i32', 4]], ['i32']],
  ['br_if_drops_below', [['i32', 4], ['i32', 0]], ['i32']],
  ['br_if_drops_below', [['i32', 4], ['i32', 1]], ['i32']],
  ['br_if_swap', [['i32', 4], ['i32', 1], ['i32', 0]], ['i32', 'i32']],
  ['br_if_swap', [['i32', 4], ['i32', 1], ['i32', 1]], ['i32', 'i32']],
  ...[0, 1, 2, 3, 4].map((i) => ['table_arities', [['i32', i]], ['i32', 'i32']]),
  ...[0, 1, 2].map((i) => ['nested_results', [['i32', i]], ['i32']]),
  ...[0, 1].map((i) => ['if_parameters', [['i32', 6], ['i32', i]], ['i32', 'i32']]),
  ...[0, 1].map((i) => ['if_without_else', [['i32', 6], ['i32', i]], ['i32']]),
  ...[0, 2, 3, 50].map((i) => ['loop_parameters', [['i32', i]], ['i32']]),
  ...[1, 2, 3, 60].map((i) => ['loop_fibonacci', [['i32', i]], ['i64']]),
  ...[1, 2, 3].map((i) => ['loop_swap_parameters', [['i32', i], ['i32', 10], ['i32', 20]], ['i32', 'i32']]),
  ...[1, 2, 9].map((i) => ['loop_mixed_parameters', [['i32', i]], ['f64', 'i32']]),
  ...[0, 1, 3, 4, 5].map((i) => ['br_table_to_loop', [['i32', i]], ['i32']]),
  ['block_ten', [], ['i32']],
]);

// select of every type, untyped and typed, with constants, locals and conditions of every kind.
for (const type of ['i32', 'i64', 'f32', 'f64']) {
  const forms = [
    ['(local.get 0) (local.get 1)', '(local.get 2)'],
    [`(${type}.const 3) (local.get 1)`, '(local.get 2)'],
    [`(local.get 0) (${type}.const 3)`, '(i32.eqz (local.get 2))'],
    [`(${type}.const 3) (${type}.const 4)`, '(i32.and (local.get 2) (i32.const 1))'],
    ['(local.get 0) (local.get 0)', '(local.get 2)'],
    [`(${type}.add (local.get 0) (local.get 1)) (${type}.sub (local.get 0) (local.get 1))`, '(i32.ge_s (local.get 2) (i32.const 1))'],
    ['(local.get 0) (local.get 1)', '(i32.const 1)'],
    ['(local.get 0) (local.get 1)', '(i32.const 0)'],
  ];
  const functions = forms.flatMap(([arms, condition], k) => [
    `  (func (export "untyped${k}") (param ${type} ${type} i32) (result ${type}) (select ${arms} ${condition}))`,
    `  (func (export "typed${k}") (param ${type} ${type} i32) (result ${type}) (local.set 0 (select (result ${type}) ${arms} ${condition})) (local.get 0))`,
  ]);
  script.comment(`select of ${type}`);
  script.module(`(module\n${functions.join('\n')}\n)`, forms.flatMap((_, k) => ['untyped', 'typed'].flatMap((name) =>
      [0, 1, 2, -1].map((c) => [name + k, [[type, 10], [type, 20], ['i32', c]], [type]]))));
}
script.raw(`;; select of references and vectors
(module
  (func $f)
  (elem declare func $f)
  (func (export "extern") (param externref externref i32) (result externref)
    (select (result externref) (local.get 0) (local.get 1) (local.get 2)))
  (func (export "func_is_null") (param i32) (result i32)
    (ref.is_null (select (result funcref) (ref.func $f) (ref.null func) (local.get 0))))
  (func (export "vector") (param v128 v128 i32) (result v128)
    (select (local.get 0) (local.get 1) (local.get 2)))
  (func (export "vector_typed") (param v128 v128 i32) (result v128)
    (local v128)
    (local.set 3 (select (result v128) (local.get 1) (v128.const i32x4 9 8 7 6) (local.get 2)))
    (i8x16.add (local.get 3) (local.get 0))))
(assert_return (invoke "extern" (ref.extern 1) (ref.extern 2) (i32.const 1)) (ref.extern 1))
(assert_return (invoke "extern" (ref.extern 1) (ref.extern 2) (i32.const 0)) (ref.extern 2))
(assert_return (invoke "extern" (ref.extern 1) (ref.null extern) (i32.const 0)) (ref.null extern))
(assert_return (invoke "func_is_null" (i32.const 1)) (i32.const 0))
(assert_return (invoke "func_is_null" (i32.const 0)) (i32.const 1))
(assert_return (invoke "vector" (v128.const i32x4 1 2 3 4) (v128.const i32x4 5 6 7 8) (i32.const 1)) (v128.const i32x4 1 2 3 4))
(assert_return (invoke "vector" (v128.const i32x4 1 2 3 4) (v128.const i32x4 5 6 7 8) (i32.const 0)) (v128.const i32x4 5 6 7 8))
(assert_return (invoke "vector_typed" (v128.const i32x4 1 2 3 4) (v128.const i32x4 5 6 7 8) (i32.const 1)) (v128.const i32x4 6 8 10 12))
(assert_return (invoke "vector_typed" (v128.const i32x4 1 2 3 4) (v128.const i32x4 5 6 7 8) (i32.const 0)) (v128.const i32x4 10 10 10 10))`);

script.comment('dead code');
script.module(`(module
  (memory 1)
  (func (export "after_br") (result i32)
    (block (result i32) (br 0 (i32.const 5)) (drop (i32.add (i32.const 1))) (i32.load) (select) (i64.eqz)))
  (func (export "after_return") (param i32) (result i32)
    (return (i32.add (local.get 0) (i32.const 1)))
    (loop (br 0)) (i32.const 9) (local.set 0) (unreachable))
  (func (export "after_unreachable") (param i32) (result i32)
    (if (result i32) (local.get 0) (then (i32.const 3)) (else (unreachable) (block (result i32) (unreachable) (br_if 0)) (br_table 0 0 0))))
  (func (export "dead_loop_head") (param i32) (result i32)
    (block $b (br $b) (loop $l (local.set 0 (i32.const 100)) (br_if $l (local.get 0)) (br $l)))
    (local.get 0))
  (func (export "dead_set") (param i32) (result i32)
    (block $b (br_if $b (local.get 0)) (local.set 0 (i32.const 7)) (br $b) (local.set 0 (i32.const 8)))
    (local.get 0))
  (func (export "both_arms_leave") (param i32) (result i32)
    (if (local.get 0) (then (return (i32.const 1))) (else (return (i32.const 2))))
    (i32.const 3) (drop) (unreachable))
  (func (export "br_table_dead") (param i32) (result i32)
    (block $a (block $b (br_table $a $b (local.get 0)) (local.set 0 (i32.const 50)) (br_table $a $b)) (return (i32.const 4)))
    (i32.const 6))
  (func (export "unused_results") (param i32) (result i32)
    (drop (i32.div_u (i32.const 1) (local.get 0)))
    (drop (i32.load (local.get 0)))
    (drop (i32.add (local.get 0) (i32.const 1)))
    (local.get 0))
  (func (export "dropped_tee") (param i32) (result i32)
    (drop (local.tee 0 (i32.add (local.get 0) (i32.const 1)))) (local.get 0))
  (func (export "overwritten") (param i32) (result i32) (local i32)
    (local.set 1 (i32.const 5)) (local.set 1 (i32.div_u (i32.const 100) (local.get 0))) (local.set 1 (i32.const 6)) (local.get 1))
)`, [
  ['after_br', [], ['i32']], ['after_return', [['i32', 4]], ['i32']],
  ['after_unreachable', [['i32', 1]], ['i32']], ['after_unreachable', [['i32', 0]], ['i32']],
  ['dead_loop_head', [['i32', 3]], ['i32']], ['dead_set', [['i32', 0]], ['i32']],
  ['dead_set', [['i32', 3]], ['i32']], ['both_arms_leave', [['i32', 0]], ['i32']],
  ['both_arms_leave', [['i32', 3]], ['i32']], ['br_table_dead', [['i32', 0]], ['i32']],
  ['br_table_dead', [['i32', 1]], ['i32']], ['unused_results', [['i32', 0]], ['i32']],
  ['unused_results', [['i32', 70000]], ['i32']], ['unused_results', [['i32', 100]], ['i32']],
  ['dropped_tee', [['i32', 100]], ['i32']], ['overwritten', [['i32', 0]], ['i32']],
  ['overwritten', [['i32', 3]], ['i32']],
]);

// Deep nesting, with a branch from the middle to every depth.
{
  const depth = 500;
  const open = range(depth).map((k) => k % 3 === 1 ? '(loop ' : '(block ').join('');
  script.comment(`${depth} nested blocks`);
  script.module(`(module
  (func (export "blocks") (param $i i32) (result i32) (local $r i32)
    ${'(block '.repeat(depth)}
    (br_table ${range(depth).join(' ')} (local.get $i))
    ${')(local.set $r (i32.add (local.get $r) (i32.const 1)))'.repeat(depth)}
    (local.get $r))
  (func (export "mixed") (param $i i32) (result i32) (local $r i32)
    ${open}
    (br_if ${depth - 1 - depth % 3} (local.get $i))
    ${range(depth).map((k) => ')(local.set $r (i32.add (i32.mul (local.get $r) (i32.const 3)) (i32.const 1)))').join('')}
    (local.get $r))
  (func (export "ifs") (param $i i32) (result i32)
    ${'(if (result i32) (local.get $i) (then (local.set $i (i32.sub (local.get $i) (i32.const 1)))'.repeat(depth)}
    (i32.const 12345)
    ${') (else (i32.const 7)))'.repeat(depth)})
  (func (export "loops") (result i32) (local $r i32)
    ${'(loop '.repeat(depth)} ${'(local.set $r (i32.add (local.get $r) (i32.const 1))))'.repeat(depth)} (local.get $r))
  (func (export "operands") (param $i i32) (result i32)
    ${'(i32.add (local.get $i) '.repeat(depth)} (local.get $i) ${')'.repeat(depth)})
  (func (export "operands_right") (param $i i32) (result i32)
    ${'(i32.sub '.repeat(depth)} (local.get $i) ${'(local.tee $i (i32.xor (local.get $i) (i32.const 5))))'.repeat(depth)})
)`, [
    ...[0, 1, 17, depth - 1, depth, -1].map((i) => ['blocks', [['i32', i]], ['i32']]),
    ...[0, 1].map((i) => ['mixed', [['i32', i]], ['i32']]),
    ...[0, 1, 250, depth - 1, depth, depth + 1].map((i) => ['ifs', [['i32', i]], ['i32']]),
    ['loops', [], ['i32']], ['operands', [['i32', 3]], ['i32']], ['operands_right', [['i32', 3]], ['i32']],
  ]);
}
script.write();
