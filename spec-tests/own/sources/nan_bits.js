// Deterministic NaN bits: every arithmetic float operation that produces a NaN produces exactly the
// positive canonical one, whatever the operands' signs and payloads; moves and sign operations keep
// bits. The expectations are this rule, not another engine's answer.
'use strict';
const {Script} = require('./script_writer.js');

const script = new Script('nan_bits', [
  'Every NaN that an arithmetic instruction produces is the positive canonical NaN; abs, neg,',
  'copysign, reinterpret, loads, stores and moves keep the bits (the deterministic profile).',
]);

const types = {
  f32: {
    int: 'i32', bits: 32, lanes: 'f32x4', count: 4,
    canonical: 0x7FC00000n, sign: 0x80000000n, one: 0x3F800000n, infinity: 0x7F800000n,
    nans: [0x7FC00000n, 0xFFC00000n, 0x7FA00000n, 0xFFA12345n, 0x7F800001n, 0xFFFFFFFFn],
  },
  f64: {
    int: 'i64', bits: 64, lanes: 'f64x2', count: 2,
    canonical: 0x7FF8000000000000n, sign: 0x8000000000000000n, one: 0x3FF0000000000000n,
    infinity: 0x7FF0000000000000n,
    nans: [0x7FF8000000000000n, 0xFFF8000000000000n, 0x7FF4000000000000n, 0xFFF4000000012345n,
           0x7FF0000000000001n, 0xFFFFFFFFFFFFFFFFn],
  },
};
const binary = ['add', 'sub', 'mul', 'div', 'min', 'max'];
const unary = ['sqrt', 'ceil', 'floor', 'trunc', 'nearest'];
const hex = (value) => '0x' + value.toString(16);

