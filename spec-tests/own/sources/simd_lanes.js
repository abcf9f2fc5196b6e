// Vector operations on edge values in every lane, against a scalar model that is written here.
'use strict';
const {Script} = require('./script_writer.js');

const script = new Script('simd_lanes', [
  'Every pair of edge values in the lanes of every integer operation; shifts by more than the lane;',
  'narrowing, widening, products, shuffles; float lanes at signed zeros, ties and bounds.',
  'Expectations: a scalar model over single lanes.',
]);

const mask = (value, width) => BigInt.asUintN(width, value);
const signed = (value, width) => BigInt.asIntN(width, value);
const shapeName = (width) => `i${width}x${128 / width}`;
const vector = (width, lanes) => `(v128.const ${shapeName(width)} ${lanes.map((v) => mask(v, width)).join(' ')})`;
const edges = (width) => {
  const top = 1n << BigInt(width - 1);
  return [0n, 1n, mask(-1n, width), top, top - 1n, top + 1n, 2n, mask(-2n, width)];
};
// All pairs of edges, packed into vectors of operands.
function pairs(width) {
  const count = 128 / width;
  const list = edges(width).flatMap((a) => edges(width).map((b) => [a, b]));
  const result = [];
  for (let i = 0; i < list.length; i += count) {
    result.push([list.slice(i, i + count).map(([a]) => a), list.slice(i, i + count).map(([, b]) => b)]);
  }
  return result;
}
const clampSigned = (value, width) => {
  const top = 1n << BigInt(width - 1);
  return value >= top ? top - 1n : value < -top ? -top : value;
};
const clampUnsigned = (value, width) => value < 0n ? 0n : value >> BigInt(width) ? (1n << BigInt(width)) - 1n : value;

const functions = [];
const asserts = [];
const define = (name, parameters, result, body) => functions.push(
    `  (func (export "${name}")${parameters.map((t) => ` (param ${t})`).join('')} (result ${result}) ${body})`);
const expect = (name, args, result) => asserts.push(`(assert_return (invoke "${name}" ${args.join(' ')}) ${result})`);

function flush(title) {
  script.comment(title);
  script.raw(`(module\n  (memory 1)\n${functions.join('\n')}\n)`);
  script.raw(asserts.join('\n'));
  functions.length = asserts.length = 0;
}

// --- Lane by lane ----------------------------------------------------------------------------------

