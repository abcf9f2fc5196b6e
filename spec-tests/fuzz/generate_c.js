// Generates C programs from a seed and compiles them with clang for wasm32: what the fuzzer's own
// trees lack is the shape of code that a compiler leaves behind - strength-reduced loops, pointers
// that walk, unrolling, vectors, jump tables, spilled locals.
//
// Both engines run the same module, so whatever the compiler made of a program must agree; flags
// define what C leaves open. Programs end because every loop counts to a bound and functions
// call only earlier ones. NaN bits never leave the float arrays: the hash sees them as one value.
'use strict';
const fs = require('fs');
const path = require('path');
const {execFileSync} = require('child_process');
const {Random} = require('./random.js');

const integers = ['uint32_t', 'int32_t', 'uint64_t', 'int64_t', 'uint8_t', 'int16_t'];
const floats = ['float', 'double'];
const arrays = [
  {name: 'a8', type: 'uint8_t', size: 512}, {name: 's16', type: 'int16_t', size: 256},
  {name: 'a32', type: 'uint32_t', size: 256}, {name: 's32', type: 'int32_t', size: 256},
  {name: 'a64', type: 'uint64_t', size: 128}, {name: 'f32', type: 'float', size: 256},
  {name: 'f64', type: 'double', size: 128},
];

class CGenerator {
  constructor(random) {
    this.random = random;
    this.functions = [];  // {name, result, parameters}
    this.names = 0;
  }

  type() { return this.random.chance(75) ? this.random.pick(integers) : this.random.pick(floats); }
  fresh() { return `v${this.names++}`; }

  constant(type) {
    const {random} = this;
    if (floats.includes(type)) return random.pick(['0.5', '1.0', '-2.25', '3.0', '0.001', '1e6', '-1e-3']);
    const value = random.pick([0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 63, 100, 255, 256, 1000, 65535, 0x7FFFFFFF, 0x80000000, 0xDEADBEEF]);
    return random.chance(20) ? `${value}ull * ${random.below(1000)}` : `${value}u`;
  }

  element(depth) {
    const {random} = this;
    const array = random.pick(arrays);
    if (this.counters.length && random.chance(65)) {
      const counter = random.pick(this.counters);
      const shape = random.pick(['C', 'C', 'C + K', 'C * K', '255 - C', '(C >> 1) + K', 'C ^ K']);
      const index = shape.replace('C', counter).replace('K', String(random.below(9)));
      return `${array.name}[(${index}) & ${array.size - 1}]`;
    }
    return `${array.name}[(uint32_t)(${this.expression('uint32_t', depth - 1)}) & ${array.size - 1}]`;
  }

  variable() { return this.random.pick(this.variables); }

  expression(type, depth) {
    const {random} = this;
    if (depth <= 0) {
      if (random.chance(25)) return this.constant(type);
      return this.counters.length && random.chance(30) ? random.pick(this.counters) : this.variable();
    }
    const a = () => this.expression(type, depth - 1);
    const isFloat = floats.includes(type);
    switch (random.weighted([40, 12, 20, 8, 6, 6, 5])) {
      case 0: {
        if (isFloat) return `((${a()}) ${random.pick(['+', '-', '*', '/'])} (${a()}))`;
        const op = random.pick(['+', '-', '*', '&', '|', '^', '+', '-', '<<', '>>', '/', '%']);
        if (op === '<<' || op === '>>') return `((${type})(${a()}) ${op} ((uint32_t)(${a()}) & 31))`;
        // Floats may mix in anywhere; the integer operators need a cast.
        if (op === '/' || op === '%') return `((${type})(${a()}) ${op} ((${type})(((uint32_t)(${a()}) & 0x7fff) | 1)))`;
        return `((${type})(${a()}) ${op} (${type})(${a()}))`;
      }
      case 1: return `((${this.type()})(${this.expression(this.type(), depth - 1)}))`;
      case 2: return this.element(depth);
      case 3: return `(${this.condition(depth - 1)} ? ${a()} : ${a()})`;
      case 4: {
        const x = `(uint32_t)(${this.expression('uint32_t', depth - 1)})`;
        const k = 1 + random.below(31);
        return random.pick([`((${x} << ${k}) | (${x} >> ${32 - k}))`, `__builtin_popcount(${x})`,
          `__builtin_clz((${x}) | 1u)`, `__builtin_ctz((${x}) | 256u)`, `__builtin_bswap32(${x})`]);
      }
      case 5: {
        if (!this.functions.length || this.callsLeft <= 0 || !this.mayCall) return this.variable();
        --this.callsLeft;
        const callee = random.pick(this.functions);
        return `${callee.name}(${callee.parameters.map((t) => `(${t})(${this.expression(t, depth - 1)})`).join(', ')})`;
      }
      default: {
        const [x, y] = [this.variable(), this.variable()];
        return random.pick([`(${x} < ${y} ? ${x} : ${y})`, `(${x} > ${y} ? ${x} : ${y})`]);
      }
    }
  }