for (const [type, t] of Object.entries(types)) {
  const {int} = t;
  const fromBits = `${type}.reinterpret_${int}`;
  const toBits = `${int}.reinterpret_${type}`;
  const wat = ['(module', '  (memory 1)'];
  const asserts = [];
  const expect = (name, args, result) => asserts.push(
      `(assert_return (invoke "${name}"${args.map((a) => ` (${int}.const ${hex(a)})`).join('')}) (${
          int}.const ${hex(result)}))`);

  // Scalar arithmetic: the operand as a parameter, as a stored local, and in the middle of a chain
  // whose operations an interpreter may fuse.
  for (const op of binary) {
    wat.push(`  (func (export "${op}") (param ${int} ${int}) (result ${int})
    (${toBits} (${type}.${op} (${fromBits} (local.get 0)) (${fromBits} (local.get 1)))))`);
    wat.push(`  (func (export "${op}_local") (param ${int} ${int}) (result ${int})
    (local ${type} ${type})
    (local.set 2 (${fromBits} (local.get 0)))
    (local.set 3 (${fromBits} (local.get 1)))
    (local.set 3 (${type}.${op} (local.get 2) (local.get 3)))
    (${toBits} (local.get 3)))`);
    wat.push(`  (func (export "${op}_memory") (param ${int} ${int}) (result ${int})
    (${int}.store (i32.const 8) (local.get 0))
    (${int}.store (i32.const 16) (local.get 1))
    (${type}.store (i32.const 24) (${type}.${op} (${type}.load (i32.const 8)) (${
        type}.load (i32.const 16))))
    (${int}.load (i32.const 24)))`);
    for (const nan of t.nans) {
      for (const form of ['', '_local', '_memory']) {
        expect(op + form, [nan, t.one], t.canonical);
        expect(op + form, [t.one, nan], t.canonical);
        expect(op + form, [nan, nan ^ t.sign], t.canonical);
      }
    }
  }
  const inf = t.infinity, negInf = inf | t.sign;
  expect('add', [inf, negInf], t.canonical);
  expect('sub', [inf, inf], t.canonical);
  expect('mul', [inf, 0n], t.canonical);
  expect('mul', [t.sign, negInf], t.canonical);
  expect('div', [0n, 0n], t.canonical);
  expect('div', [negInf, inf], t.canonical);

  const chains = ['add', 'sub', 'mul'];
  for (const first of chains) {
    for (const second of chains) {
      const name = `${first}_${second}`;
      wat.push(`  (func (export "${name}") (param ${int} ${int}) (result ${int})
    (local ${type} ${type})
    (local.set 2 (${fromBits} (local.get 0)))
    (local.set 3 (${fromBits} (local.get 1)))
    (${toBits} (${type}.${second} (${type}.${first} (local.get 2) (local.get 3)) (local.get 3))))`);
      wat.push(`  (func (export "${name}_right") (param ${int} ${int}) (result ${int})
    (local ${type} ${type})
    (local.set 2 (${fromBits} (local.get 0)))
    (local.set 3 (${fromBits} (local.get 1)))
    (local.set 2 (${type}.${second} (local.get 3) (${type}.${first} (local.get 2) (local.get 3))))
    (${toBits} (local.get 2)))`);
      for (const nan of t.nans) {
        expect(name, [nan, t.one], t.canonical);
        expect(name + '_right', [nan, t.one], t.canonical);
        expect(name, [t.one, nan], t.canonical);
        expect(name + '_right', [t.one, nan], t.canonical);
      }
    }
  }

  for (const op of unary) {
    wat.push(`  (func (export "${op}") (param ${int}) (result ${int})
    (${toBits} (${type}.${op} (${fromBits} (local.get 0)))))`);
    for (const nan of t.nans) expect(op, [nan], t.canonical);
  }
  expect('sqrt', [t.one | t.sign], t.canonical);
  expect('sqrt', [negInf], t.canonical);

  // Operations that are defined on bits.
  wat.push(`  (func (export "abs") (param ${int}) (result ${int})
    (${toBits} (${type}.abs (${fromBits} (local.get 0)))))
  (func (export "neg") (param ${int}) (result ${int})
    (${toBits} (${type}.neg (${fromBits} (local.get 0)))))
  (func (export "copysign") (param ${int} ${int}) (result ${int})
    (${toBits} (${type}.copysign (${fromBits} (local.get 0)) (${fromBits} (local.get 1)))))
  (func (export "store_load") (param ${int}) (result ${int})
    (${type}.store (i32.const 40) (${fromBits} (local.get 0)))
    (${type}.store (i32.const 48) (${type}.load (i32.const 40)))
    (${int}.load (i32.const 48)))
  (global $g (mut ${type}) (${type}.const 0))
  (func $identity (param ${type}) (result ${type}) (local.get 0))
  (func (export "moves") (param ${int}) (result ${int})
    (local ${type} ${type})
    (local.set 1 (${fromBits} (local.get 0)))
    (local.set 2 (call $identity (local.get 1)))
    (global.set $g (local.get 2))
    (local.set 1 (global.get $g))
    (${toBits} (select (block (result ${type}) (local.get 1)) (${type}.const 1)
      (i32.const 1))))`);
  for (const nan of t.nans) {
    expect('abs', [nan], nan & ~t.sign);
    expect('neg', [nan], nan ^ t.sign);
    expect('copysign', [nan, t.one], nan & ~t.sign);
    expect('copysign', [nan, t.one | t.sign], nan | t.sign);
    expect('copysign', [t.one, nan], (nan & t.sign) | t.one);
    expect('store_load', [nan], nan);
    expect('moves', [nan], nan);
  }
  wat.push(')');
  script.comment(`${type}, scalar`);
  script.raw(wat.join('\n'));
  script.raw(asserts.join('\n'));
}

// Width conversions.
{
  const wat = `(module
  (func (export "demote") (param i64) (result i32)
    (i32.reinterpret_f32 (f32.demote_f64 (f64.reinterpret_i64 (local.get 0)))))
  (func (export "promote") (param i32) (result i64)
    (i64.reinterpret_f64 (f64.promote_f32 (f32.reinterpret_i32 (local.get 0)))))
)`;
  const asserts = [];
  for (const nan of types.f64.nans) {
    asserts.push(`(assert_return (invoke "demote" (i64.const ${hex(nan)})) (i32.const 0x7fc00000))`);
  }
  for (const nan of types.f32.nans) {
    asserts.push(`(assert_return (invoke "promote" (i32.const ${
        hex(nan)})) (i64.const 0x7ff8000000000000))`);
  }
  script.comment('promotion and demotion');
  script.raw(wat);
  script.raw(asserts.join('\n'));
}

