// Encodes a program (a tree, see generate.js) as a WebAssembly module.
//
// With `oracle` set, every float operation whose NaN results our engine makes canonical is followed
// by instructions that do the same, so that any other engine computes the same bits.
'use strict';
const {byName, typeCode, canonicalisedAs} = require('./opcodes.js');

class Bytes {
  constructor() { this.list = []; }
  byte(...values) { for (const value of values) this.list.push(value & 0xFF); return this; }
  u32(value) {
    value >>>= 0;
    do {
      const low = value & 0x7F;
      value >>>= 7;
      this.list.push(value ? low | 0x80 : low);
    } while (value);
    return this;
  }
  signed(value) {  // a BigInt
    for (;;) {
      const low = Number(value & 0x7Fn);
      value >>= 7n;
      const done = (value === 0n && !(low & 0x40)) || (value === -1n && (low & 0x40));
      this.list.push(done ? low : low | 0x80);
      if (done) return this;
    }
  }
  fixed(value, width) {  // a BigInt, little-endian
    for (let i = 0; i < width; ++i) this.list.push(Number((value >> BigInt(8 * i)) & 0xFFn));
    return this;
  }
  append(other) { for (const value of other.list) this.list.push(value); return this; }
  vector(items, write) {
    this.u32(items.length);
    for (const item of items) write(item);
    return this;
  }
  name(text) {
    const bytes = Buffer.from(text);
    return this.u32(bytes.length).byte(...bytes);
  }
}

class ModuleEncoder {
  constructor(program, oracle) {
    this.program = program;
    this.oracle = oracle;
    this.types = [];
    this.typeIndices = new Map();
  }

  typeIndex(parameters, results) {
    const key = parameters.join() + ':' + results.join();
    if (!this.typeIndices.has(key)) {
      this.typeIndices.set(key, this.types.length);
      this.types.push({parameters, results});
    }
    return this.typeIndices.get(key);
  }

  // Functions: the program's, then `hash`, then one without parameters for each call.
  encode() {
    const {program} = this;
    const functions = program.functions.map((f) => this.functionBody(f));
    functions.push(this.hashFunction());
    const hashIndex = functions.length - 1;
    program.calls.forEach((call) => functions.push(this.harness(call)));

    const exported = [['hash', hashIndex]].concat(
        program.calls.map((call, k) => [`call${k}`, hashIndex + 1 + k]));
    const out = new Bytes().byte(0, 0x61, 0x73, 0x6D, 1, 0, 0, 0);
    const section = (id, write) => {
      const contents = new Bytes();
      write(contents);
      out.byte(id).u32(contents.list.length).append(contents);
    };
    section(1, (s) => s.vector(this.types, ({parameters, results}) =>
        s.byte(0x60).vector(parameters, (t) => s.byte(typeCode[t]))
            .vector(results, (t) => s.byte(typeCode[t]))));
    section(3, (s) => s.vector(functions, (f) => s.u32(f.type)));
    section(4, (s) => s.u32(1).byte(0x70, 0x00).u32(program.functions.length));
    section(5, (s) => s.u32(1).byte(0x01).u32(1).u32(3));
    section(6, (s) => s.vector(program.globals, (g) => {
      s.byte(typeCode[g.type], 1);
      this.constant(s, g.type, g.value);
      s.byte(0x0B);
    }));
    section(7, (s) => s.vector(exported, ([name, index]) => s.name(name).byte(0).u32(index)));
    section(9, (s) => s.u32(1).byte(0).byte(0x41, 0, 0x0B)
        .vector(program.functions, (f) => s.u32(program.functions.indexOf(f))));
    section(10, (s) => s.vector(functions, (f) => {
      s.u32(f.body.list.length).append(f.body);
    }));
    section(11, (s) => s.vector(program.data, ({address, bytes}) => {
      s.byte(0, 0x41).signed(BigInt(address)).byte(0x0B).u32(bytes.length).byte(...bytes);
    }));
    return Uint8Array.from(out.list);
  }