const yes = (condition, w) => condition ? mask(-1n, w) : 0n;
const s = signed;
const binary = {
  add: {widths: [8, 16, 32, 64], model: (a, b) => a + b},
  sub: {widths: [8, 16, 32, 64], model: (a, b) => a - b},
  mul: {widths: [16, 32, 64], model: (a, b) => a * b},
  add_sat_s: {widths: [8, 16], model: (a, b, w) => clampSigned(s(a, w) + s(b, w), w)},
  add_sat_u: {widths: [8, 16], model: (a, b, w) => clampUnsigned(a + b, w)},
  sub_sat_s: {widths: [8, 16], model: (a, b, w) => clampSigned(s(a, w) - s(b, w), w)},
  sub_sat_u: {widths: [8, 16], model: (a, b, w) => clampUnsigned(a - b, w)},
  min_s: {widths: [8, 16, 32], model: (a, b, w) => s(a, w) < s(b, w) ? a : b},
  min_u: {widths: [8, 16, 32], model: (a, b) => a < b ? a : b},
  max_s: {widths: [8, 16, 32], model: (a, b, w) => s(a, w) > s(b, w) ? a : b},
  max_u: {widths: [8, 16, 32], model: (a, b) => a > b ? a : b},
  avgr_u: {widths: [8, 16], model: (a, b) => (a + b + 1n) >> 1n},
  q15mulr_sat_s: {widths: [16], model: (a, b, w) => clampSigned((s(a, w) * s(b, w) + 0x4000n) >> 15n, w)},
  eq: {widths: [8, 16, 32, 64], model: (a, b, w) => yes(a === b, w)},
  ne: {widths: [8, 16, 32, 64], model: (a, b, w) => yes(a !== b, w)},
  lt_s: {widths: [8, 16, 32, 64], model: (a, b, w) => yes(s(a, w) < s(b, w), w)},
  gt_s: {widths: [8, 16, 32, 64], model: (a, b, w) => yes(s(a, w) > s(b, w), w)},
  le_s: {widths: [8, 16, 32, 64], model: (a, b, w) => yes(s(a, w) <= s(b, w), w)},
  ge_s: {widths: [8, 16, 32, 64], model: (a, b, w) => yes(s(a, w) >= s(b, w), w)},
  lt_u: {widths: [8, 16, 32], model: (a, b, w) => yes(a < b, w)},
  gt_u: {widths: [8, 16, 32], model: (a, b, w) => yes(a > b, w)},
  le_u: {widths: [8, 16, 32], model: (a, b, w) => yes(a <= b, w)},
  ge_u: {widths: [8, 16, 32], model: (a, b, w) => yes(a >= b, w)},
};
for (const [op, {widths, model}] of Object.entries(binary)) {
  for (const width of widths) {
    const name = `${shapeName(width)}.${op}`;
    define(name, ['v128', 'v128'], 'v128', `(${name} (local.get 0) (local.get 1))`);
    for (const [a, b] of pairs(width)) {
      expect(name, [vector(width, a), vector(width, b)], vector(width, a.map((x, i) => model(x, b[i], width))));
    }
  }
}
const unary = {
  abs: {widths: [8, 16, 32, 64], model: (a, w) => s(a, w) < 0n ? -s(a, w) : a},
  neg: {widths: [8, 16, 32, 64], model: (a) => -a},
  popcnt: {widths: [8], model: (a) => BigInt(a.toString(2).replaceAll('0', '').length)},
};
for (const [op, {widths, model}] of Object.entries(unary)) {
  for (const width of widths) {
    const name = `${shapeName(width)}.${op}`;
    define(name, ['v128'], 'v128', `(${name} (local.get 0))`);
    for (const [a] of pairs(width).slice(0, 8)) {
      expect(name, [vector(width, a)], vector(width, a.map((x) => model(x, width))));
    }
  }
}
flush('integer lanes');

// --- Shifts ------------------------------------------------------------------------------------------

const shiftModels = {
  shl: (a, n) => a << n,
  shr_s: (a, n, w) => s(a, w) >> n,
  shr_u: (a, n) => a >> n,
};
for (const [op, model] of Object.entries(shiftModels)) {
  for (const width of [8, 16, 32, 64]) {
    const name = `${shapeName(width)}.${op}`;
    define(name, ['v128', 'i32'], 'v128', `(${name} (local.get 0) (local.get 1))`);
    for (const amount of [0, 1, width - 1, width, width + 1, 2 * width + 3, -1]) {
      define(`${name}_by_${amount}`, ['v128'], 'v128', `(${name} (local.get 0) (i32.const ${amount}))`);
      for (const [a] of pairs(width).slice(0, 128 / width === 2 ? 4 : 2)) {
        const n = BigInt(amount & (width - 1));
        const result = vector(width, a.map((x) => model(x, n, width)));
        expect(name, [vector(width, a), `(i32.const ${amount})`], result);
        expect(`${name}_by_${amount}`, [vector(width, a)], result);
      }
    }
  }
}
flush('shifts count modulo the lane width');

// --- Between widths ----------------------------------------------------------------------------------

