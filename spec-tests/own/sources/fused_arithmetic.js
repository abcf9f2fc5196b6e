// Pairs of arithmetic operations in every operand form: what an interpreter fuses into one
// operation, with the results used again, overwritten, and live across a loop.
'use strict';
const {Script, randomStream} = require('./script_writer.js');

const script = new Script('fused_arithmetic', [
  'Pairs of operations with local, constant and temporary operands; each function runs all forms',
  'in a loop of three rounds, and `hash` covers every result. Expectations: V8.',
]);
const random = randomStream(1);

const intFirst = ['add', 'sub', 'mul', 'and', 'shl', 'shr_s', 'shr_u', 'rotl'];
const intSecond = ['add', 'sub', 'xor', 'and', 'or', 'mul', 'shl'];
const shifts = new Set(['shl', 'shr_s', 'shr_u', 'rotl', 'rotr']);
const floatOps = ['add', 'sub', 'mul', 'div', 'min', 'max'];

// Results go to memory, one after another from $p on; the exported `hash` tells what they were.
let offset = 0;
const keepers = {
  i32: (e) => `(i32.store offset=${offset += 4} (local.get $p) ${e})`,
  i64: (e) => `(i64.store offset=${offset += 8} (local.get $p) ${e})`,
  f32: (e) => `(i32.store offset=${offset += 4} (local.get $p) (call $bits ${e}))`,
  f64: (e) => `(i64.store offset=${offset += 8} (local.get $p) (call $bits ${e}))`,
};
const hash = `  (memory 1)
  (func (export "hash") (result i64)
    (local $p i32) (local $h i64)
    (loop $l
      (local.set $h (i64.add (i64.mul (local.get $h) (i64.const 0x100000001b3)) (i64.load (local.get $p))))
      (br_if $l (i32.lt_u (local.tee $p (i32.add (local.get $p) (i32.const 8))) (i32.const 1024))))
    (local.get $h))`;

function pairFunction(type, first, second, c) {
  const mix = keepers[type];
  offset = 0;
  const a = '(local.get $a)', b = '(local.get $b)', x = '(local.get $x)', y = '(local.get $y)';
  const op1 = (p, q) => `(${type}.${first} ${p} ${q})`;
  const op2 = (p, q) => `(${type}.${second} ${p} ${q})`;
  const step = type[0] === 'i' ?
      `(local.set $a (${type}.add (${type}.mul ${a} (${type}.const 1664525)) (${type}.const 1013904223)))` :
      `(local.set $a (${type}.add (${type}.mul ${a} (${type}.const -1.5)) (${type}.const 0.125)))`;
  return `  (func (export "${type}_${first}_${second}") (param $a ${type}) (param $b ${type})
    (local $x ${type}) (local $y ${type}) (local $p i32) (local $n i32)
    (loop $l
      ${mix(op2(op1(a, c), b))}
      ${mix(op2(b, op1(a, c)))}
      ${mix(op2(op1(c, a), b))}
      ${mix(op2(op1(a, b), a))}
      ${mix(op2(a, op1(a, b)))}
      ${mix(op2(op1(a, b), c))}
      ${mix(op2(c, op1(b, a)))}
      (local.set $x ${op1(a, c)}) (local.set $x ${op2(x, b)}) ${mix(x)}
      (local.set $x ${op1(a, b)}) (local.set $y ${op2(x, x)}) ${mix(op2(y, x))}
      ${mix(op2(`(local.tee $x ${op1(a, b)})`, x))}
      ${mix(op2(x, `(local.tee $x ${op1(x, c)})`))}
      ${mix(op2(op1(a, b), op1(b, a)))}
      ${mix(op2(op1(a, c), op1(b, c)))}
      (local.set $b ${op2(op1(b, c), a)}) ${mix('(local.get $b)')}
      (local.set $a ${op2(op1(b, a), op1(a, x))}) ${mix(a)}
      ${step}
      (local.set $p (i32.add (local.get $p) (i32.const 192)))
      (br_if $l (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 3)))))`;
}

const intValues = {
  i32: [0, 1, -1, 31, 0x7FFFFFFF, -0x80000000, 0x12345678],
  i64: [0n, 1n, -1n, 63n, 0x7FFFFFFFFFFFFFFFn, -0x8000000000000000n, 0x123456789ABCDEFn],
};
const floatValues = [0, -0, 1.5, -2.25, 1e30, Infinity, 0.1];
const pick = (list) => list[random() % list.length];

for (const type of ['i32', 'i64']) {
  const functions = [];
  const calls = [];
  for (const first of intFirst) {
    for (const second of intSecond) {
      const amount = random() % (type === 'i32' ? 32 : 64);
      // A constant that makes sense for a shift and for a sum alike, now and then a large one.
      const value = shifts.has(first) || random() % 2 ? amount : random();
      functions.push(pairFunction(type, first, second, `(${type}.const ${value})`));
      for (let i = 0; i < 2; ++i) {
        const word = () => random() % 3 === 0 ? pick(intValues[type]) :
            type === 'i32' ? random() | 0 : (BigInt(random()) << 32n) | BigInt(random());
        calls.push([`${type}_${first}_${second}`, [[type, word()], [type, word()]], []],
            ['hash', [], ['i64']]);
      }
    }
  }
  script.comment(`${type} pairs`);
  script.module(`(module\n${hash}\n${functions.join('\n')}\n)`, calls);
}
for (const type of ['f32', 'f64']) {
  const functions = [];
  const calls = [];
  for (const first of floatOps) {
    for (const second of floatOps) {
      functions.push(pairFunction(type, first, second, `(${type}.const ${pick(['0.5', '-3', '1e-3'])})`));
      for (let i = 0; i < 2; ++i) {
        calls.push([`${type}_${first}_${second}`,
            [[type, pick(floatValues)], [type, pick(floatValues)]], []], ['hash', [], ['i64']]);
      }
    }
  }
  const int = type === 'f32' ? 'i32' : 'i64';
  script.comment(`${type} pairs`);
  script.module(`(module
${hash}
  ;; NaN bits are another script's business.
  (func $bits (param ${type}) (result ${int})
    (select (${int}.reinterpret_${type} (local.get 0)) (${int}.const 0x7fc0)
      (${type}.eq (local.get 0) (local.get 0))))
${functions.join('\n')}
)`, calls);
}
script.write();
