// Generates a program from a seed: functions with structured control flow that always end, memory
// accesses that mostly stay inside, and every numeric opcode.
//
// A program is a tree of plain objects: {functions, calls, globals, data}. Expressions have a
// `type`, statements have none; labels are objects compared by identity. Functions call only later
// ones, and loops count with locals that nothing else writes, so every program ends.
'use strict';
const {opcodes, byName} = require('./opcodes.js');
const {Random} = require('./random.js');

const types = ['i32', 'i64', 'f32', 'f64', 'v128'];

// What each profile likes: weights per type, and how often statements are loops.
const profiles = [
  {weights: [8, 1, 0, 0, 0], loops: 3},
  {weights: [3, 6, 0, 0, 0], loops: 3},
  {weights: [3, 0, 4, 3, 0], loops: 3},
  {weights: [3, 1, 0, 5, 0], loops: 4},
  {weights: [4, 2, 2, 2, 0], loops: 2},
  {weights: [4, 1, 1, 1, 5], loops: 2},
  {weights: [3, 2, 2, 2, 2], loops: 1},
  {weights: [9, 0, 0, 0, 0], loops: 6},
];

const interesting = {
  i32: [0n, 1n, 2n, 3n, 4n, 7n, 8n, 16n, 31n, 32n, 255n, 256n, 0x7FFFn, 0x8000n, 0xFFFFn,
        0x10000n, 0x7FFFFFFFn, 0x80000000n, 0xFFFFFFFFn, 0xFFFFFFFEn, 0x55555555n],
  i64: [0n, 1n, 2n, 5n, 8n, 63n, 64n, 255n, 0x7FFFFFFFn, 0x80000000n, 0xFFFFFFFFn,
        0x100000000n, 0x7FFFFFFFFFFFFFFFn, 0x8000000000000000n, 0xFFFFFFFFFFFFFFFFn],
  f32: [0n, 0x80000000n, 0x3F800000n, 0xBF800000n, 0x40490FDBn, 0x3F000000n, 0x4F000000n,
        0xCF000000n, 0x5F000000n, 0x7F800000n, 0xFF800000n, 0x7FC00000n, 0xFFA00001n, 1n,
        0x007FFFFFn, 0x7F7FFFFFn],
  f64: [0n, 0x8000000000000000n, 0x3FF0000000000000n, 0xBFF0000000000000n, 0x3FE0000000000000n,
        0x400921FB54442D18n, 0x41E0000000000000n, 0x43E0000000000000n, 0x7FF0000000000000n,
        0xFFF0000000000000n, 0x7FF8000000000000n, 0xFFF4000000000001n, 1n, 0x7FEFFFFFFFFFFFFFn],
};

// What compilers emit most; the rest of the table has the other part of the dice.
const common = {
  i32: ['add', 'sub', 'mul', 'and', 'or', 'xor', 'shl', 'shr_u', 'shr_s', 'rotl', 'eq', 'ne', 'lt_s',
        'lt_u', 'gt_s', 'ge_u', 'eqz', 'add', 'add', 'sub'],
  i64: ['add', 'sub', 'mul', 'and', 'or', 'xor', 'shl', 'shr_u', 'shr_s', 'rotl', 'extend_i32_u',
        'extend_i32_s', 'add', 'add'],
  f32: ['add', 'sub', 'mul', 'div', 'add', 'mul', 'min', 'max', 'convert_i32_s'],
  f64: ['add', 'sub', 'mul', 'div', 'add', 'mul', 'min', 'max', 'convert_i32_s'],
  v128: ['v128.and', 'v128.xor', 'v128.bitselect', 'i8x16.add', 'i16x8.mul', 'i32x4.add', 'i32x4.splat',
         'i64x2.splat', 'f32x4.mul', 'f64x2.add', 'i8x16.shuffle', 'i8x16.swizzle'],
};
const commonOps = Object.fromEntries(types.map((type) => [type, common[type].map(
    (name) => byName.get(name.includes('.') ? name : `${type}.${name}`))]));