for (const wide of [16, 32]) {
  const narrow = wide / 2;
  for (const sign of ['s', 'u']) {
    const name = `${shapeName(narrow)}.narrow_${shapeName(wide)}_${sign}`;
    define(name, ['v128', 'v128'], 'v128', `(${name} (local.get 0) (local.get 1))`);
    const clamp = sign === 's' ? clampSigned : clampUnsigned;
    for (const [a, b] of pairs(wide)) {
      expect(name, [vector(wide, a), vector(wide, b)],
          vector(narrow, [...a, ...b].map((x) => clamp(s(x, wide), narrow))));
    }
  }
}
for (const wide of [16, 32, 64]) {
  const narrow = wide / 2;
  const half = 64 / narrow;
  for (const sign of ['s', 'u']) {
    const value = (x) => sign === 's' ? s(x, narrow) : x;
    for (const [part, from] of [['low', 0], ['high', half]]) {
      const extend = `${shapeName(wide)}.extend_${part}_${shapeName(narrow)}_${sign}`;
      define(extend, ['v128'], 'v128', `(${extend} (local.get 0))`);
      const product = `${shapeName(wide)}.extmul_${part}_${shapeName(narrow)}_${sign}`;
      define(product, ['v128', 'v128'], 'v128', `(${product} (local.get 0) (local.get 1))`);
      for (const [a, b] of pairs(narrow)) {
        const take = (list) => list.slice(from, from + half);
        expect(extend, [vector(narrow, a)], vector(wide, take(a).map(value)));
        expect(product, [vector(narrow, a), vector(narrow, b)],
            vector(wide, take(a).map((x, i) => value(x) * value(take(b)[i]))));
      }
    }
    if (wide === 64) continue;
    const pairwise = `${shapeName(wide)}.extadd_pairwise_${shapeName(narrow)}_${sign}`;
    define(pairwise, ['v128'], 'v128', `(${pairwise} (local.get 0))`);
    for (const [a, b] of pairs(narrow)) {
      const mixed = a.map((x, i) => i % 2 ? b[i] : x);
      expect(pairwise, [vector(narrow, mixed)],
          vector(wide, Array.from({length: 128 / wide}, (_, i) => value(mixed[2 * i]) + value(mixed[2 * i + 1]))));
    }
  }
}
define('dot', ['v128', 'v128'], 'v128', '(i32x4.dot_i16x8_s (local.get 0) (local.get 1))');
for (const [a, b] of pairs(16)) {
  expect('dot', [vector(16, a), vector(16, b)], vector(32, [0, 2, 4, 6].map(
      (i) => s(a[i], 16) * s(b[i], 16) + s(a[i + 1], 16) * s(b[i + 1], 16))));
}
expect('dot', [vector(16, Array(8).fill(0x8000n)), vector(16, Array(8).fill(0x8000n))], vector(32, Array(4).fill(0x80000000n)));
flush('narrowing, widening, products');

// --- Tests, lanes, shuffles --------------------------------------------------------------------------

for (const width of [8, 16, 32, 64]) {
  const name = shapeName(width);
  const count = 128 / width;
  define(`${name}.all_true`, ['v128'], 'i32', `(${name}.all_true (local.get 0))`);
  define(`${name}.bitmask`, ['v128'], 'i32', `(${name}.bitmask (local.get 0))`);
  define(`${name}.branch`, ['v128'], 'i32', `(if (result i32) (${name}.all_true (local.get 0)) (then (i32.const 3)) (else (i32.const 4)))`);
  const type = width === 64 ? 'i64' : 'i32';
  define(`${name}.splat`, [type], 'v128', `(${name}.splat (local.get 0))`);
  expect(`${name}.splat`, [`(${type}.const -2)`], vector(width, Array(count).fill(mask(-2n, width))));
  for (let lane = 0; lane < count; ++lane) {
    const zeroAt = Array.from({length: count}, (_, i) => i === lane ? 0n : 1n << BigInt(i % width));
    const topAt = Array.from({length: count}, (_, i) => i === lane ? 1n << BigInt(width - 1) : (1n << BigInt(width - 1)) - 1n);
    expect(`${name}.all_true`, [vector(width, zeroAt)], '(i32.const 0)');
    expect(`${name}.branch`, [vector(width, zeroAt)], '(i32.const 4)');
    expect(`${name}.bitmask`, [vector(width, topAt)], `(i32.const ${1 << lane})`);
    define(`${name}.replace${lane}`, ['v128', type], 'v128', `(${name}.replace_lane ${lane} (local.get 0) (local.get 1))`);
    expect(`${name}.replace${lane}`, [vector(width, topAt), `(${type}.const 77)`],
        vector(width, topAt.map((x, i) => i === lane ? 77n : x)));
    for (const suffix of width < 32 ? ['_s', '_u'] : ['']) {
      define(`${name}.extract${suffix}${lane}`, ['v128'], type, `(${name}.extract_lane${suffix} ${lane} (local.get 0))`);
      const value = suffix === '_u' ? topAt[lane] : s(topAt[lane], width);
      expect(`${name}.extract${suffix}${lane}`, [vector(width, topAt)], `(${type}.const ${value})`);
    }
  }
  expect(`${name}.all_true`, [vector(width, Array(count).fill(1n << BigInt(width - 1)))], '(i32.const 1)');
  expect(`${name}.branch`, [vector(width, Array(count).fill(1n))], '(i32.const 3)');
  expect(`${name}.bitmask`, [vector(width, Array(count).fill(mask(-1n, width)))], `(i32.const ${2 ** count - 1})`);
}
define('any_true', ['v128'], 'i32', '(v128.any_true (local.get 0))');
for (let bit = 0; bit < 128; bit += 9) {
  expect('any_true', [vector(8, Array.from({length: 16}, (_, i) => i === bit >> 3 ? 1n << BigInt(bit & 7) : 0n))], '(i32.const 1)');
}
expect('any_true', [vector(8, Array(16).fill(0n))], '(i32.const 0)');

