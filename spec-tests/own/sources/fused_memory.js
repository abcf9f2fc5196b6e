// Memory access in every address form that an interpreter folds into the access, at every edge of
// the memory; load-operate-store on one address; growth between accesses.
'use strict';
const {Script} = require('./script_writer.js');

const script = new Script('fused_memory', [
  'Loads and stores of every width with base, base + constant, base + index, base + (index << s)',
  'and ((index & mask) << s) + table addresses: sums wrap at 2^32 inside i32.add but not when the',
  'static offset is added. Read-modify-write, aliasing, and growth. Expectations: V8.',
]);

// name, width in bytes, type
const loads = [
  ['i32.load8_s', 1, 'i32'], ['i32.load8_u', 1, 'i32'], ['i32.load16_s', 2, 'i32'],
  ['i32.load16_u', 2, 'i32'], ['i32.load', 4, 'i32'], ['i64.load8_s', 1, 'i64'],
  ['i64.load8_u', 1, 'i64'], ['i64.load16_s', 2, 'i64'], ['i64.load16_u', 2, 'i64'],
  ['i64.load32_s', 4, 'i64'], ['i64.load32_u', 4, 'i64'], ['i64.load', 8, 'i64'],
  ['f32.load', 4, 'f32'], ['f64.load', 8, 'f64'], ['v128.load', 16, 'v128'],
];
const stores = [
  ['i32.store8', 1, 'i32'], ['i32.store16', 2, 'i32'], ['i32.store', 4, 'i32'],
  ['i64.store8', 1, 'i64'], ['i64.store16', 2, 'i64'], ['i64.store32', 4, 'i64'],
  ['i64.store', 8, 'i64'], ['f32.store', 4, 'f32'], ['f64.store', 8, 'f64'],
  ['v128.store', 16, 'v128'],
];
// Any value as an i64 with all its bits in it.
const asInt64 = {
  i32: (e) => `(i64.extend_i32_u ${e})`,
  i64: (e) => e,
  f32: (e) => `(i64.extend_i32_u (i32.reinterpret_f32 ${e}))`,
  f64: (e) => `(i64.reinterpret_f64 ${e})`,
  v128: (e) => `(call $fold ${e})`,
};
const fromInt64 = {
  i32: (e) => `(i32.wrap_i64 ${e})`,
  i64: (e) => e,
  f32: (e) => `(f32.reinterpret_i32 (i32.wrap_i64 ${e}))`,
  f64: (e) => `(f64.reinterpret_i64 ${e})`,
  v128: (e) => `(i64x2.splat ${e})`,
};
const b = '(local.get $b)', i = '(local.get $i)';
const c = (n) => `(i32.const ${n})`;
// form name -> [static offset, address]
const addressForms = {
  base: [0, b],
  base_offset: [24, b],
  base_plus: [0, `(i32.add ${b} ${c(40)})`],
  base_minus: [8, `(i32.add ${b} ${c(-8)})`],
  plus_base: [16, `(i32.add ${c(0x100)} ${b})`],
  index: [0, `(i32.add ${b} ${i})`],
  index_offset: [32, `(i32.add ${i} ${b})`],
  shift1: [0, `(i32.add ${b} (i32.shl ${i} ${c(1)}))`],
  shift2: [4, `(i32.add ${b} (i32.shl ${i} ${c(2)}))`],
  shift3: [0, `(i32.add (i32.shl ${i} ${c(3)}) ${b})`],
  shift35: [0, `(i32.add (i32.shl ${i} ${c(35)}) ${b})`],
  times4: [0, `(i32.add ${b} (i32.mul ${i} ${c(4)}))`],
  table: [0, `(i32.add (i32.shl (i32.and ${i} ${c(255)}) ${c(2)}) ${c(1024)})`],
  masked: [2, `(i32.and ${i} ${c(0xFFF)})`],
  shifted_only: [1024, `(i32.shl ${i} ${c(3)})`],
  tee: [0, `(local.tee $b (i32.add ${b} ${i}))`],
  sub: [0, `(i32.sub ${b} ${i})`],
  or: [0, `(i32.or ${b} ${i})`],
};
const prelude = `  (memory 1 1)
  (func $fold (param v128) (result i64)
    (i64.xor (i64x2.extract_lane 0 (local.get 0))
      (i64.rotl (i64x2.extract_lane 1 (local.get 0)) (i64.const 17))))
  (func $fill (export "fill")
    (local $p i32) (local $v i64)
    (local.set $v (i64.const 0x0123456789abcdef))
    (loop $l
      (i64.store (local.get $p) (local.get $v))
      (local.set $v (i64.add (i64.mul (local.get $v) (i64.const 6364136223846793005))
        (i64.const 1442695040888963407)))
      (br_if $l (i32.lt_u (local.tee $p (i32.add (local.get $p) (i32.const 8))) (i32.const 65536)))))
  (func (export "hash") (result i64)
    (local $p i32) (local $h i64)
    (loop $l
      (local.set $h (i64.add (i64.mul (local.get $h) (i64.const 0x100000001b3)) (i64.load (local.get $p))))
      (br_if $l (i32.lt_u (local.tee $p (i32.add (local.get $p) (i32.const 8))) (i32.const 65536))))
    (local.get $h))
  (start $fill)`;