const pureOps = Object.fromEntries(types.map((type) => [type, opcodes.filter(
    (op) => ['Simple', 'Lane', 'Shuffle'].includes(op.kind) && op.result === type)]));
const loadOps = Object.fromEntries(types.map((type) => [type, opcodes.filter(
    (op) => ['Load', 'LoadLane'].includes(op.kind) && op.result === type)]));
const storeOps = opcodes.filter((op) => op.kind === 'Store' || op.kind === 'StoreLane');

const constant = (type, value) => ({op: 'const', type, value: BigInt(value)});
const simple = (name, ...args) => {
  const opcode = byName.get(name);
  return {op: 'simple', type: opcode.result, opcode, args};
};

class FunctionGenerator {
  constructor(random, profile, signatures, index) {
    this.random = random;
    this.profile = profile;
    this.signatures = signatures;
    this.index = index;
    this.usesVectors = profile.weights[4] > 0;
    this.fuel = 20 + random.below(140);  // nodes
    this.calls = 3;
    this.loopDepth = 0;
    this.labels = [];  // blocks without values that may be left
    const {parameters, results} = signatures[index];
    this.locals = parameters.slice();
    this.counters = [];  // i32 locals that only their loop writes
    this.pointers = [];  // i32 locals that hold addresses and move in small steps
    this.writable = parameters.map((_, i) => i);
    // Now and then, locals that nobody uses push the others out of the reach of short offsets.
    if (random.chance(3)) for (let i = 3400 + random.below(600); i > 0; --i) this.addLocal('i64');
    const more = random.chance(8) ? 40 + random.below(300) : 2 + random.below(10);
    for (let i = 0; i < more; ++i) this.writable.push(this.addLocal(this.type()));
    this.results = results;
  }

  addLocal(type) {
    this.locals.push(type);
    return this.locals.length - 1;
  }

  type() { return types[this.random.weighted(this.profile.weights)]; }
  get(index) { return {op: 'get', type: this.locals[index], index}; }

  generate() {
    const {random} = this;
    const body = [];
    for (let i = 1 + random.below(2); i > 0; --i) {
      const pointer = this.addLocal('i32');
      this.pointers.push(pointer);
      const parameter = this.signatures[this.index].parameters.indexOf('i32');
      body.push({op: 'set', index: pointer, value: parameter >= 0 && random.chance(60) ?
          simple('i32.and', this.get(parameter), constant('i32', random.pick([0xFFF, 0x3FF8, 0xFFFC]))) :
          constant('i32', random.below(60000))});
    }
    const label = {};
    body.push(...this.statements(4 + random.below(8)));
    return {
      parameters: this.signatures[this.index].parameters, results: this.results,
      locals: this.locals, body, values: this.results.map((type) => this.expression(type, 2)), label,
    };
  }

  constantOf(type) {
    const {random} = this;
    if (type === 'v128') {
      if (random.chance(50)) return constant(type, random.bits(128));
      const lane = random.pick(interesting.f32);
      return constant(type, lane | (lane << 32n) | (random.pick(interesting.i64) << 64n));
    }
    if (random.chance(35)) return constant(type, BigInt(random.below(64)) << (type[0] === 'f' ? 23n : 0n));
    if (random.chance(70)) return constant(type, random.pick(interesting[type]));
    return constant(type, random.bits(type.endsWith('32') ? 32 : 64));
  }

  leaf(type) {
    const {random} = this;
    const locals = this.writable.filter((i) => this.locals[i] === type);
    if (type === 'i32') locals.push(...this.counters, ...this.pointers);
    if (locals.length && random.chance(75)) return this.get(random.pick(locals));
    if (random.chance(10)) return {op: 'global', type, index: types.indexOf(type)};
    return this.constantOf(type);
  }