const bytes = (start) => Array.from({length: 16}, (_, i) => BigInt(start + i));
define('swizzle', ['v128', 'v128'], 'v128', '(i8x16.swizzle (local.get 0) (local.get 1))');
for (const indices of [bytes(0), bytes(0).reverse(), bytes(8), bytes(120), bytes(240), Array(16).fill(15n), Array(16).fill(16n),
  Array.from({length: 16}, (_, i) => BigInt((i * 37) & 255))]) {
  expect('swizzle', [vector(8, bytes(100)), vector(8, indices)], vector(8, indices.map((i) => i < 16n ? 100n + i : 0n)));
}
const shuffles = [bytes(0), bytes(16), bytes(8), bytes(0).reverse(), Array(16).fill(31n), Array(16).fill(0n),
  Array.from({length: 16}, (_, i) => BigInt((i * 11) & 31)), Array.from({length: 16}, (_, i) => BigInt(i % 2 ? 16 + i : i)),
  [0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23].map(BigInt), [4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11].map(BigInt)];
shuffles.forEach((lanes, k) => {
  const source = [...bytes(100), ...bytes(200)];
  define(`shuffle${k}`, ['v128', 'v128'], 'v128', `(i8x16.shuffle ${lanes.join(' ')} (local.get 0) (local.get 1))`);
  expect(`shuffle${k}`, [vector(8, bytes(100)), vector(8, bytes(200))], vector(8, lanes.map((i) => source[Number(i)])));
  define(`shuffle_same${k}`, ['v128'], 'v128', `(i8x16.shuffle ${lanes.join(' ')} (local.get 0) (local.get 0))`);
  expect(`shuffle_same${k}`, [vector(8, bytes(100))], vector(8, lanes.map((i) => 100n + i % 16n)));
});
flush('tests, lanes, shuffles');

// --- Float lanes -------------------------------------------------------------------------------------