  localDeclarations(types) {
    const out = new Bytes().u32(types.length);
    for (const type of types) out.u32(1).byte(typeCode[type]);
    return out;
  }

  functionBody(f) {
    const locals = f.locals.slice(f.parameters.length);
    const scratch = {};
    if (this.oracle) {
      for (const type of ['f32', 'f64', 'v128']) {
        scratch[type] = f.parameters.length + locals.length;
        locals.push(type);
      }
    }
    const code = new Bytes();
    const encoder = new CodeEncoder(this, code, scratch);
    encoder.labels.push(f.label);
    encoder.statements(f.body);
    f.values.forEach((value) => encoder.expression(value));
    code.byte(0x0B);
    return {
      type: this.typeIndex(f.parameters, f.results),
      body: this.localDeclarations(locals).append(code),
    };
  }

  // () -> integers with the bits of all results.
  harness(call) {
    const f = this.program.functions[call.callee];
    const results = [];
    const code = new Bytes();
    f.parameters.forEach((type, i) => this.constant(code, type, call.args[i]));
    code.byte(0x10).u32(call.callee);
    // Results are taken from the stack in reverse, into locals, and given back as integers.
    f.results.forEach((_, i) => code.byte(0x21).u32(i));
    const reversed = f.results.slice().reverse();
    reversed.forEach((type, local) => {
      const get = () => code.byte(0x20).u32(local);
      if (type === 'v128') {
        for (const lane of [0, 1]) {
          get();
          this.opcode(code, byName.get('i64x2.extract_lane'));
          code.byte(lane);
          results.push('i64');
        }
        return;
      }
      get();
      if (type === 'f32') this.opcode(code, byName.get('i32.reinterpret_f32'));
      if (type === 'f64') this.opcode(code, byName.get('i64.reinterpret_f64'));
      results.push(type === 'i32' || type === 'f32' ? 'i32' : 'i64');
    });
    code.byte(0x0B);
    call.resultTypes = results;
    return {
      type: this.typeIndex([], results),
      body: this.localDeclarations(reversed).append(code),
    };
  }

  // () -> i64: a hash of the first page and of the globals.
  hashFunction() {
    const code = new Bytes();
    const op = (name) => this.opcode(code, byName.get(name));
    const get = (local) => code.byte(0x20).u32(local);
    const mix = () => {  // [value] -> []: h = (h * prime) + value
      code.byte(0x21).u32(2);
      get(1);
      this.constant(code, 'i64', 0x100000001B3n);
      op('i64.mul');
      get(2);
      op('i64.add');
      code.byte(0x21).u32(1);
    };
    code.byte(0x03, 0x40);
    get(0);
    op('i64.load');
    code.byte(0, 0);
    mix();
    get(0);
    code.byte(0x41, 8);
    op('i32.add');
    code.byte(0x22).u32(0);
    this.constant(code, 'i32', 65536n);
    op('i32.lt_u');
    code.byte(0x0D, 0, 0x0B);
    this.program.globals.forEach((global, index) => {
      const parts = global.type === 'v128' ? [0, 1] : [null];
      for (const part of parts) {
        code.byte(0x23).u32(index);
        if (global.type === 'i32') op('i64.extend_i32_u');
        if (global.type === 'f32') { op('i32.reinterpret_f32'); op('i64.extend_i32_u'); }
        if (global.type === 'f64') op('i64.reinterpret_f64');
        if (part !== null) { op('i64x2.extract_lane'); code.byte(part); }
        mix();
      }
    });
    get(1);
    code.byte(0x0B);
    return {
      type: this.typeIndex([], ['i64']),
      body: this.localDeclarations(['i32', 'i64', 'i64']).append(code),
    };
  }

  opcode(out, op) {
    if (op.prefix) out.byte(op.prefix).u32(op.code);
    else out.byte(op.code);
  }

