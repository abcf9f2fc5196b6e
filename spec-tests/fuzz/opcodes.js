// The opcode table as JavaScript objects, read from loader/opcodes.def: the fuzzer knows every
// opcode that the engine knows, and nothing twice.
'use strict';
const fs = require('fs');
const path = require('path');

const typeOfLetter = {i: 'i32', l: 'i64', f: 'f32', d: 'f64', v: 'v128'};
const typeCode = {i32: 0x7F, i64: 0x7E, f32: 0x7D, f64: 0x7C, v128: 0x7B};

function readOpcodes() {
  const text = fs.readFileSync(path.join(__dirname, '../../loader/opcodes.def'), 'utf8');
  const row = /^OP\((\w+), (\w+), "([^"]+)", (0x\w+), (0x\w+), (\w+), "([^"]*)", (\w+), (\w+)\)/gm;
  const list = [];
  for (const [, , , name, prefix, code, immediate, signature, kind] of text.matchAll(row)) {
    const [parameters, results] = signature.split(':').map(
        (letters) => [...letters].map((letter) => typeOfLetter[letter]));
    list.push({
      name, prefix: Number(prefix), code: Number(code), immediate, kind,
      parameters: parameters || [], result: (results || [])[0],
      alignment: /^MemArg/.test(immediate) ? Number(immediate.at(-1)) : 0,
      lanes: /^Lane/.test(immediate) ? Number(immediate.slice(4)) :
          /^MemArgLane/.test(immediate) ? 16 >> Number(immediate.at(-1)) : 0,
    });
  }
  if (list.length < 400) throw new Error('loader/opcodes.def has another form than expected');
  return list;
}

const opcodes = readOpcodes();
const byName = new Map(opcodes.map((op) => [op.name, op]));

// Operations whose NaN results the deterministic profile makes canonical: 'f32', 'f64', 'f32x4',
// 'f64x2', or null.
function canonicalisedAs(op) {
  const match = /^(f32|f64|f32x4|f64x2)\.(.+)$/.exec(op.name);
  if (!match) return null;
  const arithmetic = /^(add|sub|mul|div|sqrt|min|max|ceil|floor|trunc|nearest|demote_\w+|promote_\w+)$/;
  return arithmetic.test(match[2]) ? match[1] : null;
}

module.exports = {opcodes, byName, typeCode, canonicalisedAs};
