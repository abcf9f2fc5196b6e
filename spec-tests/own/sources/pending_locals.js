// A local.get that waits on the operand stack while the local is overwritten must keep the old
// value; registers that hold locals must survive calls, loops and each other.
'use strict';
const {Script} = require('./script_writer.js');

const script = new Script('pending_locals', [
  'Reads of locals that wait on the operand stack across local.set and local.tee in every order,',
  'many locals of all types live in loops, calls in between, arguments and results of all shapes.',
  'Expectations: V8.',
]);

const step = {
  i32: (e) => `(i32.add (i32.mul ${e} (i32.const 3)) (i32.const 1))`,
  i64: (e) => `(i64.add (i64.mul ${e} (i64.const 3)) (i64.const 1))`,
  f32: (e) => `(f32.add (f32.mul ${e} (f32.const 3)) (f32.const 1))`,
  f64: (e) => `(f64.add (f64.mul ${e} (f64.const 3)) (f64.const 1))`,
};

// Sequences over {read a, read b, set a, set b, tee a, tee b}, folded afterwards into one value.
// Every sequence of length 4 that starts with a read.
for (const type of ['i32', 'i64', 'f32', 'f64']) {
  const actions = ['ga', 'gb', 'sa', 'sb', 'ta', 'tb'];
  const functions = [];
  const calls = [];
  const emit = (sequence, inLoop) => {
    // Returns flat instructions that leave `height` values.
    const lines = [];
    let height = 0;
    for (const action of sequence) {
      const v = action[1] === 'a' ? 0 : 1;
      const other = 1 - v;
      if (action[0] === 'g') {
        lines.push(`local.get ${v}`);
        ++height;
      } else {
        lines.push(step[type](`(local.get ${other})`));
        lines.push(action[0] === 's' ? `local.set ${v}` : `local.tee ${v}`);
        if (action[0] === 't') ++height;
      }
    }
    for (; height > 1; --height) lines.push(`(${type}.const 2)`, `${type}.mul`, `${type}.sub`);
    return lines.join(' ');
  };
  const scale = `(${type}.const ${type[0] === 'i' ? 5 : 0.25})`;
  let count = 0;
  for (const x of actions) for (const y of actions) for (const z of actions) {
    for (const first of ['ga', 'gb']) {
      const sequence = [first, x, y, z];
      // Type-dependent sampling keeps the script small: i32 has all sequences, the others a third.
      if (type !== 'i32' && (++count + type.charCodeAt(1)) % 3 !== 0) continue;
      const name = sequence.join('_');
      functions.push(`  (func (export "${name}") (param ${type} ${type}) (result ${type})
    (local $r ${type}) (local $n i32)
    (loop $l ${emit(sequence)}
      (local.get $r) ${scale} ${type}.mul ${type}.add local.set $r
      (br_if $l (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 2))))
    (${type}.add (local.get 0) (${type}.sub (local.get 1) (local.get $r))))`);
      calls.push([name, [[type, 5], [type, 9]], [type]]);
    }
  }
  script.comment(`${type}: all orders of reads and writes`);
  script.module(`(module\n${functions.join('\n')}\n)`, calls);
}