  // `value`: the bits as a BigInt.
  constant(out, type, value) {
    if (type === 'i32') out.byte(0x41).signed(BigInt.asIntN(32, value));
    if (type === 'i64') out.byte(0x42).signed(BigInt.asIntN(64, value));
    if (type === 'f32') out.byte(0x43).fixed(value, 4);
    if (type === 'f64') out.byte(0x44).fixed(value, 8);
    if (type === 'v128') out.byte(0xFD).u32(12).fixed(value, 16);
  }
}

class CodeEncoder {
  constructor(module, out, scratch) {
    this.module = module;
    this.out = out;
    this.scratch = scratch;
    this.labels = [];
  }

  label(label) {
    const index = this.labels.lastIndexOf(label);
    if (index < 0) throw new Error('a branch to a label that is not open');
    this.out.u32(this.labels.length - 1 - index);
  }

  blockType(parameters, results) {
    if (parameters.length === 0 && results.length === 0) this.out.byte(0x40);
    else if (parameters.length === 0 && results.length === 1) this.out.byte(typeCode[results[0]]);
    else this.out.signed(BigInt(this.module.typeIndex(parameters, results)));
  }

  open(code, label, parameters, results) {
    this.out.byte(code);
    this.blockType(parameters, results);
    this.labels.push(label);
  }

  close() {
    this.labels.pop();
    this.out.byte(0x0B);
  }

  name(name) { this.module.opcode(this.out, byName.get(name)); }
  get(index) { this.out.byte(0x20).u32(index); }
  set(index) { this.out.byte(0x21).u32(index); }
  expressions(list) { list.forEach((e) => this.expression(e)); }
  statements(list) { list.forEach((s) => this.statement(s)); }

  // The result on the stack becomes canonical if it is a NaN.
  canonicalise(shape) {
    const type = shape.length > 3 ? 'v128' : shape;
    const scratch = this.scratch[type];
    const nan = {
      f32: 0x7FC00000n, f64: 0x7FF8000000000000n,
      f32x4: 0x7FC000007FC000007FC000007FC00000n, f64x2: 0x7FF80000000000007FF8000000000000n,
    }[shape];
    this.set(scratch);
    this.get(scratch);
    this.module.constant(this.out, type, nan);
    this.get(scratch);
    this.get(scratch);
    this.name(`${shape}.eq`);
    if (type === 'v128') this.name('v128.bitselect');
    else this.out.byte(0x1B);
  }

  simple(op, immediate) {
    this.module.opcode(this.out, op);
    if (op.kind === 'Lane') this.out.byte(immediate);
    if (op.kind === 'Shuffle') this.out.byte(...immediate);
    const shape = this.module.oracle ? canonicalisedAs(op) : null;
    if (shape) this.canonicalise(shape);
  }

  memory(node) {
    this.module.opcode(this.out, node.opcode);
    this.out.u32(node.alignment).u32(node.offset);
    if (node.opcode.lanes) this.out.byte(node.lane);
  }

  expression(e) {
    const {out} = this;
    switch (e.op) {
      case 'const': return this.module.constant(out, e.type, e.value);
      case 'get': return this.get(e.index);
      case 'tee': this.expression(e.value); return out.byte(0x22).u32(e.index);
      case 'global': return out.byte(0x23).u32(e.index);
      case 'simple': this.expressions(e.args); return this.simple(e.opcode, e.immediate);
      case 'load': this.expressions(e.args); return this.memory(e);
      case 'select':
        this.expressions([e.a, e.b, e.condition]);
        if (e.typed) return out.byte(0x1C, 1, typeCode[e.type]);
        return out.byte(0x1B);
      case 'if':
        this.expression(e.condition);
        this.open(0x04, e.label, [], [e.type]);
        this.statements(e.then);
        this.expression(e.thenValue);
        out.byte(0x05);
        this.statements(e.otherwise);
        this.expression(e.otherwiseValue);
        return this.close();
      case 'block':
        this.open(0x02, e.label, [], [e.type]);
        this.statements(e.body);
        this.expression(e.value);
        return this.close();
      case 'br_if_value':
        this.expressions([e.value, e.condition]);
        out.byte(0x0D);
        return this.label(e.label);
      case 'seq': this.statements(e.body); return this.expression(e.value);
      case 'waiting':  // the first value waits on the stack while statements run
        this.expression(e.args[0]);
        this.statements(e.body);
        this.expression(e.args[1]);
        return this.simple(e.opcode);
      case 'call': this.expressions(e.args); return out.byte(0x10).u32(e.callee);
      case 'call_indirect': return this.callIndirect(e);
      case 'memory.size': return out.byte(0x3F, 0);
      case 'memory.grow': this.expression(e.value); return out.byte(0x40, 0);
      default: throw new Error(`no such expression: ${e.op}`);
    }
  }

