// Comparisons joined to branches, ifs, selects and values, with every operand kind; loops of the
// form add, compare, branch.
'use strict';
const {Script} = require('./script_writer.js');

const script = new Script('fused_branches', [
  'Every comparison with local, constant and temporary operands as the condition of br_if, if,',
  'select and as a value; loops that add, compare and branch; minimum and maximum by select.',
  'Expectations: V8.',
]);

const intCompares =
    ['eq', 'ne', 'lt_s', 'lt_u', 'gt_s', 'gt_u', 'le_s', 'le_u', 'ge_s', 'ge_u'];
const floatCompares = ['eq', 'ne', 'lt', 'gt', 'le', 'ge'];
const samples = {
  i32: [0, 1, -1, -0x80000000, 7],
  i64: [0n, 1n, -1n, -0x8000000000000000n, 7n, 0x100000001n],
  f32: [0, -0, 1, -1.5, Infinity, NaN, 7],
  f64: [0, -0, 1, -1.5, -Infinity, NaN, 7],
};
const comparesOf = (type) => type[0] === 'i' ? intCompares : floatCompares;

// All forms of one comparison; each sets one bit of the result if its condition held.
function compareFunction(type, op) {
  const a = '(local.get $a)', b = '(local.get $b)', c = `(${type}.const 7)`;
  const zero = type[0] === 'i' ? `(${type}.const 0)` : `(${type}.const -0)`;
  const temporary = (v) => `(${type}.add ${v} ${zero})`;
  const operands = [[a, b], [b, a], [a, c], [c, a], [temporary(a), b], [a, temporary(b)],
    [temporary(a), temporary(b)], [temporary(a), c], [c, temporary(b)], [a, a]];
  const lines = [];
  let bit = 0;
  const set = () =>
      `(local.set $r (i64.or (local.get $r) (i64.const 0x${(1n << BigInt(bit++)).toString(16)})))`;
  for (const [p, q] of operands) {
    const test = `(${type}.${op} ${p} ${q})`;
    lines.push(`(block $skip (br_if $skip ${test}) ${set()})`);
    lines.push(`(block $skip (br_if $skip (i32.eqz ${test})) ${set()})`);
    lines.push(`(if ${test} (then ${set()}))`);
    lines.push(`(if (i32.eqz ${test}) (then (nop)) (else ${set()}))`);
    lines.push(`(local.set $i (select (i32.const 3) (i32.const 5) ${test}))`);
    lines.push(`(if (i32.eq (local.get $i) (i32.const 3)) (then ${set()}))`);
  }
  // The comparison as a value that is used twice, and one that is kept while its operands change.
  lines.push(`(local.set $i (${type}.${op} ${a} ${b}))
    (local.set $r (i64.add (local.get $r) (i64.extend_i32_u (i32.shl (local.get $i) (local.get $i)))))`);
  lines.push(`(if (block (result i32) (${type}.${op} ${a} ${b}) (local.set $a ${c}) (local.set $b ${c}))
      (then ${set()}))`);
  return `  (func (export "${type}_${op}") (param $a ${type}) (param $b ${type}) (result i64)
    (local $r i64) (local $i i32)
    ${lines.join('\n    ')}
    (local.get $r))`;
}

for (const type of ['i32', 'i64', 'f32', 'f64']) {
  const functions = comparesOf(type).map((op) => compareFunction(type, op));
  const calls = [];
  for (const op of comparesOf(type)) {
    for (const a of samples[type]) {
      for (const b of samples[type]) calls.push([`${type}_${op}`, [[type, a], [type, b]], ['i64']]);
    }
  }
  script.comment(`${type} comparisons`);
  script.module(`(module\n${functions.join('\n')}\n)`, calls);
}