  // An expression; `depth` levels may follow.
  expression(type, depth) {
    const {random} = this;
    if (depth <= 0 || --this.fuel < 0) return this.leaf(type);
    const choice = random.weighted([30, 55, 12, 8, 6, 4, 3, 3, 4, 3, 1]);
    switch (choice) {
      case 0: return this.leaf(type);
      case 1: return this.pure(type, depth);
      case 2: return this.load(type, depth);
      case 3: return this.tee(type, depth);
      case 4: return {
        op: 'select', type, typed: type === 'v128' || random.chance(30),
        a: this.expression(type, depth - 1), b: this.expression(type, depth - 1),
        condition: this.condition(depth - 1),
      };
      case 5: {
        const label = {};
        const condition = this.condition(depth - 1);
        return {
          op: 'if', type, label, condition, then: this.statements(random.below(2)),
          thenValue: this.expression(type, depth - 1), otherwise: this.statements(random.below(2)),
          otherwiseValue: this.expression(type, depth - 1),
        };
      }
      case 6: return this.valueBlock(type, depth);
      case 7: return this.call(type, depth);
      case 8: return this.waiting(type, depth);
      case 9: return {op: 'seq', type, body: this.statements(1), value: this.expression(type, depth - 1)};
      default:
        if (type !== 'i32') return this.leaf(type);
        if (random.chance(60)) return {op: 'memory.size', type};
        return {op: 'memory.grow', type, value: constant('i32', random.pick([0, 0, 1, 5]))};
    }
  }

  tee(type, depth) {
    const locals = this.writable.filter((i) => this.locals[i] === type);
    if (!locals.length) return this.leaf(type);
    return {op: 'tee', type, index: this.random.pick(locals), value: this.expression(type, depth - 1)};
  }

  opcode(type) {
    const {random} = this;
    for (;;) {
      const op = random.chance(60) ? random.pick(commonOps[type]) : random.pick(pureOps[type]);
      if (op.parameters.includes('v128') && !this.usesVectors) continue;
      return op;
    }
  }

  pure(type, depth) {
    const {random} = this;
    let opcode = this.opcode(type);
    const trapping = /^i\d\d\.trunc_f(32|64)_[su]$/.exec(opcode.name);
    if (trapping && random.chance(85)) opcode = byName.get(opcode.name.replace('trunc', 'trunc_sat'));
    const args = opcode.parameters.map((parameter) => this.expression(parameter, depth - 1));
    if (/^i\d\d\.(div|rem)_/.test(opcode.name) && random.chance(85)) {
      const max = type === 'i32' ? 0x7FFFFFFFn : 0x7FFFFFFFFFFFFFFFn;
      args[1] = simple(`${type}.and`, simple(`${type}.or`, args[1], constant(type, 1n)), constant(type, max));
    }
    const e = {op: 'simple', type, opcode, args};
    if (opcode.kind === 'Lane') e.immediate = random.below(opcode.lanes);
    if (opcode.kind === 'Shuffle') e.immediate = Array.from({length: 16}, () => random.below(32));
    return e;
  }

  // Two operands with statements between them.
  waiting(type, depth) {
    for (let i = 0; i < 20; ++i) {
      const opcode = this.opcode(type);
      if (opcode.kind !== 'Simple' || opcode.parameters.length !== 2 || /div|rem/.test(opcode.name)) continue;
      return {
        op: 'waiting', type, opcode, body: this.statements(1),
        args: [this.expression(opcode.parameters[0], depth - 1), this.expression(opcode.parameters[1], depth - 1)],
      };
    }
    return this.leaf(type);
  }

  valueBlock(type, depth) {
    const label = {};
    const body = this.statements(this.random.below(2));
    let value = this.expression(type, depth - 1);
    for (let i = this.random.below(3); i > 0; --i) {
      value = {op: 'br_if_value', type, label, value, condition: this.condition(depth - 1)};
      if (this.random.chance(50)) value = {op: 'tee', type, index: this.addLocal(type), value};
    }
    return {op: 'block', type, label, body, value};
  }