// Reads that wait across control flow, memory and calls.
script.comment('reads that wait across blocks, branches, calls and stores');
script.module(`(module
  (memory 1)
  (global $g (mut i32) (i32.const 100))
  (type $unary (func (param i32) (result i32)))
  (table funcref (elem $bump))
  (func $bump (type $unary) (global.set $g (i32.add (global.get $g) (i32.const 1))) (i32.add (local.get 0) (i32.const 10)))
  (func $clobber (param i32 i32 i32 i32) (result i32)
    (local i32 i32 i32 i32)
    (local.set 4 (i32.const -1)) (local.set 5 (i32.const -2)) (local.set 6 (i32.const -3)) (local.set 7 (i32.const -4))
    (i32.sub (i32.mul (local.get 0) (local.get 1)) (i32.mul (local.get 2) (local.get 3))))
  (func (export "across_if") (param i32 i32) (result i32)
    local.get 0
    (if (local.get 1) (then (local.set 0 (i32.const 50))) (else (local.set 0 (i32.const 60))))
    local.get 0
    i32.sub)
  (func (export "across_block_result") (param i32 i32) (result i32)
    local.get 0
    (block (result i32) (local.set 0 (i32.const 7)) (br_if 0 (local.get 0) (local.get 1)) (local.set 0 (i32.const 8)) (drop) (local.get 0))
    i32.sub local.get 0 i32.add)
  (func (export "across_loop") (param i32 i32) (result i32)
    local.get 0
    local.get 1
    (loop $l
      (local.set 0 (i32.add (local.get 0) (local.get 1)))
      (br_if $l (local.tee 1 (i32.sub (local.get 1) (i32.const 1)))))
    i32.mul local.get 0 i32.add)
  (func (export "across_call") (param i32 i32) (result i32)
    local.get 0 local.get 1
    (local.set 0 (call $clobber (local.get 0) (local.get 1) (local.get 1) (local.get 0)))
    (local.set 1 (call $bump (local.get 1)))
    i32.sub local.get 0 i32.add local.get 1 i32.add)
  (func (export "across_indirect") (param i32 i32) (result i32)
    local.get 0
    (local.set 0 (call_indirect (type $unary) (local.get 1) (i32.const 0)))
    local.get 0 i32.sub)
  (func (export "call_argument_order") (param i32 i32) (result i32)
    (call $clobber (local.get 0) (local.tee 0 (local.get 1)) (local.get 0) (local.tee 1 (i32.const 3))))
  (func (export "call_temporaries") (param i32 i32) (result i32)
    (i32.add (i32.mul (local.get 0) (i32.const 3))
      (i32.sub (call $bump (i32.add (local.get 0) (local.get 1)))
        (i32.mul (call $bump (local.get 1)) (call $bump (i32.const 5))))))
  (func (export "global_waits") (result i32)
    global.get $g (drop (call $bump (i32.const 0))) global.get $g i32.sub)
  (func (export "load_waits") (param i32) (result i32)
    (i32.store (local.get 0) (i32.const 11))
    (i32.load (local.get 0))
    (i32.store (local.get 0) (i32.const 22))
    (i32.load (local.get 0))
    i32.sub)
  (func (export "load_waits_memory_fill") (param i32) (result i32)
    (i32.store (local.get 0) (i32.const 11))
    (i32.load (local.get 0))
    (memory.fill (local.get 0) (i32.const 1) (i32.const 4))
    (i32.load (local.get 0))
    i32.sub)
  (func (export "load_waits_call") (param i32) (result i32)
    (i32.store (local.get 0) (i32.const 11))
    (i32.load (local.get 0))
    (call $store99 (local.get 0))
    (i32.load (local.get 0))
    i32.sub)
  (func $store99 (param i32) (i32.store (local.get 0) (i32.const 99)))
  (func (export "swap") (param i32 i32) (result i32 i32)
    local.get 0 local.get 1 local.set 0 local.set 1 local.get 0 local.get 1)
  (func (export "rotate3") (param i32 i32 i32 i32) (result i32 i32 i32)
    (loop $l
      local.get 0 local.get 1 local.get 2 local.set 0 local.set 2 local.set 1
      (br_if $l (local.tee 3 (i32.sub (local.get 3) (i32.const 1)))))
    local.get 0 local.get 1 local.get 2)
  (func (export "tee_chain") (param i32) (result i32) (local i32 i32 i32)
    (local.set 1 (local.tee 2 (local.tee 3 (i32.add (local.get 0) (i32.const 1)))))
    (local.set 0 (i32.add (local.get 1) (local.tee 1 (i32.mul (local.get 2) (i32.const 2)))))
    (i32.add (i32.add (local.get 0) (local.get 1)) (i32.add (local.get 2) (local.get 3))))
  (func (export "tee_self") (param i32) (result i32)
    (i32.add (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (local.tee 0 (i32.add (local.get 0) (local.get 0)))))
  (func (export "set_self") (param i32) (result i32)
    (local.set 0 (local.get 0)) (drop (local.tee 0 (local.get 0))) (local.get 0))
  (func (export "many_pending") (param i32) (result i32)
    local.get 0 local.get 0 local.get 0 local.get 0 local.get 0 local.get 0 local.get 0 local.get 0
    (local.set 0 (i32.const 1000))
    local.get 0 i32.add i32.sub i32.add i32.sub i32.add i32.sub i32.add i32.sub)
  (func (export "select_pending") (param i32 i32 i32) (result i32)
    local.get 0 local.get 1 local.get 2 (local.set 2 (i32.eqz (local.get 2))) select
    (local.set 0 (i32.const 77)) local.get 0 local.get 2 i32.add i32.add)
  (func (export "branch_carries_old") (param i32 i32) (result i32)
    (block (result i32)
      local.get 0
      (local.set 0 (i32.const 5))
      local.get 1
      br_if 0
      drop
      local.get 0))
  (func (export "return_old") (param i32) (result i32)
    local.get 0 (local.set 0 (i32.const 5)) return)
  (func (export "else_keeps") (param i32 i32) (result i32)
    local.get 0
    local.get 0
    (if (param i32) (result i32) (local.get 1)
      (then (local.set 0 (i32.const 3)) (i32.add (local.get 0)))
      (else (local.set 0 (i32.const 4)) (i32.mul (local.get 0))))
    i32.sub)
)`, [
  ...[[1, 0], [1, 1]].map(([a, b]) => ['across_if', [['i32', a], ['i32', b]], ['i32']]),
  ...[[1, 0], [1, 1]].map(([a, b]) => ['across_block_result', [['i32', a], ['i32', b]], ['i32']]),
  ['across_loop', [['i32', 3], ['i32', 4]], ['i32']],
  ['across_call', [['i32', 3], ['i32', 4]], ['i32']],
  ['across_indirect', [['i32', 3], ['i32', 4]], ['i32']],
  ['call_argument_order', [['i32', 3], ['i32', 4]], ['i32']],
  ['call_temporaries', [['i32', 3], ['i32', 4]], ['i32']],
  ['global_waits', [], ['i32']],
  ['load_waits', [['i32', 8]], ['i32']],
  ['load_waits_memory_fill', [['i32', 8]], ['i32']],
  ['load_waits_call', [['i32', 8]], ['i32']],
  ['swap', [['i32', 1], ['i32', 2]], ['i32', 'i32']],
  ['rotate3', [['i32', 1], ['i32', 2], ['i32', 3], ['i32', 4]], ['i32', 'i32', 'i32']],
  ['rotate3', [['i32', 1], ['i32', 2], ['i32', 3], ['i32', 5]], ['i32', 'i32', 'i32']],
  ['tee_chain', [['i32', 6]], ['i32']],
  ['tee_self', [['i32', 6]], ['i32']],
  ['set_self', [['i32', 6]], ['i32']],
  ['many_pending', [['i32', 6]], ['i32']],
  ['select_pending', [['i32', 6], ['i32', 7], ['i32', 0]], ['i32']],
  ['select_pending', [['i32', 6], ['i32', 7], ['i32', 1]], ['i32']],
  ['branch_carries_old', [['i32', 6], ['i32', 1]], ['i32']],
  ['branch_carries_old', [['i32', 6], ['i32', 0]], ['i32']],
  ['return_old', [['i32', 6]], ['i32']],
  ['else_keeps', [['i32', 6], ['i32', 0]], ['i32']],
  ['else_keeps', [['i32', 6], ['i32', 1]], ['i32']],
]);