  condition(depth) {
    const {random} = this;
    const type = this.type();
    const compare = `(${type})(${this.expression(type, depth - 1)}) ${random.pick(['<', '>', '<=', '>=', '==', '!='])} (${type})(${
        this.expression(type, depth - 1)})`;
    return random.chance(15) ? `(${compare} && ${this.variable()} != ${this.variable()})` : `(${compare})`;
  }

  block(count) { return Array.from({length: count}, () => this.statement()).join('\n'); }

  statement() {
    const {random} = this;
    if (--this.fuel < 0) return `${this.variable()} += 1;`;
    switch (random.weighted([30, 25, 12, this.depth < 3 ? 22 : 0, 6, 5, this.depth < 2 ? 6 : 0])) {
      case 0: return `${this.variable()} ${random.pick(['=', '=', '+=', '-=', '*='])} ${this.expression(this.type(), 3)};`;
      case 1: {
        const target = this.element(2);
        return `${target} ${random.pick(['=', '=', '+=', '-='])} ${this.expression(this.type(), 3)};`;
      }
      case 2: return `if (${this.condition(2)}) {\n${this.block(1 + random.below(3))}\n}${
          random.chance(50) ? ` else {\n${this.block(1 + random.below(2))}\n}` : ''}`;
      case 3: return this.loop();
      case 4: {
        const cases = Array.from({length: 2 + random.below(6)}, (_, k) =>
            `case ${k}:\n${this.block(1)}\n${random.chance(75) ? 'break;' : ''}`);
        return `switch ((uint32_t)(${this.expression('uint32_t', 2)}) & 7) {\n${cases.join('\n')}\ndefault:\n${this.block(1)}\n}`;
      }
      case 5: {
        if (this.loops > 0 && random.chance(70)) return `if (${this.condition(2)}) ${random.pick(['break', 'continue'])};`;
        const target = this.variable();
        return `${target} = (uint32_t)${target} ^ (uint32_t)${this.variable()};`;
      }
      default: {  // a walking pointer
        const array = random.pick(arrays);
        const p = this.fresh();
        const step = 1 + random.below(3);
        const outer = this.mayCall;
        this.mayCall = false;
        ++this.depth;
        const text = `for (${array.type} *${p} = ${array.name} + ${random.below(8)}; ${p} < ${array.name} + ${
            array.size - random.below(20)}; ${p} += ${step}) {\n*${p} ${random.pick(['+=', '-=', '='])} ${
            random.pick([this.expression(array.type, 2), `*${p} * 3`, `${this.variable()} + *${p}`])};\n${
            random.chance(40) ? `${this.variable()} += *${p};` : ''}\n}`;
        --this.depth;
        this.mayCall = outer;
        return text;
      }
    }
  }

  loop() {
    const {random} = this;
    const counter = this.fresh();
    // Calls may be made outside of loops and in short ones: the work must not multiply.
    const outer = this.mayCall;
    this.mayCall = this.depth === 0 && random.chance(30);
    const bound = this.mayCall ? 1 + random.below(4) : this.depth === 0 ? 1 + random.below(120) : 1 + random.below(12);
    const step = random.pick([1, 1, 1, 2, 3]);
    const type = random.pick(['int', 'uint32_t', 'int', 'uint64_t']);
    ++this.depth;
    ++this.loops;
    this.counters.push(counter);
    const body = this.block(1 + random.below(3));
    this.counters.pop();
    --this.loops;
    --this.depth;
    this.mayCall = outer;
    const head = random.chance(75) ? `for (${type} ${counter} = ${random.below(3)}; ${counter} < ${bound * step}; ${counter} += ${step})` :
        `for (int ${counter} = ${bound}; ${counter} > 0; --${counter})`;
    return `${head} {\n${body}\n}`;
  }