// Interesting (base, index) pairs: plain, at the end of memory, beyond, and wrapping.
const places = [[64, 3], [65520, 2], [65532, 5], [0xFFFFFFF0, 0x28], [0xFFFFFFFF, 1], [8, 0x80000001]];

{
  const functions = [];
  const calls = [];
  for (const [load, , type] of loads) {
    for (const [form, [offset, address]] of Object.entries(addressForms)) {
      const name = `${load}_${form}`;
      functions.push(`  (func (export "${name}") (param $b i32) (param $i i32) (result i64)
    ${asInt64[type](`(${load}${offset ? ` offset=${offset}` : ''} ${address})`)})`);
      for (const [base, index] of places.slice(0, form.startsWith('shift') ? 6 : 5)) {
        calls.push([name, [['i32', base], ['i32', index]], ['i64']]);
      }
    }
  }
  script.comment('loads by address form');
  script.module(`(module\n${prelude}\n${functions.join('\n')}\n)`, calls);
}
{
  const functions = [];
  const calls = [];
  for (const [store, , type] of stores) {
    for (const [form, [offset, address]] of Object.entries(addressForms)) {
      const name = `${store}_${form}`;
      functions.push(`  (func (export "${name}") (param $b i32) (param $i i32) (param $v i64)
    (${store}${offset ? ` offset=${offset}` : ''} ${address} ${fromInt64[type]('(local.get $v)')}))`);
      for (const [base, index] of places) {
        calls.push([name, [['i32', base], ['i32', index], ['i64', 0x8070605040302010n + BigInt(index)]], []]);
      }
    }
    calls.push(['hash', [], ['i64']]);
  }
  script.comment('stores by address form');
  script.module(`(module\n${prelude}\n${functions.join('\n')}\n)`, calls);
}

// The last address of every width, exactly, below and above, reached by base and by offset.
for (const pages of [0, 1]) {
  const size = pages * 65536;
  const functions = [];
  const calls = [];
  for (const [load, width, type] of loads) {
    const offsets = new Set([0, 1, 8, size, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]);
    for (const offset of offsets) {
      const name = `${load}_${offset}`;
      functions.push(`  (func (export "${name}") (param i32) (result i64)
    ${asInt64[type](`(${load} offset=${offset} (local.get 0))`)})`);
      for (const around of [-1, 0, 1]) {
        const base = size - width - offset + around;
        if (base >= 0) calls.push([name, [['i32', base]], ['i64']]);
      }
      for (const base of [0, 0x80000000, 0xFFFFFFFF]) calls.push([name, [['i32', base]], ['i64']]);
    }
  }
  script.comment(`the end of a memory of ${pages} pages`);
  script.module(`(module
  (memory ${pages} ${pages})
  (func $fold (param v128) (result i64)
    (i64.xor (i64x2.extract_lane 0 (local.get 0)) (i64x2.extract_lane 1 (local.get 0))))
${functions.join('\n')}
)`, calls);
}