// Register pressure: n locals of each type, all of them changed in every round of a loop nest, with
// or without calls in the loops.
for (const count of [1, 2, 3, 5, 9]) {
  const types = ['i32', 'i64', 'f32', 'f64'];
  const local = (type, k) => `(local.get $${type}_${((k % count) + count) % count})`;
  const update = (withCall) => types.flatMap((type) => Array.from({length: count}, (_, k) => {
    const a = local(type, k), b = local(type, k + 1), c = local(type, k + 2);
    const value = type[0] === 'i' ?
        `(${type}.add (${type}.xor (${type}.shl ${a} (${type}.const ${k % 5 + 1})) ${b}) (${type}.sub ${c} (${type}.const ${k + 1})))` :
        `(${type}.sub (${type}.mul ${a} (${type}.const 0.5)) (${type}.add (${type}.mul ${b} (${type}.const 0.25)) ${
            type === 'f32' ? '(f32.convert_i32_s (i32.and (local.get $j) (i32.const 7)))' : '(f64.promote_f32 ' + local('f32', k) + ')'}))`;
    const set = `(local.set $${type}_${k} ${value})`;
    return withCall && k === 0 ? `${set}
        (local.set $${type}_${k} (call $${type} ${local(type, k)} ${local(type, k + 1)}))` : set;
  })).join('\n        ');
  const locals = types.map((type) =>
      Array.from({length: count}, (_, k) => `(local $${type}_${k} ${type})`).join(' ')).join('\n    ');
  const init = types.flatMap((type) => Array.from({length: count}, (_, k) =>
      `(local.set $${type}_${k} (${type}.const ${k + 3}))`)).join(' ');
  const sum = (type) => Array.from({length: count}, (_, k) => local(type, k))
                            .reduce((a, b) => `(${type}.add (${type}.mul ${a} (${type}.const ${
                                type[0] === 'i' ? 7 : 0.5})) ${b})`);
  const body = (name, inner) => `  (func (export "${name}") (param $n i32) (result i64)
    ${locals}
    (local $i i32) (local $j i32)
    ${init}
    (loop $outer
      (local.set $j (i32.const 0))
      ${inner}
      (br_if $outer (i32.lt_s (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (i64.add (i64.add (i64.extend_i32_u ${sum('i32')}) (i64.mul ${sum('i64')} (i64.const 3)))
      (i64.add (i64.trunc_sat_f64_s (f64.mul ${sum('f64')} (f64.const 4096)))
        (i64.extend_i32_u (i32.reinterpret_f32 ${sum('f32')})))))`;
  const nest = (withCall) => `(loop $inner
        ${update(withCall)}
        (br_if $inner (i32.ne (local.tee $j (i32.add (local.get $j) (i32.const 1))) (i32.const 5))))`;
  script.comment(`${count} locals of each type in a loop nest`);
  script.module(`(module
  (func $i32 (param i32 i32) (result i32) (local i32 i32) (local.set 2 (i32.const 9)) (i32.sub (i32.mul (local.get 0) (i32.const 5)) (i32.add (local.get 1) (local.get 2))))
  (func $i64 (param i64 i64) (result i64) (local i64) (local.set 2 (i64.const 9)) (i64.sub (i64.mul (local.get 0) (i64.const 5)) (i64.add (local.get 1) (local.get 2))))
  (func $f32 (param f32 f32) (result f32) (local f32) (local.set 2 (f32.const 9)) (f32.sub (f32.mul (local.get 0) (f32.const 0.5)) (f32.add (local.get 1) (local.get 2))))
  (func $f64 (param f64 f64) (result f64) (local f64) (local.set 2 (f64.const 9)) (f64.sub (f64.mul (local.get 0) (f64.const 0.5)) (f64.add (local.get 1) (local.get 2))))
${body('flat', update(false))}
${body('nested', nest(false))}
${body('calls', nest(true))}
${body('both', nest(false) + '\n      ' + update(true) + '\n      (local.set $j (i32.const 2))\n      ' +
      nest(false).replaceAll('$inner', '$second'))}
)`, ['flat', 'nested', 'calls', 'both'].flatMap((name) => [[name, [['i32', 1]], ['i64']], [name, [['i32', 4]], ['i64']]]));
}

