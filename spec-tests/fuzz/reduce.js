// Makes a failing program smaller: removes calls, statements and subtrees while it still fails.
// Bounded: every accepted step removes nodes, and each round tries each place once.
'use strict';
const {opcodes} = require('./opcodes.js');

const isNode = (value) => value !== null && typeof value === 'object' && typeof value.op === 'string';
// Opcode rows are shared, not part of the tree.
const shared = new Set(opcodes);

// Calls visit(owner, key) for every place that holds a node, and visitList(list) for statement lists.
function walk(value, visit, visitList) {
  if (value === null || typeof value !== 'object' || shared.has(value)) return;
  if (Array.isArray(value)) {
    if (value.length && isNode(value[0]) && value[0].type === undefined) visitList(value);
    value.forEach((item, i) => {
      if (isNode(item) && item.type !== undefined) visit(value, i);
      walk(item, visit, visitList);
    });
    return;
  }
  for (const key of Object.keys(value)) {
    if (isNode(value[key])) visit(value, key);
    walk(value[key], visit, visitList);
  }
}

// The direct children of an expression that have its type.
function sameTypeChildren(node) {
  const found = [];
  for (const key of Object.keys(node)) {
    const candidates = Array.isArray(node[key]) ? node[key] : [node[key]];
    for (const child of candidates) if (isNode(child) && child.type === node.type) found.push(child);
  }
  return found;
}

function reduce(program, stillFails) {
  const attempt = (change, undo) => {
    change();
    if (stillFails(program)) return true;
    undo();
    return false;
  };

  for (let i = program.calls.length - 1; i >= 0 && program.calls.length > 1; --i) {
    const [removed] = program.calls.slice(i, i + 1);
    attempt(() => program.calls.splice(i, 1), () => program.calls.splice(i, 0, removed));
  }

  for (let changed = true, round = 0; changed && round < 12; ++round) {
    changed = false;
    // Statements, in runs from large to small.
    const lists = [];
    walk(program.functions, () => {}, (list) => lists.push(list));
    for (const list of lists) {
      for (let size = list.length; size >= 1; size >>= 1) {
        for (let at = list.length - size; at >= 0; at -= size) {
          const removed = list.slice(at, at + size);
          if (attempt(() => list.splice(at, size), () => list.splice(at, 0, ...removed))) changed = true;
        }
      }
    }
    // Expressions: a child of the same type, or zero.
    const places = [];
    walk(program.functions, (owner, key) => places.push([owner, key]), () => {});
    for (const [owner, key] of places) {
      const node = owner[key];
      if (!isNode(node) || node.type === undefined || node.op === 'const' || node.op === 'get') continue;
      const zero = {op: 'const', type: node.type, value: 0n};
      for (const replacement of [zero, ...sameTypeChildren(node)]) {
        if (attempt(() => { owner[key] = replacement; }, () => { owner[key] = node; })) {
          changed = true;
          break;
        }
      }
    }
    // Blocks become their contents.
    const moreLists = [];
    walk(program.functions, () => {}, (list) => moreLists.push(list));
    for (const list of moreLists) {
      for (let at = list.length - 1; at >= 0; --at) {
        const s = list[at];
        if (!s || !['block', 'if'].includes(s.op)) continue;
        const body = s.op === 'block' ? s.body : s.then;
        if (attempt(() => list.splice(at, 1, ...body), () => list.splice(at, body.length, s))) changed = true;
      }
    }
  }
  return program;
}

module.exports = {reduce};