// Load, operate, store on one address; the operand from a local, a constant, another load, or the
// same memory cell changed in between.
{
  const functions = [];
  const calls = [];
  const names = [];
  const variants = [
    ['i32', 'i32.load', 'i32.store', ['add', 'sub', 'xor', 'and', 'or', 'mul', 'shl']],
    ['i32', 'i32.load8_u', 'i32.store8', ['add', 'xor', 'or', 'sub']],
    ['i32', 'i32.load16_s', 'i32.store16', ['add', 'xor', 'mul']],
    ['i64', 'i64.load', 'i64.store', ['add', 'sub', 'xor', 'and', 'or', 'mul']],
    ['i64', 'i64.load32_s', 'i64.store32', ['add', 'xor']],
    ['f32', 'f32.load', 'f32.store', ['add', 'sub', 'mul']],
    ['f64', 'f64.load', 'f64.store', ['add', 'sub', 'mul']],
  ];
  for (const [type, load, store, ops] of variants) {
    const k = type[0] === 'i' ? `(${type}.const 77)` : `(${type}.const 0.75)`;
    // A plain number even if the memory holds NaNs, for the float variants.
    for (const op of ops) {
      const name = `${load}_${op}`;
      names.push(name);
      const p = '(local.get $p)', q = '(local.get $q)', x = '(local.get $x)';
      const L = (a, offset = 0) => `(${load} offset=${offset} ${a})`;
      const S = (a, v, offset = 0) => `(${store} offset=${offset} ${a} ${v})`;
      const O = (a, e) => `(${type}.${op} ${a} ${e})`;
      functions.push(`  (func (export "${name}") (param $p i32) (param $q i32) (result i64)
    (local $x ${type}) (local $n i32)
    (local.set $x ${k})
    ${S(p, k)} ${S(p, k, 16)} ${S(q, k)} ${S(q, k, 8)} ${S(q, k, 16)}
    (loop $l
      ${S(p, O(L(p), x))}
      ${S(p, O(x, L(p)))}
      ${S(p, O(L(p), k), 0)}
      ${S(p, O(L(p), L(q)), 0)}
      ${S(p, O(L(p, 16), L(p)), 16)}
      (local.set $x ${L(q, 8)})
      ${S(q, O(x, L(p)), 8)}
      (local.set $x ${L(q, 8)})
      ${S(q, k, 8)}
      ${S(q, O(x, L(q, 8)), 16)}
      ${S(p, `(block (result ${type}) ${L(p)} ${S(p, k)} ${L(p)} (${type}.${op}))`)}
      (br_if $l (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 3))))
    (i64.add (i64.load ${p}) (i64.mul (i64.load offset=16 ${q}) (i64.const 3))))`);
      calls.push([name, [['i32', 256], ['i32', 512]], ['i64']]);
      calls.push([name, [['i32', 256], ['i32', 256]], ['i64']]);
      calls.push([name, [['i32', 256], ['i32', 258]], ['i64']]);
      calls.push([name, [['i32', 65520], ['i32', 256]], ['i64']]);
      calls.push(['hash', [], ['i64']]);
    }
  }
  script.comment('load, operate, store');
  script.module(`(module\n${prelude}\n${functions.join('\n')}\n)`, calls.filter(([name, args]) =>
      // Overlapping float cells may make NaNs, whose bits are another script's business.
      !(name.startsWith('f') && args.length === 2 && args[1][1] === 258)));
}