// Recursion with values live across the calls, and results of several types and counts.
script.comment('recursion with live values');
script.module(`(module
  (func $fib (export "fib") (param i32) (result i32)
    (if (result i32) (i32.lt_u (local.get 0) (i32.const 2)) (then (local.get 0))
      (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1))) (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
  (func $ackermann (export "ackermann") (param i64 i64) (result i64)
    (if (i64.eqz (local.get 0)) (then (return (i64.add (local.get 1) (i64.const 1)))))
    (if (i64.eqz (local.get 1)) (then (return (call $ackermann (i64.sub (local.get 0) (i64.const 1)) (i64.const 1)))))
    (call $ackermann (i64.sub (local.get 0) (i64.const 1)) (call $ackermann (local.get 0) (i64.sub (local.get 1) (i64.const 1)))))
  (func $mixed (export "mixed") (param $n i32) (param $f f64) (param $l i64) (param $g f32) (result i64 f64 i32)
    (local $i i64) (local $d f64) (local $k i32)
    (if (i32.eqz (local.get $n)) (then (return (local.get $l) (local.get $f) (i32.trunc_sat_f32_s (local.get $g)))))
    (call $mixed (i32.sub (local.get $n) (i32.const 1)) (f64.mul (local.get $f) (f64.const 1.5))
      (i64.add (local.get $l) (i64.extend_i32_s (local.get $n))) (f32.add (local.get $g) (f32.const 2)))
    (local.set $k) (local.set $d) (local.set $i)
    (i64.add (local.get $i) (local.get $l))
    (f64.sub (local.get $d) (local.get $f))
    (i32.xor (local.get $k) (local.get $n)))
  (func $even (param i32) (result i32) (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 1)) (else (call $odd (i32.sub (local.get 0) (i32.const 1))))))
  (func $odd (param i32) (result i32) (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 0)) (else (call $even (i32.sub (local.get 0) (i32.const 1))))))
  (func (export "even") (param i32) (result i32) (call $even (local.get 0)))
  (func $three (param i32) (result i32 i64 f64) (local.get 0) (i64.extend_i32_s (i32.mul (local.get 0) (i32.const -7))) (f64.convert_i32_s (local.get 0)))
  (func (export "three") (param i32) (result f64 i32 i64) (local i64 f64)
    (call $three (local.get 0)) local.set 2 local.set 1 local.set 0
    (local.get 2) (local.get 0) (local.get 1))
  (func (export "three_twice") (param i32) (result i64)
    (call $three (local.get 0)) (drop) (i64.add (i64.extend_i32_s (call $first (call $three (i32.const 20))))) (call $drop_first))
  (func $first (param i32 i64 f64) (result i32) (local.get 0))
  (func $drop_first (param i32 i64) (result i64) (i64.add (local.get 1) (i64.extend_i32_u (local.get 0))))
)`, [
  ['fib', [['i32', 15]], ['i32']],
  ['ackermann', [['i64', 2], ['i64', 4]], ['i64']],
  ['mixed', [['i32', 9], ['f64', 1.25], ['i64', 5], ['f32', 0.5]], ['i64', 'f64', 'i32']],
  ['even', [['i32', 101]], ['i32']],
  ['even', [['i32', 100]], ['i32']],
  ['three', [['i32', 12]], ['f64', 'i32', 'i64']],
  ['three_twice', [['i32', 12]], ['i64']],
]);
script.write();