// Counting loops: every comparison, steps up and down, the bound in a local or a constant, the
// test on the sum that was just stored (tee) or on the local, i32 and i64. At most 40 rounds.
{
  const functions = [];
  const calls = [];
  for (const type of ['i32', 'i64']) {
    for (const op of intCompares) {
      for (const step of [1, -1, 3]) {
        const name = `${type}_${op}_${step < 0 ? 'down' : 'up'}${Math.abs(step)}`;
        const get = '(local.get $i)';
        const added = `(${type}.add ${get} (${type}.const ${step}))`;
        const round = `(local.set $sum (i64.add (i64.mul (local.get $sum) (i64.const 31)) ${
            type === 'i64' ? get : `(i64.extend_i32_u ${get})`}))
        (br_if $out (i32.gt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 40)))`;
        const loop = (latch) => `(local.set $n (i32.const 0))
      (local.set $i (local.get $from))
      (block $out (loop $l
        ${round}
        ${latch}))`;
        functions.push(`  (func (export "${name}") (param $from ${type}) (param $to ${type}) (result i64)
      (local $i ${type}) (local $n i32) (local $sum i64)
      ${loop(`(br_if $l (${type}.${op} (local.tee $i ${added}) (local.get $to)))`)}
      ${loop(`(local.set $i ${added}) (br_if $l (${type}.${op} ${get} (local.get $to)))`)}
      ${loop(`(local.set $i ${added}) (br_if $l (${type}.${op} (local.get $to) ${get}))`)}
      ${loop(`(local.set $i ${added}) (br_if $l (${type}.${op} ${get} (${type}.const 9)))`)}
      ${loop(`(br_if $l (${type}.${op} (${type}.const 9) (local.tee $i ${added})))`)}
      ${loop(`(local.set $i ${added}) (br_if $out (i32.eqz (${type}.${op} ${get} (local.get $to)))) (br $l)`)}
      (i64.add (local.get $sum) (i64.extend_i32_u (local.get $n))))`);
        for (const [from, to] of [[0, 10], [10, 0], [-5, 5]]) {
          calls.push([name, [[type, from], [type, to]], ['i64']]);
        }
      }
    }
  }
  script.comment('counting loops');
  script.module(`(module\n${functions.join('\n')}\n)`, calls);
}

// select as minimum and maximum, in all orders of operands and arms.
for (const type of ['i32', 'i64', 'f32', 'f64']) {
  const functions = [];
  const calls = [];
  for (const op of comparesOf(type)) {
    const a = '(local.get $a)', b = '(local.get $b)', c = `(${type}.const 7)`;
    const store = (value) => `(local.set $x ${value})
    (local.set $r (${type}.add (${type}.mul (local.get $r) (${type}.const 3)) (local.get $x)))`;
    const forms = [];
    for (const [p, q] of [[a, b], [b, a]]) {
      forms.push(store(`(select ${a} ${b} (${type}.${op} ${p} ${q}))`));
      forms.push(store(`(select ${b} ${a} (${type}.${op} ${p} ${q}))`));
      forms.push(store(`(select ${p} ${c} (${type}.${op} ${p} ${c}))`));
      forms.push(store(`(select ${c} ${p} (${type}.${op} ${c} ${p}))`));
      forms.push(store(`(select ${c} ${p} (i32.eqz (${type}.${op} ${c} ${p})))`));
      forms.push(store(`(select (result ${type}) (local.get $x) ${q} (${type}.${op} ${p} ${q}))`));
    }
    // The destination is an operand, and one arm is overwritten before the select.
    forms.push(`(local.set $a (select ${a} ${b} (${type}.${op} ${a} ${b})))`);
    forms.push(store(`(select ${a} (local.tee $a (${type}.add ${b} ${c})) (${type}.${op} ${a} ${b}))`));
    functions.push(`  (func (export "${op}") (param $a ${type}) (param $b ${type}) (result ${type})
    (local $x ${type}) (local $r ${type})
    ${forms.join('\n    ')}
    (local.get $r))`);
    const values = samples[type].filter((v) => !Number.isNaN(v) && Number.isFinite(Number(v)));
    for (const p of values) for (const q of values) calls.push([op, [[type, p], [type, q]], [type]]);
  }
  script.comment(`${type} selections by comparison`);
  script.module(`(module\n${functions.join('\n')}\n)`, calls);
}
script.write();