// Copies, fills and scans: the loops that compilers emit for memcpy, memset, strlen and sums.
script.comment('loops over memory');
script.module(`(module
${prelude}
  (func (export "copy8") (param $d i32) (param $s i32) (param $n i32)
    (local $e i32)
    (local.set $e (i32.add (local.get $s) (local.get $n)))
    (block $x (br_if $x (i32.eqz (local.get $n)))
      (loop $l
        (i32.store8 (local.get $d) (i32.load8_u (local.get $s)))
        (local.set $d (i32.add (local.get $d) (i32.const 1)))
        (br_if $l (i32.ne (local.tee $s (i32.add (local.get $s) (i32.const 1))) (local.get $e))))))
  (func (export "copy32") (param $d i32) (param $s i32) (param $n i32)
    (loop $l
      (i32.store offset=4 (local.get $d) (i32.load offset=4 (local.get $s)))
      (local.set $d (i32.add (local.get $d) (i32.const 4)))
      (local.set $s (i32.add (local.get $s) (i32.const 4)))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "fill8") (param $d i32) (param $v i32) (param $n i32)
    (local $e i32)
    (local.set $e (i32.add (local.get $d) (local.get $n)))
    (loop $l
      (i32.store8 (local.get $d) (local.get $v))
      (br_if $l (i32.lt_u (local.tee $d (i32.add (local.get $d) (i32.const 1))) (local.get $e)))))
  (func (export "fill_constant") (param $d i32) (param $n i32)
    (loop $l
      (i64.store (i32.add (local.get $d) (i32.shl (local.get $n) (i32.const 3))) (i64.const -2))
      (br_if $l (i32.gt_s (local.tee $n (i32.add (local.get $n) (i32.const -1))) (i32.const 0)))))
  (func (export "mark") (param $step i32)
    (local $i i32)
    (local.set $i (local.get $step))
    (loop $l
      (i32.store8 offset=4096 (local.get $i) (i32.const 1))
      (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (local.get $step))) (i32.const 4000)))))
  (func (export "length") (param $p i32) (result i32)
    (local $s i32)
    (local.set $s (local.get $p))
    (loop $l
      (br_if $l (i32.load8_u (local.tee $p (i32.add (local.get $p) (i32.const 1))))))
    (i32.sub (local.get $p) (local.get $s)))
  (func (export "sums") (param $p i32) (param $n i32) (result i64 i64 i32)
    (local $i i32) (local $a i64) (local $b i64) (local $c i32)
    (loop $l
      (local.set $a (i64.add (local.get $a) (i64.load32_s (i32.add (local.get $p) (i32.shl (local.get $i) (i32.const 2))))))
      (local.set $b (i64.xor (i64.load (i32.add (local.get $p) (i32.shl (local.get $i) (i32.const 3)))) (i64.rotl (local.get $b) (i64.const 9))))
      (local.set $c (i32.add (i32.load8_s (i32.add (local.get $p) (local.get $i))) (i32.mul (local.get $c) (i32.const 31))))
      (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (local.get $a) (local.get $b) (local.get $c))
  (func (export "swap_sort") (param $p i32) (param $n i32)
    (local $i i32) (local $j i32) (local $a i32) (local $t i32)
    (loop $outer
      (local.set $j (i32.const 1))
      (loop $inner
        (local.set $a (i32.add (local.get $p) (i32.shl (local.get $j) (i32.const 2))))
        (local.set $t (i32.load (local.get $a)))
        (if (i32.gt_s (i32.load (i32.add (local.get $a) (i32.const -4))) (local.get $t))
          (then
            (i32.store (local.get $a) (i32.load (i32.sub (local.get $a) (i32.const 4))))
            (i32.store (i32.sub (local.get $a) (i32.const 4)) (local.get $t))))
        (br_if $inner (i32.lt_s (local.tee $j (i32.add (local.get $j) (i32.const 1))) (local.get $n))))
      (br_if $outer (i32.lt_s (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n)))))
)`, [
  ['copy8', [['i32', 100], ['i32', 1000], ['i32', 77]], []],
  ['copy8', [['i32', 2000], ['i32', 1999], ['i32', 64]], []],
  ['copy8', [['i32', 3000], ['i32', 3001], ['i32', 64]], []],
  ['hash', [], ['i64']],
  ['copy8', [['i32', 65530], ['i32', 0], ['i32', 10]], []],
  ['hash', [], ['i64']],
  ['copy32', [['i32', 5000], ['i32', 9000], ['i32', 50]], []],
  ['copy32', [['i32', 65516], ['i32', 0], ['i32', 50]], []],
  ['hash', [], ['i64']],
  ['fill8', [['i32', 7000], ['i32', 0x1FF], ['i32', 33]], []],
  ['fill8', [['i32', 65500], ['i32', 3], ['i32', 100]], []],
  ['hash', [], ['i64']],
  ['fill_constant', [['i32', 8000], ['i32', 20]], []],
  ['fill_constant', [['i32', -16], ['i32', 4]], []],
  ['hash', [], ['i64']],
  ['mark', [['i32', 7]], []],
  ['hash', [], ['i64']],
  ['length', [['i32', 0]], ['i32']],
  ['length', [['i32', 65535]], ['i32']],
  ['sums', [['i32', 16], ['i32', 100]], ['i64', 'i64', 'i32']],
  ['swap_sort', [['i32', 20000], ['i32', 20]], []],
  ['hash', [], ['i64']],
]);

