// Frames of every size: thousands of locals of all types, thousands of operands, a thousand
// parameters and results; values far from the frame's start kept across calls, loops and branches.
'use strict';
const {Script, randomStream} = require('./script_writer.js');

const script = new Script('frames', [
  'Functions with thousands of locals, operands, parameters and results: slots beyond the reach of',
  'any short encoding. Expectations: V8, and for vectors a sum that is stated here.',
]);
const range = (n) => Array.from({length: n}, (_, i) => i);
const random = randomStream(7);

// `count` locals; the first, the last, and those around powers of two are written, read back after
// a call and a loop, and mixed into the result.
function sparse(type, count) {
  const picks = [...new Set([0, 1, 2, 3, 127, 128, 255, 256, 1023, 1024, 2047, 2048, 4094, 4095,
    4096, 8189, 8190, 8191, 8192, 16383, 16384, 32767, 32768, 48000, count - 2, count - 1]
      .filter((k) => k >= 0 && k < count))];
  const value = (k) => `(${type}.const ${k + 1})`;
  const sets = picks.map((k) => `(local.set ${k + 1} ${value(k)})`).join(' ');
  const mix = picks.map((k) => `(local.set $r (${type}.add (${type}.mul (local.get $r) (${type}.const ${
      type[0] === 'i' ? 31 : 0.5})) (local.get ${k + 1})))`).join(' ');
  const bump = picks.map((k, j) => `(local.set ${k + 1} (${type}.sub (local.get ${k + 1}) (local.get ${
      picks[(j + 1) % picks.length] + 1})))`).join(' ');
  return `  (func (export "sparse_${type}_${count}") (param $n i32) (result ${type})
    (local ${Array(count).fill(type).join(' ')}) (local $r ${type}) (local $i i32)
    ${sets}
    (call $noise (i32.const 3))
    ${mix}
    (loop $l
      ${bump}
      (call $noise (local.get $i))
      (br_if $l (i32.lt_s (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    ${mix}
    (local.get $r))`;
}
for (const [type, counts] of [['i32', [100, 5000, 49000]], ['i64', [8400]], ['f32', [8400]], ['f64', [8400]]]) {
  for (const count of counts) {
    script.comment(`${count} locals of ${type}`);
    script.module(`(module
  (func $noise (param i32) (local i32 i64 f64 f32 i32 i64)
    (local.set 1 (i32.const -1)) (local.set 2 (i64.const -2)) (local.set 3 (f64.const -3))
    (local.set 4 (f32.const -4)) (local.set 5 (local.get 0)) (local.set 6 (i64.const 9)))
${sparse(type, count)}
)`, [[`sparse_${type}_${count}`, [['i32', 1]], [type]], [`sparse_${type}_${count}`, [['i32', 3]], [type]]]);
  }
}

// All types mixed, dense: every local is written and read.
{
  const types = ['i32', 'i64', 'f32', 'f64'];
  const count = 700;
  const typeOf = range(count).map(() => types[random() % 4]);
  const asI64 = {
    i32: (e) => `(i64.extend_i32_s ${e})`, i64: (e) => e,
    f32: (e) => `(i64.trunc_sat_f32_s ${e})`, f64: (e) => `(i64.trunc_sat_f64_s ${e})`,
  };
  script.comment(`${count} locals of mixed types, all of them used`);
  script.module(`(module
  (func (export "dense") (param $x i32) (result i64)
    (local ${typeOf.join(' ')}) (local $r i64)
    ${range(count).map((k) => `(local.set ${k + 1} (${typeOf[k]}.const ${k * 3}))`).join('\n    ')}
    ${range(count).map((k) => `(local.set $r (i64.add (i64.mul (local.get $r) (i64.const 3)) ${
        asI64[typeOf[k]](`(local.get ${k + 1})`)}))`).join('\n    ')}
    (local.get $r))
)`, [['dense', [['i32', 0]], ['i64']]]);
}

// Operands: n values on the stack at once, across a call, a block and a branch.
{
  const n = 3000;
  const push = range(n).map((k) => k % 5 === 0 ? '(local.get 0)' : `(i32.const ${k})`).join(' ');
  const fold = (k) => range(k - 1).map((j) => j % 3 === 0 ? 'i32.sub' : 'i32.add').join(' ');
  script.comment(`${n} operands`);
  script.module(`(module
  (func $one (result i32) (local i32 i32) (local.set 0 (i32.const -9)) (local.set 1 (i32.const 1)) (local.get 1))
  (func (export "operands") (param i32) (result i32)
    ${push} (local.set 0 (i32.add (local.get 0) (call $one))) (local.get 0) ${fold(n + 1)})
  (func (export "operands_block") (param i32) (result i32)
    ${push} (block (result i32) (br_if 0 (i32.const 4) (local.get 0)) (drop) (i32.const 6)) ${fold(n + 1)})
  (func (export "operands_branch") (param i32) (result i32)
    (block (result i32) ${push} (br_if 0 (local.get 0)) ${fold(n)}))
  (func (export "operands_calls") (param i32) (result i32)
    ${range(1200).map((k) => k % 3 === 2 ? '(call $one)' : k % 3 === 1 ? '(local.get 0)' : `(i32.mul (local.get 0) (i32.const ${k}))`).join(' ')} ${fold(1200)})
)`, ['operands', 'operands_block', 'operands_branch', 'operands_calls'].flatMap((name) =>
      [0, 5].map((x) => [name, [['i32', x]], ['i32']])));
}