  // A condition: mostly a comparison, sometimes any i32.
  condition(depth) {
    const {random} = this;
    if (random.chance(25)) return this.expression('i32', depth);
    const type = random.pick(['i32', 'i32', 'i32', 'i64', 'f32', 'f64'].filter(
        (t) => t === 'i32' || this.profile.weights[types.indexOf(t)] > 0));
    const name = type[0] === 'i' ?
        random.pick(['eq', 'ne', 'lt_s', 'lt_u', 'gt_s', 'gt_u', 'le_s', 'le_u', 'ge_s', 'ge_u']) :
        random.pick(['eq', 'ne', 'lt', 'gt', 'le', 'ge']);
    const test = simple(`${type}.${name}`, this.expression(type, depth - 1), this.expression(type, depth - 1));
    return random.chance(15) ? simple('i32.eqz', test) : test;
  }

  address(depth) {
    const {random} = this;
    const masked = () => simple('i32.and', this.expression('i32', depth - 1),
        constant('i32', random.pick([0xFF, 0xFFF, 0x3FFC, 0x7FF8, 0x1F])));
    const small = () => this.counters.length && random.chance(60) ? this.get(random.pick(this.counters)) : masked();
    const pointer = () => this.get(random.pick(this.pointers));
    const shifted = (e) => simple('i32.shl', e, constant('i32', random.below(4)));
    switch (random.weighted([25, 15, 12, 12, 12, 8, 8, 3])) {
      case 0: return pointer();
      case 1: return simple('i32.add', pointer(), small());
      case 2: return simple('i32.add', pointer(), shifted(small()));
      case 3: return simple('i32.add', shifted(small()), constant('i32', random.below(4096)));
      case 4: return simple('i32.add', pointer(), constant('i32', random.chance(70) ? random.below(256) : -random.below(64) >>> 0));
      case 5: return constant('i32', random.below(65530));
      case 6: return masked();
      default: return this.expression('i32', depth - 1);
    }
  }

  access(opcode) {
    const {random} = this;
    return {
      opcode, alignment: random.below(opcode.alignment + 1),
      offset: random.weighted([60, 30, 9, 1]) === 0 ? 0 :
          random.chance(75) ? random.below(64) : random.chance(90) ? random.below(30000) : random.word(),
      lane: opcode.lanes ? random.below(opcode.lanes) : 0,
    };
  }

  load(type, depth) {
    const opcode = this.random.pick(loadOps[type]);
    const args = [this.address(depth - 1)];
    if (opcode.kind === 'LoadLane') args.push(this.expression('v128', depth - 1));
    return {op: 'load', type, args, ...this.access(opcode)};
  }

  // A later function whose only result is `type`.
  call(type, depth) {
    const {random} = this;
    const callees = this.signatures.flatMap(({results}, i) =>
        i > this.index && results.length === 1 && results[0] === type ? [i] : []);
    if (!callees.length || this.calls <= 0 || this.loopDepth > 1) return this.leaf(type);
    --this.calls;
    const callee = random.pick(callees);
    const args = this.signatures[callee].parameters.map((t) => this.expression(t, depth - 1));
    if (random.chance(65)) return {op: 'call', type, callee, args};
    // The index mostly names the callee; else a neighbour, of the same or another type.
    const last = this.signatures.length - 1;
    const index = random.chance(70) || callee >= last ? constant('i32', callee) :
        simple('i32.add', simple('i32.and', this.expression('i32', 1), constant('i32', 1)), constant('i32', callee));
    return {op: 'call_indirect', type, callee, args, index};
  }

  statements(count) {
    const list = [];
    for (let i = 0; i < count && this.fuel > 0; ++i) list.push(...this.statement());
    return list;
  }

  // A list, because loops come with statements that prepare them.
  statement() {
    const {random} = this;
    --this.fuel;
    const loops = this.loopDepth < 3 ? this.profile.loops * 3 : 0;
    switch (random.weighted([30, 4, 16, 6, 8, 5, loops, 4, 3, 2, 2, 4, 5, 3, 2, 1])) {
      case 0: return [this.assignment()];
      case 1: {
        const type = this.type();
        return [{op: 'global.set', index: types.indexOf(type), value: this.expression(type, 3)}];
      }
      case 2: return [this.store()];
      case 3: return [this.update()];
      case 4: return [this.branching()];
      case 5: return [this.block()];
      case 6: return this.loop();
      case 7: return [this.switchStatement()];
      case 8: {
        const type = this.type();
        return [{op: 'drop', value: this.expression(type, 3)}];
      }
      case 9: return [this.bulk()];
      case 10: return [{op: 'nop'}];
      case 11: return [this.pointerStep()];
      case 12: return [this.leave()];
      case 13: return this.valuesBlock();
      case 14: return [this.callStatement()];
      default: return this.deadCode();
    }
  }

