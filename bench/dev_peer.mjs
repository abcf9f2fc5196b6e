// What qip-dev is compared with: the same components behind Node.js' HTTP server.
//
//   node dev_peer.mjs --content FOLDER --port N [--processes N] [--mode fresh|kept|cached] COMPONENT...
//
// /name is FOLDER/name.md sent through the components. Modules are compiled once. fresh: every
// request gets fresh instances, like in qip-dev. kept: a process keeps its instances, so that a
// component may see what an earlier request left in its memory; shows what V8's compiled code is
// worth. cached: what was made before, if the file's metadata are the same. It does less than
// qip-dev: no entity tag, no log, and no time limit, so an endless component would stop a process
// for good. Assumes components that take and give UTF-8.
import cluster from 'node:cluster';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import {isUtf8} from 'node:buffer';
import {parseArgs} from 'node:util';

const {values: options, positionals: files} = parseArgs({
  allowPositionals: true,
  options: {
    content: {type: 'string'},
    port: {type: 'string'},
    processes: {type: 'string', default: '1'},
    mode: {type: 'string', default: 'fresh'},
  },
});

const modules = files.map((file) => new WebAssembly.Module(fs.readFileSync(file)));
const kept = options.mode === 'kept' ? modules.map((module) => new WebAssembly.Instance(module, {})) : [];

const number = (value) => (typeof value === 'function' ? value() : value.value) >>> 0;

// The bytes at address: a view of the component's memory.
function bytesOf(exports, address, size) {
  const memory = exports.memory.buffer;
  if (address + size > memory.byteLength) throw new Error('outside the memory');
  return new Uint8Array(memory, address, size);
}

function runComponent({exports}, input) {
  if (input.length > number(exports.input_utf8_cap)) throw new Error('input is too large');
  bytesOf(exports, number(exports.input_ptr), input.length).set(input);
  const size = (exports.render ?? exports.run)(input.length) >>> 0;
  if (size > number(exports.output_utf8_cap)) throw new Error('output is too large');
  const output = bytesOf(exports, number(exports.output_ptr), size);
  if (!isUtf8(output)) throw new Error('output is not UTF-8');
  return output;
}

function runChain(input) {
  return modules.reduce(
      (bytes, module, i) => runComponent(kept[i] ?? new WebAssembly.Instance(module, {}), bytes), input);
}

const remembered = new Map();  // path -> {stamp, body}

function respond(file) {
  if (options.mode !== 'cached') return runChain(fs.readFileSync(file));
  const {size, mtimeMs, ctimeMs} = fs.statSync(file);
  const stamp = `${size} ${mtimeMs} ${ctimeMs}`;
  const known = remembered.get(file);
  if (known?.stamp === stamp) return known.body;
  const body = Buffer.from(runChain(fs.readFileSync(file)));
  remembered.set(file, {stamp, body});
  return body;
}

function serve(request, response) {
  try {
    const name = path.normalize(decodeURIComponent(request.url));
    const body = respond(path.join(options.content, `${name}.md`));
    response.writeHead(200, {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Length': body.length,
      'Cache-Control': 'no-cache',
      'X-Content-Type-Options': 'nosniff',
    });
    response.end(body);
  } catch (error) {
    response.writeHead(error.code === 'ENOENT' ? 404 : 500).end();
  }
}

const processes = Number(options.processes);
if (cluster.isPrimary && processes > 1) {
  for (let i = 0; i < processes; i++) cluster.fork();
} else {
  http.createServer(serve).listen({port: Number(options.port), host: '127.0.0.1', backlog: 4096});
}