// Vectors: lanes with NaNs become canonical, their neighbours stay exact.
const laneText = (t, values) => `(v128.const i${t.bits}x${t.count} ${values.map(hex).join(' ')})`;
for (const t of Object.values(types)) {
  const {lanes} = t;
  const wat = ['(module'];
  const asserts = [];
  const expect = (name, args, result) => asserts.push(`(assert_return (invoke "${name}" ${
      args.map((a) => laneText(t, a)).join(' ')}) ${laneText(t, result)})`);
  const spread = (i, value, other) =>
      Array.from({length: t.count}, (_, lane) => lane === i % t.count ? value : other);
  for (const op of binary) {
    wat.push(`  (func (export "${op}") (param v128 v128) (result v128)
    (${lanes}.${op} (local.get 0) (local.get 1)))`);
    // one op one: add 2, sub 0, the rest 1
    const two = t.bits === 32 ? 0x40000000n : 0x4000000000000000n;
    const plain = op === 'add' ? two : op === 'sub' ? 0n : t.one;
    t.nans.forEach((nan, i) => {
      expect(op, [spread(i, nan, t.one), spread(i, t.one, t.one)], spread(i, t.canonical, plain));
      expect(op, [spread(i, t.one, t.one), spread(i, nan, t.one)], spread(i, t.canonical, plain));
      expect(op, [spread(i, nan, t.one), spread(i, nan ^ t.sign, t.one)],
          spread(i, t.canonical, plain));
    });
  }
  for (const op of unary) {
    wat.push(`  (func (export "${op}") (param v128) (result v128)
    (${lanes}.${op} (local.get 0)))`);
    t.nans.forEach((nan, i) =>
        expect(op, [spread(i, nan, t.one)], spread(i, t.canonical, t.one)));
  }
  for (const op of ['abs', 'neg']) {
    wat.push(`  (func (export "${op}") (param v128) (result v128)
    (${lanes}.${op} (local.get 0)))`);
    t.nans.forEach((nan, i) => {
      const keep = op === 'abs' ? (v) => v & ~t.sign : (v) => v ^ t.sign;
      expect(op, [spread(i, nan, t.one)], spread(i, keep(nan), keep(t.one)));
    });
  }
  // pmin and pmax are selections by a comparison, so they hand bits through.
  wat.push(`  (func (export "pmin") (param v128 v128) (result v128)
    (${lanes}.pmin (local.get 0) (local.get 1)))
  (func (export "pmax") (param v128 v128) (result v128)
    (${lanes}.pmax (local.get 0) (local.get 1)))`);
  t.nans.forEach((nan, i) => {
    for (const op of ['pmin', 'pmax']) {
      expect(op, [spread(i, nan, t.one), spread(i, t.one, t.one)], spread(i, nan, t.one));
      expect(op, [spread(i, t.one, t.one), spread(i, nan, t.one)], spread(i, t.one, t.one));
    }
  });
  wat.push(')');
  script.comment(`${lanes}`);
  script.raw(wat.join('\n'));
  script.raw(asserts.join('\n'));
}
{
  const asserts = [];
  types.f64.nans.forEach((nan) => asserts.push(`(assert_return (invoke "demote" (v128.const i64x2 ${
      hex(nan)} 0x3ff0000000000000)) (v128.const i32x4 0x7fc00000 0x3f800000 0 0))`));
  types.f32.nans.forEach((nan) => asserts.push(`(assert_return (invoke "promote" (v128.const i32x4 ${
      hex(nan)} 0x3f800000 ${hex(nan)} 0)) (v128.const i64x2 0x7ff8000000000000 0x3ff0000000000000))`));
  types.f32.nans.forEach((nan) => asserts.push(`(assert_return (invoke "lanes" (i32.const ${
      hex(nan)})) (i32.const ${hex(nan)}))`));
  script.comment('vector promotion, demotion, and lanes moved in and out');
  script.raw(`(module
  (func (export "demote") (param v128) (result v128)
    (f32x4.demote_f64x2_zero (local.get 0)))
  (func (export "promote") (param v128) (result v128)
    (f64x2.promote_low_f32x4 (local.get 0)))
  (func (export "lanes") (param i32) (result i32)
    (i32.reinterpret_f32
      (f32x4.extract_lane 3
        (f32x4.replace_lane 3 (f32x4.splat (f32.const 1))
          (f32x4.extract_lane 1 (f32x4.splat (f32.reinterpret_i32 (local.get 0))))))))
)`);
  script.raw(asserts.join('\n'));
}
script.write();