  assignment() {
    const index = this.random.pick(this.writable);
    return {op: 'set', index, value: this.expression(this.locals[index], 4)};
  }

  store() {
    let opcode;
    do opcode = this.random.pick(storeOps);
    while (opcode.parameters[1] === 'v128' && !this.usesVectors ||
           this.random.chance(50) && !this.profile.weights[types.indexOf(opcode.parameters[1])]);
    return {
      op: 'store', args: [this.address(3), this.expression(opcode.parameters[1], 3)], ...this.access(opcode),
    };
  }

  // memory[a] = memory[a] op x, with `a` spelled the same twice.
  update() {
    const {random} = this;
    const pairs = [['i32.load', 'i32.store'], ['i32.load8_u', 'i32.store8'], ['i32.load16_s', 'i32.store16'],
      ['i64.load', 'i64.store'], ['f32.load', 'f32.store'], ['f64.load', 'f64.store']];
    const [load, store] = random.pick(pairs).map((name) => byName.get(name));
    const type = load.result;
    const offset = random.chance(50) ? 0 : random.below(64);
    const seed = random.state;
    const at = () => {
      // The same dice give the same tree.
      random.state = seed;
      return this.get(random.pick(this.pointers));
    };
    const value = {op: 'load', type, opcode: load, args: [at()], alignment: 0, offset, lane: 0};
    const op = random.pick(type[0] === 'i' ? ['add', 'sub', 'xor', 'and', 'or', 'shl', 'mul'] : ['add', 'sub', 'mul']);
    const other = this.expression(type, 2);
    const sum = random.chance(60) ? simple(`${type}.${op}`, value, other) : simple(`${type}.${op}`, other, value);
    return {op: 'store', opcode: store, args: [at(), sum], alignment: 0, offset, lane: 0};
  }

  branching() {
    const label = {};
    const condition = this.condition(3);
    this.labels.push(label);
    const s = {
      op: 'if', label, condition, then: this.statements(1 + this.random.below(3)),
      otherwise: this.random.chance(50) ? this.statements(1 + this.random.below(2)) : null,
    };
    this.labels.pop();
    return s;
  }

  block() {
    const label = {};
    this.labels.push(label);
    const body = this.statements(2 + this.random.below(3));
    this.labels.pop();
    return {op: 'block', label, body};
  }

  // Leaves some open block if a condition holds.
  leave() {
    if (!this.labels.length) return {op: 'nop'};
    return {op: 'br_if', label: this.random.pick(this.labels), condition: this.condition(2)};
  }

  deadCode() {
    if (!this.labels.length) return [];
    const {random} = this;
    const jump = random.chance(60) ? {op: 'br', label: random.pick(this.labels), values: []} :
        random.chance(80) ? {op: 'return', values: this.results.map((t) => this.expression(t, 2))} : {op: 'unreachable'};
    const label = {};
    return [{op: 'if', label, condition: this.condition(2), then: [jump, ...this.statements(random.below(2))], otherwise: null}];
  }

  switchStatement() {
    const {random} = this;
    const index = this.expression('i32', 2);
    const count = 1 + random.below(5);
    const labels = Array.from({length: count}, () => ({}));
    const exit = {};
    const any = () => random.chance(85) ? random.pick(labels) : random.chance(50) || !this.labels.length ?
        exit : random.pick(this.labels);
    const table = Array.from({length: random.below(8)}, any);
    const fallback = any();
    this.labels.push(exit);
    const cases = labels.map(() => {
      const body = this.statements(1 + random.below(2));
      if (random.chance(60)) body.push({op: 'br', label: exit, values: []});
      return body;
    });
    this.labels.pop();
    return {
      op: 'switch', labels, exit, table, fallback, cases,
      index: random.chance(70) ? simple('i32.and', index, constant('i32', 7)) : index,
    };
  }