// Growth between accesses: the size and the base that an interpreter keeps in registers.
script.comment('growth between accesses');
script.module(`(module
  (memory $m 0 12)
  (type $void (func))
  (table 1 funcref)
  (elem (i32.const 0) $grow1)
  (func $grow1 (drop (memory.grow (i32.const 1))))
  (func $grow_deep (param $n i32)
    (if (local.get $n)
      (then (call $grow_deep (i32.sub (local.get $n) (i32.const 1))))
      (else (call $grow1))))
  (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "size") (result i32) (memory.size))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  ;; Store to the page that the same function has just added.
  (func (export "own") (result i32)
    (local $p i32)
    (local.set $p (i32.shl (memory.grow (i32.const 1)) (i32.const 16)))
    (i32.store (local.get $p) (i32.const 11))
    (i32.store offset=65532 (local.get $p) (i32.const 22))
    (i32.add (i32.load (local.get $p)) (i32.load offset=65532 (local.get $p))))
  (func (export "callee") (result i32)
    (local $p i32)
    (local.set $p (i32.shl (memory.size) (i32.const 16)))
    (call $grow1)
    (i32.store offset=8 (local.get $p) (i32.const 33))
    (i32.load offset=8 (local.get $p)))
  (func (export "indirect") (result i32)
    (local $p i32)
    (local.set $p (i32.shl (memory.size) (i32.const 16)))
    (call_indirect (type $void) (i32.const 0))
    (i32.store offset=65528 (local.get $p) (i32.const 44))
    (i32.load offset=65528 (local.get $p)))
  (func (export "deep") (result i32)
    (local $p i32)
    (local.set $p (i32.shl (memory.size) (i32.const 16)))
    (call $grow_deep (i32.const 20))
    (i32.store (local.get $p) (i32.const 55))
    (i32.load (local.get $p)))
  ;; Growth as an operand between two loads.
  (func (export "operand") (result i32)
    (local $p i32)
    (local.set $p (i32.shl (memory.size) (i32.const 16)))
    (i32.add (i32.load (i32.const 0))
      (i32.add (memory.grow (i32.const 1)) (i32.load (local.get $p)))))
  (func (export "loop") (param $n i32) (result i32)
    (local $p i32) (local $s i32)
    (loop $l
      (local.set $p (i32.shl (memory.size) (i32.const 16)))
      (drop (memory.grow (i32.const 1)))
      (i32.store (local.get $p) (local.get $n))
      (local.set $s (i32.add (local.get $s) (i32.load (local.get $p))))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $s))
)`, [
  ['size', [], ['i32']],
  ['load', [['i32', 0]], ['i32']],
  ['grow', [['i32', 0]], ['i32']],
  ['load', [['i32', 0]], ['i32']],
  ['grow', [['i32', 13]], ['i32']],
  ['grow', [['i32', -1]], ['i32']],
  ['own', [], ['i32']],
  ['load', [['i32', 65532]], ['i32']],
  ['load', [['i32', 65533]], ['i32']],
  ['callee', [], ['i32']],
  ['indirect', [], ['i32']],
  ['deep', [], ['i32']],
  ['operand', [], ['i32']],
  ['loop', [['i32', 3]], ['i32']],
  ['size', [], ['i32']],
  ['load', [['i32', 8 * 65536 - 4]], ['i32']],
  ['load', [['i32', 8 * 65536]], ['i32']],
  ['grow', [['i32', 4]], ['i32']],
  ['grow', [['i32', 1]], ['i32']],
  ['own', [], ['i32']],
  ['size', [], ['i32']],
  ['load', [['i32', 65532]], ['i32']],
]);
script.raw(`;; Growth by another instance that shares the memory, seen by one that is running.
(module $owner
  (memory (export "m") 1 5)
  (func (export "grow") (drop (memory.grow (i32.const 1)))))
(register "owner" $owner)
(module
  (import "owner" "m" (memory 1 5))
  (import "owner" "grow" (func $grow))
  (func (export "across") (result i32)
    (call $grow)
    (i32.store (i32.const 65536) (i32.const 66))
    (i32.add (i32.load (i32.const 65536)) (memory.size)))
  (func (export "beyond") (result i32) (i32.load (i32.const 131072))))
(assert_return (invoke "across") (i32.const 68))
(assert_trap (invoke "beyond") "out of bounds memory access")
(assert_return (invoke $owner "grow"))
(assert_return (invoke "beyond") (i32.const 0))

;; A start function that grows, and data that the grown page then holds.
(module
  (memory 0 2)
  (func $start (drop (memory.grow (i32.const 2))) (i32.store8 offset=131071 (i32.const 0) (i32.const 7)))
  (start $start)
  (func (export "last") (result i32) (i32.load8_u (i32.const 131071)))
  (func (export "after") (result i32) (i32.load8_u (i32.const 131072))))
(assert_return (invoke "last") (i32.const 7))
(assert_trap (invoke "after") "out of bounds memory access")`);
script.write();