const bitsOf = (value, width) => {
  const view = new DataView(new ArrayBuffer(8));
  if (width === 32) view.setFloat32(0, value);
  else view.setFloat64(0, value);
  return width === 32 ? BigInt(view.getUint32(0)) : view.getBigUint64(0);
};
const nearest = (x) => {
  if (!Number.isFinite(x) || Math.abs(x) >= 2 ** 52) return x;
  const floor = Math.floor(x);
  const rest = x - floor;
  const rounded = rest < 0.5 ? floor : rest > 0.5 ? floor + 1 : floor % 2 === 0 ? floor : floor + 1;
  return rounded === 0 ? (Object.is(x, -0) || x < 0 ? -0 : 0) : rounded;
};
const floatModels = {
  add: (a, b) => a + b, sub: (a, b) => a - b, mul: (a, b) => a * b, div: (a, b) => a / b,
  min: (a, b) => Math.min(a, b), max: (a, b) => Math.max(a, b),
  pmin: (a, b) => b < a ? b : a, pmax: (a, b) => a < b ? b : a,
};
const floatUnary = {
  abs: Math.abs, neg: (x) => -x, sqrt: (x) => Math.sqrt(x), ceil: (x) => Math.ceil(x), floor: (x) => Math.floor(x),
  trunc: (x) => Math.trunc(x), nearest,
};
const floatEdges = [0, -0, 1, -1.5, 0.5, 2.5, -3.5, Infinity, -Infinity, 1e-40, 16777217, -0.4];
for (const width of [32, 64]) {
  const count = 128 / width;
  const shape = `f${width}x${count}`;
  const values = floatEdges.map((x) => width === 32 ? Math.fround(x) : x);
  const bits = (list) => vector(width, list.map((x) => bitsOf(x, width)));
  for (const [op, model] of Object.entries(floatModels)) {
    define(`${shape}.${op}`, ['v128', 'v128'], 'v128', `(${shape}.${op} (local.get 0) (local.get 1))`);
    const list = values.flatMap((a) => values.map((b) => [a, b])).filter(([a, b]) => !Number.isNaN(model(a, b)));
    for (let i = 0; i + count <= list.length; i += count) {
      const part = list.slice(i, i + count);
      expect(`${shape}.${op}`, [bits(part.map(([a]) => a)), bits(part.map(([, b]) => b))], bits(part.map(([a, b]) => model(a, b))));
    }
  }
  for (const [op, model] of Object.entries(floatUnary)) {
    define(`${shape}.${op}`, ['v128'], 'v128', `(${shape}.${op} (local.get 0))`);
    const list = values.filter((x) => !Number.isNaN(model(x)));
    for (let i = 0; i + count <= list.length; i += count) {
      const part = list.slice(i, i + count);
      expect(`${shape}.${op}`, [bits(part)], bits(part.map(model)));
    }
  }
}
const saturate = (x, sign) => {
  if (Number.isNaN(x)) return 0n;
  const [low, high] = sign === 's' ? [-(2 ** 31), 2 ** 31 - 1] : [0, 2 ** 32 - 1];
  return BigInt(Math.trunc(x <= low ? low : x >= high ? high : x));
};
const bounds = [NaN, 0, -0, -0.9, 0.9, 1, -1, 2147483647, 2147483648, -2147483648, -2147483649, 4294967295, 4294967296, 1e30, -1e30,
  Infinity, -Infinity, 2147483520, -2147483904, 4294967040];
for (const sign of ['s', 'u']) {
  const single = `i32x4.trunc_sat_f32x4_${sign}`;
  const double = `i32x4.trunc_sat_f64x2_${sign}_zero`;
  define(single, ['v128'], 'v128', `(${single} (local.get 0))`);
  define(double, ['v128'], 'v128', `(${double} (local.get 0))`);
  for (let i = 0; i + 4 <= bounds.length; i += 2) {
    const four = bounds.slice(i, i + 4).map(Math.fround);
    expect(single, [vector(32, four.map((x) => bitsOf(x, 32)))], vector(32, four.map((x) => saturate(x, sign))));
    const two = bounds.slice(i, i + 2);
    expect(double, [vector(64, two.map((x) => bitsOf(x, 64)))], vector(32, [...two.map((x) => saturate(x, sign)), 0n, 0n]));
  }
  const toSingle = `f32x4.convert_i32x4_${sign}`;
  const toDouble = `f64x2.convert_low_i32x4_${sign}`;
  define(toSingle, ['v128'], 'v128', `(${toSingle} (local.get 0))`);
  define(toDouble, ['v128'], 'v128', `(${toDouble} (local.get 0))`);
  const ints = [0n, 1n, 0xFFFFFFFFn, 0x80000000n, 0x7FFFFFFFn, 16777217n, 0x80000001n, 0xFFFFFF7Fn];
  for (let i = 0; i < ints.length; i += 4) {
    const four = ints.slice(i, i + 4);
    const value = (x) => Number(sign === 's' ? s(x, 32) : x);
    expect(toSingle, [vector(32, four)], vector(32, four.map((x) => bitsOf(value(x), 32))));
    expect(toDouble, [vector(32, four)], vector(64, four.slice(0, 2).map((x) => bitsOf(value(x), 64))));
  }
}
flush('float lanes');