// A thousand parameters and a thousand results, i32 and mixed.
for (const kind of ['i32', 'mixed']) {
  const n = 1000;
  const types = range(n).map((k) => kind === 'i32' ? 'i32' : ['i32', 'f64', 'i64', 'f32'][k % 4]);
  const asI64 = {
    i32: '(i64.extend_i32_s)', i64: '', f32: '(i64.trunc_sat_f32_s)', f64: '(i64.trunc_sat_f64_s)',
  };
  script.comment(`${n} parameters and results, ${kind}`);
  script.module(`(module
  (type $all (func (param ${types.join(' ')}) (result ${types.join(' ')})))
  (table funcref (elem $reverse $same))
  (func $same (type $all) ${range(n).map((k) => `(local.get ${k})`).join(' ')})
  ;; Parameter k goes to the result of the same type that is farthest away.
  (func $reverse (type $all) ${range(n).map((k) => {
    let source = n - 1 - k;
    while (source >= 0 && types[source] !== types[k]) --source;
    return `(local.get ${source < 0 ? k : source})`;
  }).join(' ')})
  (func (export "pass") (param i32) (result i64) (local $r i64) (local $t i64)
    ${range(n).map((k) => `(${types[k]}.const ${k + 1})`).join(' ')}
    (local.get 0)
    (call_indirect (type $all))
    ${range(n).map((k) => `${asI64[types[n - 1 - k]]} (local.set $t) (local.set $r (i64.add (i64.mul (local.get $r) (i64.const 3)) (local.get $t)))`).join('\n    ')}
    (local.get $r))
)`, [0, 1].map((i) => ['pass', [['i32', i]], ['i64']]));
}

// Vectors: 3,000 locals are 48 KB of frame. Local k holds the lanes k, so the sums are known.
{
  const n = 3000;
  const picks = [0, 1, 7, 511, 512, 1023, 1024, 2046, 2047, 2048, 2049, 2998, 2999];
  const total = picks.reduce((a, b) => a + b, 0);
  script.comment(`${n} vector locals`);
  script.module(`(module
  (func $noise (local v128 i32) (local.set 0 (v128.const i64x2 -1 -1)) (local.set 1 (i32.const -1)))
  (func (export "vectors") (param $x i32) (result i32)
    (local ${Array(n).fill('v128').join(' ')}) (local $s v128) (local $i i32)
    ${picks.map((k) => `(local.set ${k + 1} (i32x4.splat (i32.const ${k})))`).join(' ')}
    (loop $l
      (call $noise)
      ${picks.map((k) => `(local.set $s (i32x4.add (local.get $s) (local.get ${k + 1})))`).join(' ')}
      (br_if $l (i32.lt_s (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $x))))
    (i32.add (i32x4.extract_lane 0 (local.get $s)) (i32x4.extract_lane 3 (local.get $s))))
  ;; Vectors between scalars, as parameters, results and operands that wait.
  (func $mix (param i32 v128 f64 v128 i64) (result v128 i64 v128 i32)
    (local.get 3) (local.get 4) (local.get 1) (local.get 0))
  (func (export "mixed") (param $x i32) (result i32)
    (local $a v128) (local $b v128) (local $i i32) (local $l i64)
    (local.get $x)
    (call $mix (i32.const 5) (i32x4.splat (local.get $x)) (f64.const 1) (v128.const i32x4 10 20 30 40) (i64.const 3))
    (local.set $i) (local.set $b) (local.set $l) (local.set $a)
    (i32.add (i32.mul (i32x4.extract_lane 2 (local.get $b)) (i32.const 1000))
      (i32.add (i32x4.extract_lane 1 (local.get $a)) (i32.mul (local.get $i) (i32.wrap_i64 (local.get $l)))))
    (i32.sub))
  (func (export "pending") (param $x i32) (result i32)
    (local $v v128)
    (local.set $v (i32x4.splat (local.get $x)))
    (local.get $v) (i32.const 77) (local.get $v)
    (local.set $v (v128.const i32x4 1 2 3 4))
    (call $noise)
    (i32x4.extract_lane 1) (i32.add) (local.set $x)
    (i32x4.extract_lane 3 (i32x4.mul (local.get $v))) (i32.add (local.get $x)))
  (func (export "deep") (param $n i32) (result i32)
    (i32x4.extract_lane 2 (call $deep (local.get $n) (i32x4.splat (local.get $n)))))
  (func $deep (param $n i32) (param $v v128) (result v128)
    (local $k v128)
    (if (i32.eqz (local.get $n)) (then (return (local.get $v))))
    (local.set $k (i32x4.add (local.get $v) (i32x4.splat (i32.const 1))))
    (i32x4.add (local.get $v) (i32x4.sub (call $deep (i32.sub (local.get $n) (i32.const 1)) (local.get $k)) (local.get $k))))
)`, [['vectors', [['i32', 1]], ['i32']], ['vectors', [['i32', 3]], ['i32']], ['mixed', [['i32', 9]], ['i32']],
    ['pending', [['i32', 9]], ['i32']], ['deep', [['i32', 30]], ['i32']]]);
  script.raw(`(assert_return (invoke "vectors" (i32.const 5)) (i32.const ${2 * 5 * total}))`);
}
script.write();