  function(index) {
    const {random} = this;
    const parameters = Array.from({length: random.below(5)}, () => this.type());
    const result = this.type();
    this.variables = parameters.map((_, i) => `p${i}`);
    this.counters = [];
    this.depth = this.loops = 0;
    this.mayCall = true;
    this.callsLeft = 3;
    this.fuel = 12 + random.below(30);
    const locals = Array.from({length: 2 + random.below(8)}, () => {
      const name = this.fresh();
      this.variables.push(name);
      return {name, type: this.type()};
    });
    const declarations = locals.map(({name, type}) => `${type} ${name} = ${this.constant(type)};`).join(' ');
    const body = this.block(3 + random.below(5));
    const sum = this.variables.map((v) => `fold_double((double)${v})`).join(' + ');
    const f = {name: `f${index}`, result, parameters};
    this.functions.push(f);
    return `__attribute__((noinline)) ${result} ${f.name}(${parameters.map((t, i) => `${t} p${i}`).join(', ') || 'void'}) {
${declarations}
${body}
state += ${sum};
return (${result})(${this.variable()});
}`;
  }

  program() {
    const count = 1 + this.random.below(4);
    const functions = Array.from({length: count}, (_, i) => this.function(i));
    const calls = [];
    this.functions.forEach((f) => {
      for (let k = 0; k < 2; ++k) {
        const args = f.parameters.map((t) => `(${t})${this.constant(t)}`).join(', ');
        calls.push(`__attribute__((export_name("call${calls.length}"))) uint64_t call${calls.length}(void) { return fold_double((double)${f.name}(${args})); }`);
      }
    });
    const text = `typedef unsigned char uint8_t; typedef short int16_t; typedef unsigned uint32_t; typedef int int32_t;
typedef unsigned long long uint64_t; typedef long long int64_t;
${arrays.map((a) => `${a.type} ${a.name}[${a.size}];`).join(' ')}
uint64_t state;
static uint64_t fold_double(double x) {
  if (x != x) return 7;
  return __builtin_bit_cast(uint64_t, x) * 0x9E3779B97F4A7C15ull >> 3;
}
${functions.join('\n')}
${calls.join('\n')}
__attribute__((export_name("hash"))) uint64_t hash(void) {
  uint64_t h = state;
${arrays.map((a) => floats.includes(a.type) ?
      `  for (int i = 0; i < ${a.size}; ++i) h = h * 0x100000001B3ull + fold_double(${a.name}[i]);` :
      `  for (int i = 0; i < ${a.size}; ++i) h = h * 0x100000001B3ull + ${a.name}[i];`).join('\n')}
  return h;
}
`;
    return {text, calls: calls.length};
  }
}

// {text, wasm, calls} of a seed. `folder` is for the compiler's files.
function generateC(seed, folder) {
  const random = new Random(seed);
  const options = [random.pick(['-O1', '-O2', '-O2', '-O3', '-Os']),
    ...(random.chance(50) ? ['-msimd128'] : []), ...(random.chance(50) ? ['-mnontrapping-fptoint', '-msign-ext'] : [])];
  const {text, calls} = new CGenerator(random).program();
  const source = path.join(folder, 'program.c');
  const output = path.join(folder, 'program.wasm');
  fs.writeFileSync(source, text);
  execFileSync('clang-19', ['--target=wasm32', '-std=c2x', '-nostdlib', '-w', '-fwrapv', '-fno-strict-float-cast-overflow', '-mbulk-memory', '-Wl,--no-entry',
    '-Wl,-z,stack-size=4096', ...options, source, '-o', output], {stdio: ['ignore', 'ignore', 'inherit']});
  return {text: `// clang-19 ${options.join(' ')}\n${text}`, wasm: fs.readFileSync(output), calls};
}

module.exports = {generateC};