// --- Memory ------------------------------------------------------------------------------------------

{
  const data = Array.from({length: 16}, (_, i) => BigInt((i * 29 + 0x81) & 255));
  const at = (i, width) => data.slice(i, i + width / 8).reduceRight((sum, byte) => (sum << 8n) | byte, 0n);
  script.comment('vector loads and stores of parts');
  for (const [load, from, to] of [['8x8', 8, 16], ['16x4', 16, 32], ['32x2', 32, 64]]) {
    for (const sign of ['s', 'u']) {
      define(`load${load}_${sign}`, ['i32'], 'v128', `(v128.load${load}_${sign} (local.get 0))`);
      for (const start of [0, 3]) {
        expect(`load${load}_${sign}`, [`(i32.const ${start})`], vector(to, Array.from({length: 64 / from}, (_, i) => {
          const value = at(start + i * from / 8, from);
          return sign === 's' ? s(value, from) : value;
        })));
      }
    }
  }
  for (const width of [8, 16, 32, 64]) {
    const count = 128 / width;
    define(`splat${width}`, ['i32'], 'v128', `(v128.load${width}_splat (local.get 0))`);
    expect(`splat${width}`, ['(i32.const 5)'], vector(width, Array(count).fill(at(5, width))));
    if (width >= 32) {
      define(`zero${width}`, ['i32'], 'v128', `(v128.load${width}_zero (local.get 0))`);
      expect(`zero${width}`, ['(i32.const 5)'], vector(width, [at(5, width), ...Array(count - 1).fill(0n)]));
    }
    for (let lane = 0; lane < count; ++lane) {
      define(`load${width}_lane${lane}`, ['i32', 'v128'], 'v128', `(v128.load${width}_lane ${lane} (local.get 0) (local.get 1))`);
      const other = Array.from({length: count}, (_, i) => BigInt(i + 1));
      expect(`load${width}_lane${lane}`, ['(i32.const 2)', vector(width, other)],
          vector(width, other.map((x, i) => i === lane ? at(2, width) : x)));
      define(`store${width}_lane${lane}`, ['i32', 'v128'], 'v128',
          `(v128.store (i32.const 64) (v128.const i64x2 0 0)) (v128.store${width}_lane offset=60 ${lane} (local.get 0) (local.get 1)) (v128.load (i32.const 64))`);
      expect(`store${width}_lane${lane}`, ['(i32.const 4)', vector(width, other)],
          vector(width, [other[lane], ...Array(count - 1).fill(0n)]));
    }
    const last = 65536 - width / 8;
    define(`edge${width}`, ['i32'], 'i64', `(i64x2.extract_lane 0 (v128.load${width}_splat (local.get 0)))`);
    expect(`edge${width}`, [`(i32.const ${last})`], '(i64.const 0)');
    asserts.push(`(assert_trap (invoke "edge${width}" (i32.const ${last + 1})) "out of bounds memory access")`);
    asserts.push(`(assert_trap (invoke "load${width}_lane0" (i32.const ${last + 1}) (v128.const i64x2 0 0)) "out of bounds memory access")`);
    asserts.push(`(assert_trap (invoke "store${width}_lane0" (i32.const ${last + 1 - 60}) (v128.const i64x2 0 0)) "out of bounds memory access")`);
  }
  asserts.push('(assert_trap (invoke "load8x8_s" (i32.const 65529)) "out of bounds memory access")');
  functions.push(`  (data (i32.const 0) "${data.map((b) => '\\' + b.toString(16).padStart(2, '0')).join('')}")`);
  flush('memory');
}
script.write();