  callIndirect(e) {
    this.expressions(e.args);
    this.expression(e.index);
    const callee = this.module.program.functions[e.callee];
    this.out.byte(0x11).u32(this.module.typeIndex(callee.parameters, callee.results)).byte(0);
  }

  statement(s) {
    const {out} = this;
    switch (s.op) {
      case 'nop': return out.byte(0x01);
      case 'set': this.expression(s.value); return this.set(s.index);
      case 'global.set': this.expression(s.value); return out.byte(0x24).u32(s.index);
      case 'drop': this.expression(s.value); return out.byte(0x1A);
      case 'store': this.expressions(s.args); return this.memory(s);
      case 'fill': this.expressions(s.args); return out.byte(0xFC, 11, 0);
      case 'copy': this.expressions(s.args); return out.byte(0xFC, 10, 0, 0);
      case 'if':
        this.expression(s.condition);
        this.open(0x04, s.label, [], []);
        this.statements(s.then);
        if (s.otherwise) {
          out.byte(0x05);
          this.statements(s.otherwise);
        }
        return this.close();
      case 'block':
        this.open(0x02, s.label, [], []);
        this.statements(s.body);
        return this.close();
      case 'loop':
        this.open(0x03, s.label, [], []);
        this.statements(s.body);
        return this.close();
      case 'values_block':  // a block or loop with parameters and results, kept in locals
        this.expressions(s.args);
        this.open(s.loop ? 0x03 : 0x02, s.label, s.types, s.types);
        s.types.forEach((_, i) => this.set(s.locals[s.types.length - 1 - i]));
        this.statements(s.body);
        this.expressions(s.values);
        if (s.condition) {
          this.expression(s.condition);
          out.byte(0x0D);
          this.label(s.label);
        }
        this.close();
        return s.types.forEach((_, i) => this.set(s.targets[s.types.length - 1 - i]));
      case 'br': this.expressions(s.values); out.byte(0x0C); return this.label(s.label);
      case 'br_if': this.expression(s.condition); out.byte(0x0D); return this.label(s.label);
      case 'return': this.expressions(s.values); return out.byte(0x0F);
      case 'unreachable': return out.byte(0x00);
      case 'switch': {
        // Nested blocks, innermost first; case k runs after the block that label k ends.
        this.open(0x02, s.exit, [], []);
        for (let k = s.labels.length - 1; k >= 0; --k) this.open(0x02, s.labels[k], [], []);
        this.expression(s.index);
        out.byte(0x0E).u32(s.table.length);
        for (const label of s.table) this.label(label);
        this.label(s.fallback);
        s.cases.forEach((body) => {
          this.close();
          this.statements(body);
        });
        return this.close();
      }
      case 'call': // results into locals
        this.expressions(s.args);
        out.byte(0x10).u32(s.callee);
        return s.targets.forEach((_, i) => this.set(s.targets[s.targets.length - 1 - i]));
      default: throw new Error(`no such statement: ${s.op}`);
    }
  }
}

const encode = (program, oracle) => new ModuleEncoder(program, oracle).encode();
module.exports = {encode};
