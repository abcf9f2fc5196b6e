// Differential fuzzer: random programs run in V8 and in our engine; results, traps and the state
// of memory and globals must agree to the bit.
//
//   node fuzz_programs.js [--runner build/spec_runner] [--seconds 60] [--seed N] [--count N]
//                         [--source trees|c] [--batch 100] [--keep DIR] [--no-reduce]
//
// Programs are written as specification scripts and run by spec_runner, a batch per process. Each
// program follows from its seed alone: `--seed N --count 1` repeats one. They are random trees of
// instructions, or random C compiled by clang-19. A program that differs is left in DIR (default:
// in the system's temporary folder) as .wasm and .json, a tree in reduced form, C with its source.
// Exit status 1 if any differed.
'use strict';
const fs = require('fs');
const os = require('os');
const path = require('path');
const {spawnSync} = require('child_process');
const {generate} = require('./fuzz/generate.js');
const {generateC} = require('./fuzz/generate_c.js');
const {encode} = require('./fuzz/encode.js');
const {reduce} = require('./fuzz/reduce.js');

const options = {
  runner: 'build/spec_runner', seconds: 60, seed: 0, count: Infinity, batch: 0, source: 'trees',
  keep: path.join(os.tmpdir(), 'qip-fuzz'), reduce: true,
};
for (let i = 2; i < process.argv.length; ++i) {
  const name = process.argv[i].replace(/^--/, '');
  if (name === 'no-reduce') options.reduce = false;
  else if (name in options) {
    const value = process.argv[++i];
    options[name] = typeof options[name] === 'number' ? Number(value) : value;
  } else {
    console.error(`unknown option ${process.argv[i]}`);
    process.exit(2);
  }
}

// V8's messages in the specification's words. V8 does not tell the two reasons why a float cannot
// become an integer; the runner compares prefixes.
const trapTexts = [
  [/unreachable/, 'unreachable'],
  [/divide by zero|remainder by zero/, 'integer divide by zero'],
  [/divide result unrepresentable/, 'integer overflow'],
  [/float unrepresentable/, 'in'],
  [/memory access out of bounds/, 'out of bounds memory access'],
  [/table index is out of bounds/, 'undefined element'],
  [/signature/, 'indirect call type mismatch'],
];

if (options.batch === 0) options.batch = options.source === 'c' ? 10 : 100;

// The expected outcome of one export, as a command of a script.
function expectation(instance, field, resultTypes, line) {
  const action = {type: 'invoke', field, args: []};
  try {
    const value = instance.exports[field]();
    const list = resultTypes.length === 0 ? [] : resultTypes.length === 1 ? [value] : [...value];
    const expected = resultTypes.map((type, i) => ({
      type, value: type === 'i32' ? String(list[i] >>> 0) : String(BigInt.asUintN(64, list[i])),
    }));
    return {type: 'assert_return', line, action, expected};
  } catch (error) {
    const found = trapTexts.find(([pattern]) => pattern.test(error.message));
    if (!(error instanceof WebAssembly.RuntimeError) || !found) throw error;
    return {type: 'assert_trap', line, action, text: found[1], expected: []};
  }
}

// What both sources have in common: the module for V8, the module for our engine, and the result
// types of the exports call0, call1, ...
function fromTree(program) {
  // The encoder fills in the result types of the calls.
  const oracle = encode(program, true);
  return {oracle, subject: encode(program, false), resultTypes: program.calls.map((call) => call.resultTypes)};
}
function fromC(seed) {
  const {text, wasm, calls} = generateC(seed, folder);
  return {oracle: wasm, subject: wasm, resultTypes: Array(calls).fill(['i64']), text};
}
const programOf = (seed) => options.source === 'c' ? fromC(seed) : fromTree(generate(seed));

// The commands that check one program; its module goes to `directory`. `line` is the first line.
function commandsFor(program, directory, filename, line) {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(program.oracle), {});
  fs.writeFileSync(path.join(directory, filename), program.subject);
  const commands = [{type: 'module', line, filename}];
  program.resultTypes.forEach((types, k) => {
    commands.push(expectation(instance, `call${k}`, types, line + 1 + 2 * k));
    commands.push(expectation(instance, 'hash', ['i64'], line + 2 + 2 * k));
  });
  return commands;
}

// Runs the scripts of a folder; the lines that failed, in order.
function run(folder, commands) {
  fs.writeFileSync(path.join(folder, 'fuzz.json'), JSON.stringify({source_filename: 'fuzz', commands}));
  const result = spawnSync(options.runner, ['--set', 'fuzz', folder], {encoding: 'utf8', timeout: 120000});
  if (result.error) throw result.error;
  const failures = [];
  for (const match of result.stdout.matchAll(/^fuzz\/fuzz\.wast:(\d+): (.*)$/gm)) {
    failures.push({line: Number(match[1]), message: match[2]});
  }
  if (result.status !== 0 && failures.length === 0) {
    throw new Error(`the runner failed: ${result.stdout}${result.stderr}`);
  }
  return failures;
}

const kLinesPerProgram = 1000;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'qip-fuzz-'));
process.on('exit', () => fs.rmSync(folder, {recursive: true, force: true}));

// True if this program alone makes the runner report a failure.
function fails(program) {
  try {
    return run(folder, commandsFor(program, folder, 'one.wasm', 0)).length > 0;
  } catch (error) {
    return false;  // not a valid module any more
  }
}

function report(seed, failure) {
  console.log(`seed ${seed}: ${failure.message}`);
  let program = programOf(seed);
  if (options.source === 'trees' && options.reduce) {
    program = fromTree(reduce(generate(seed), (candidate) => {
      try {
        return fails(fromTree(candidate));
      } catch (error) {
        return false;  // a branch whose label is gone
      }
    }));
  }
  fs.mkdirSync(options.keep, {recursive: true});
  const name = path.join(options.keep, `${options.source}-${seed}`);
  const commands = commandsFor(program, options.keep, `${path.basename(name)}.wasm`, 0);
  fs.writeFileSync(`${name}.json`, JSON.stringify({source_filename: path.basename(name), commands}, null, 1));
  if (program.text) fs.writeFileSync(`${name}.c`, program.text);
  console.log(`  kept as ${name}.wasm (and .json); see it with wasm2wat -f`);
}

const end = Date.now() + options.seconds * 1000;
let seed = options.seed;
let programs = 0;
let assertions = 0;
let differing = 0;
while (Date.now() < end && programs < options.count) {
  const commands = [];
  const first = seed;
  for (let k = 0; k < options.batch && programs < options.count; ++k, ++seed, ++programs) {
    commands.push(...commandsFor(programOf(seed), folder, `${k}.wasm`, k * kLinesPerProgram));
  }
  assertions += commands.length;
  const reported = new Set();
  for (const failure of run(folder, commands)) {
    const failing = first + Math.floor(failure.line / kLinesPerProgram);
    if (reported.has(failing)) continue;
    reported.add(failing);
    ++differing;
    report(failing, failure);
    // A crash hides the programs behind it: go on with the next one.
    if (/^the process/.test(failure.message)) seed = failing + 1;
    if (differing >= 10) break;
  }
  if (differing >= 10) {
    console.log('stopping after ten');
    break;
  }
}
console.log(`fuzz: ${programs} programs (${options.source}) from seed ${options.seed}, ${assertions} assertions, ${differing} programs differ`);
process.exitCode = differing ? 1 : 0;