  bulk() {
    const {random} = this;
    const length = constant('i32', random.below(40));
    if (random.chance(50)) return {op: 'fill', args: [this.address(2), this.expression('i32', 2), length]};
    return {op: 'copy', args: [this.address(2), this.address(2), length]};
  }

  pointerStep() {
    const index = this.random.pick(this.pointers);
    const step = this.random.pick([1, 2, 4, 8, -4 >>> 0]);
    return {op: 'set', index, value: simple('i32.add', this.get(index), constant('i32', step))};
  }

  callStatement() {
    const callees = this.signatures.flatMap(({results}, i) => i > this.index && results.length !== 1 ? [i] : []);
    if (!callees.length || this.calls <= 0 || this.loopDepth > 1) return {op: 'nop'};
    --this.calls;
    const callee = this.random.pick(callees);
    const {parameters, results} = this.signatures[callee];
    const targets = results.map((type) => {
      const index = this.addLocal(type);
      this.writable.push(index);
      return index;
    });
    return {op: 'call', callee, targets, args: parameters.map((t) => this.expression(t, 2))};
  }

  // --- Loops ---------------------------------------------------------------------------------------

  trips() { return this.loopDepth === 0 && this.random.chance(30) ? 1 + this.random.below(25) : 1 + this.random.below(5); }

  loop() {
    const {random} = this;
    const type = random.chance(80) || !this.profile.weights[1] ? 'i32' : 'i64';
    const counter = this.addLocal(type);
    const trips = this.trips();
    const step = random.pick([1, 1, 1, 2, 4, -1, -3]);
    const first = step < 0 ? -step * trips + random.below(3) : random.below(4);
    const last = first + step * trips;
    const k = (value) => constant(type, BigInt.asUintN(64, BigInt(value)));
    // The bound as a constant, or in a local of its own.
    const prepare = [{op: 'set', index: counter, value: k(first)}];
    let bound = k(last);
    if (random.chance(40)) {
      const local = this.addLocal(type);
      prepare.push({op: 'set', index: local, value: k(last)});
      bound = this.get(local);
    }
    const next = simple(`${type}.add`, this.get(counter), k(step));
    const advance = {op: 'set', index: counter, value: next};
    const unfinished = step > 0 ? random.pick(['ne', 'lt_s', 'lt_u']) : random.pick(['ne', 'gt_s']);
    const finished = {ne: 'eq', lt_s: 'ge_s', lt_u: 'ge_u', gt_s: 'le_s'}[unfinished];

    ++this.loopDepth;
    if (type === 'i32') this.counters.push(counter);
    const label = {};
    const exit = {};
    let list;
    switch (random.below(4)) {
      case 0: {  // do { } while (next < bound), the test on the stored or on the teed value
        this.labels.push(exit);
        const body = this.statements(1 + random.below(4));
        this.labels.pop();
        const tee = random.chance(50);
        const value = tee ? {op: 'tee', type, index: counter, value: next} : this.get(counter);
        const test = random.chance(80) ? simple(`${type}.${unfinished}`, value, bound) :
            simple(`${type}.${{ne: 'ne', lt_s: 'gt_s', lt_u: 'gt_u', gt_s: 'lt_s'}[unfinished]}`, bound, value);
        const latch = {op: 'br_if', label, condition: test};
        const whole = {op: 'loop', label, body: [...body, ...(tee ? [] : [advance]), latch]};
        list = [{op: 'block', label: exit, body: [whole]}];
        break;
      }
      case 1: {  // while (counter < bound) { }
        this.labels.push(exit);
        const body = this.statements(1 + random.below(4));
        this.labels.pop();
        const test = {op: 'br_if', label: exit, condition: simple(`${type}.${finished}`, this.get(counter), bound)};
        list = [{op: 'block', label: exit, body: [{op: 'loop', label,
          body: [test, ...body, advance, {op: 'br', label, values: []}]}]}];
        break;
      }
      case 2: {  // the step first, so that the body may continue the loop
        this.labels.push(exit, label);
        const body = this.statements(1 + random.below(4));
        this.labels.length -= 2;
        const test = {op: 'br_if', label: exit, condition: simple(`${type}.${finished}`, this.get(counter), bound)};
        list = [{op: 'block', label: exit, body: [{op: 'loop', label,
          body: [test, advance, ...body, {op: 'br', label, values: []}]}]}];
        break;
      }
      default: {  // count down to zero
        prepare.length = 0;
        prepare.push({op: 'set', index: counter, value: k(trips)});
        this.labels.push(exit);
        const body = this.statements(1 + random.below(4));
        this.labels.pop();
        const left = {op: 'tee', type, index: counter, value: random.chance(50) ?
            simple(`${type}.sub`, this.get(counter), k(1)) : simple(`${type}.add`, this.get(counter), k(-1))};
        const condition = type === 'i32' ? left : simple('i64.ne', left, k(0));
        list = [{op: 'block', label: exit, body: [{op: 'loop', label, body: [...body, {op: 'br_if', label, condition}]}]}];
      }
    }
    --this.loopDepth;
    // Later code may read the counter, and may only write it once no loop depends on it.
    this.counters = this.counters.filter((c) => c !== counter);
    if (this.loopDepth === 0) this.writable.push(counter);
    return [...prepare, ...list];
  }

  // A block or a counted loop whose values travel on the operand stack.
  valuesBlock() {
    const {random} = this;
    const list = Array.from({length: 1 + random.below(3)}, () => this.type());
    const fresh = () => list.map((type) => this.addLocal(type));
    const locals = fresh();
    const targets = random.chance(50) ? locals : fresh();
    const args = list.map((type) => this.expression(type, 2));
    const s = {op: 'values_block', types: list, label: {}, args, locals, targets, loop: random.chance(60) && this.loopDepth < 3};
    const prepare = [];
    this.writable.push(...locals);
    if (s.loop) {
      ++this.loopDepth;
      const counter = this.addLocal('i32');
      prepare.push({op: 'set', index: counter, value: constant('i32', this.trips())});
      s.body = this.statements(1 + random.below(2));
      s.values = list.map((type) => this.expression(type, 2));
      s.condition = {op: 'tee', type: 'i32', index: counter,
        value: simple('i32.sub', this.get(counter), constant('i32', 1))};
      --this.loopDepth;
    } else {
      s.body = this.statements(1 + random.below(2));
      s.values = list.map((type) => this.expression(type, 2));
      s.condition = random.chance(40) ? this.condition(2) : null;
    }
    if (targets !== locals) this.writable.push(...targets);
    return [...prepare, s];
  }
}

function generate(seed) {
  const random = new Random(seed);
  const profile = random.pick(profiles);
  const type = () => types[random.weighted(profile.weights)];
  const count = 1 + random.below(5);
  const signatures = Array.from({length: count}, () => ({
    parameters: Array.from({length: random.below(5)}, type),
    results: Array.from({length: random.chance(75) ? 1 : random.below(4)}, type),
  }));
  const functions = signatures.map((_, i) => new FunctionGenerator(random, profile, signatures, i).generate());
  const argument = (t) => random.chance(50) && t !== 'v128' ? random.pick(interesting[t]) :
      random.bits({i32: 32, f32: 32, i64: 64, f64: 64, v128: 128}[t]);
  const calls = [];
  for (let i = 0; i < count; ++i) {
    for (let k = 0; k < 3; ++k) calls.push({callee: i, args: signatures[i].parameters.map(argument)});
  }
  const globals = types.map((t) => ({type: t, value: argument(t)}));
  const bytes = (n) => Array.from({length: n}, () => random.below(256));
  const data = [{address: 0, bytes: bytes(600)}, {address: 4096, bytes: bytes(300)}, {address: 65000, bytes: bytes(536)}];
  return {seed, functions, calls, globals, data};
}

module.exports = {generate};
