// How qip-dev holds up: requests per second beside nginx and Node.js, errors, memory and file
// descriptors, clients beside an endless component, reloads under load, and a site of 5,000 pages.
//
//   bash dev_load.sh [--qip build/qip] [--rounds 3] [--seconds 3] [--pages 5000] [--reloads 100]
//                    [--parts site,load,endless,reload]
//
// All servers run at once and are measured in turns, so that what else the machine does meets all of
// them; printed are medians over the rounds, of ratios within a round and of the figures themselves.
// wrk, the client, runs on the same cores as the servers. Every server sends the same bytes with the
// same headers (Node.js without an entity tag); that is checked first. nginx logs nothing, qip-dev
// writes its line for each request to /dev/null. Uncached pages are asked for in turn, out of all
// pages, because qip-dev makes equal pages that are asked for at the same time only once.
// Fails if a response is wrong, missing or mixed, or if a file descriptor is left over; a figure
// does not fail. Assumes: the repository's root as current folder; wrk, nginx, node, Linux.
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import {once} from 'node:events';
import {spawn, spawnSync} from 'node:child_process';
import {parseArgs} from 'node:util';
import {setTimeout as sleep} from 'node:timers/promises';

const {values: options} = parseArgs({
  options: {
    qip: {type: 'string', default: 'build/qip'},
    rounds: {type: 'string', default: '3'},
    seconds: {type: 'string', default: '3'},
    pages: {type: 'string', default: '5000'},
    reloads: {type: 'string', default: '100'},
    parts: {type: 'string', default: 'site,load,endless,reload'},
  },
});
const rounds = Number(options.rounds), pageCount = Number(options.pages);
const cores = os.availableParallelism();
const kConnections = [50, 500];
const kMarkdown = 'modules/text/markdown/markdown-basic.wasm';
const kWrap = 'modules/text/html/html-page-wrap.wasm';

// In memory where the system has such a folder: the disk is not what is measured.
const folder = fs.mkdtempSync(path.join(fs.existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir(), 'qip-load-'));
const inFolder = (...names) => path.join(folder, ...names);
const started = new Set();
process.on('exit', () => {
  for (const child of started) child.kill('SIGKILL');
  fs.rmSync(folder, {recursive: true, force: true});
});
process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(143));

const failures = [];
function fail(text) {
  failures.push(text);
  console.log(`  FAILED: ${text}`);
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

function writeFile(bytes, ...names) {
  const file = inFolder(...names);
  fs.mkdirSync(path.dirname(file), {recursive: true});
  fs.writeFileSync(file, bytes);
  return file;
}

const column = (text, width) => String(text).padStart(width);
const thousands = (number) => Math.round(number).toLocaleString('en-US');

// --- The site ------------------------------------------------------------------------------------

// The blocks of a Markdown text between empty lines; code between fences is one block.
function blocksOf(text) {
  const blocks = [];
  let isInFence = false, block = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('```')) isInFence = !isInFence;
    if (line === '' && !isInFence) {
      if (block.length > 0) blocks.push(block.join('\n'));
      block = [];
    } else {
      block.push(line);
    }
  }
  return blocks.filter((text) => !text.startsWith('#'));
}

let state = 1;
// A number below `limit`, the same ones in every run.
function chance(limit) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor(state / 2 ** 32 * limit);
}

// A page of the README's blocks, at least `size` bytes long.
function page(title, size, blocks) {
  let text = `# ${title}\n`;
  while (text.length < size) {
    if (chance(4) === 0) text += `\n## ${title}, part ${chance(100)}\n`;
    text += `\n${blocks[chance(blocks.length)]}\n`;
  }
  return text;
}

const pageName = (number) => `page-${String(number).padStart(4, '0')}`;

// What the components make of a file, to the byte.
function render(source, ...components) {
  const output = inFolder('rendered');
  const {status, error, stderr} = spawnSync(options.qip, ['run', '-i', source, '-o', output, ...components]);
  if (status !== 0) throw new Error(`qip run ${source}: ${error ?? stderr}`);
  return fs.readFileSync(output);
}

// `site/content` with all pages, and `site/recipes`.
function makeSite(blocks) {
  let bytes = 0;
  for (let i = 0; i < pageCount; i++) {
    const text = page(`Page ${i}`, 2048 + chance(5000), blocks);
    bytes += Buffer.byteLength(text);
    writeFile(text, 'site', 'content', 'pages', `${pageName(i)}.md`);
  }
  writeFile(fs.readFileSync(kMarkdown), 'site', 'recipes', 'text', 'markdown', '10-markdown-basic.wasm');
  writeFile(fs.readFileSync(kWrap), 'site', 'recipes', 'text', 'markdown', '90-html-page-wrap.wasm');
  return bytes;
}

// One page as Markdown, and what the chain makes of it as a file.
function makeHotPage(blocks) {
  const source = writeFile(page('A page', 6000, blocks), 'site', 'content', 'page.md');
  const made = render(source, kMarkdown, kWrap);
  writeFile(made, 'site', 'content', 'fixed.html');
  return {source: fs.statSync(source).size, made};
}

// --- Servers -------------------------------------------------------------------------------------

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const {port} = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

async function waitForPort(port, child, name) {
  for (let tries = 0; tries < 1000; tries++) {
    const socket = net.connect(port, '127.0.0.1');
    const isOpen = await new Promise((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    socket.destroy();
    if (isOpen) return;
    if (child.exitCode !== null) break;
    await sleep(10);
  }
  throw new Error(`${name} does not listen on port ${port}`);
}

function start(program, words, stdio) {
  const child = spawn(program, words, {stdio});
  started.add(child);
  child.once('exit', () => started.delete(child));
  return child;
}

async function stop(server) {
  if (server.child.exitCode !== null) return;
  server.child.kill('SIGTERM');
  await once(server.child, 'exit');
}

const siteWords = (site) => [path.join(site, 'content'), '--recipes', path.join(site, 'recipes')];

async function startQip(name, words, log = 'ignore') {
  const port = await freePort();
  const child = start(options.qip, ['dev', ...words, '--mode', 'prod', '-p', String(port)],
      ['ignore', 'ignore', log]);
  await waitForPort(port, child, name);
  return {name, child, port};
}

async function startNginx(workers) {
  const port = await freePort();
  const temporary = inFolder(`nginx-${workers}`);
  fs.mkdirSync(temporary);
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((name) => `${name}_temp_path ${temporary};`).join(' ');
  const config = writeFile(`
    ${process.getuid() === 0 ? 'user root;' : ''}
    daemon off;
    pid ${temporary}/pid;
    error_log stderr crit;
    worker_processes ${workers};
    worker_rlimit_nofile 4096;
    events { worker_connections 2048; }
    http {
      access_log off;
      ${paths}
      sendfile on;
      tcp_nopush on;
      keepalive_requests 100000000;
      types { text/html html; }
      charset utf-8;
      add_header Cache-Control no-cache;
      add_header X-Content-Type-Options nosniff;
      server { listen 127.0.0.1:${port}; root ${inFolder('site', 'content')}; }
    }`, `nginx-${workers}`, 'nginx.conf');
  const name = `nginx, ${workers} ${workers === 1 ? 'worker' : 'workers'}`;
  const child = start('nginx', ['-p', temporary, '-e', 'stderr', '-c', config], ['ignore', 'ignore', 'inherit']);
  await waitForPort(port, child, name);
  return {name, child, port};
}

async function startPeer(mode) {
  const port = await freePort();
  const name = `Node.js, ${cores} processes, ${mode}`;
  const child = start(process.execPath, ['bench/dev_peer.mjs', '--content', inFolder('site', 'content'), '--port',
    String(port), '--processes', String(cores), '--mode', mode, kMarkdown, kWrap], ['ignore', 'ignore', 'inherit']);
  await waitForPort(port, child, name);
  return {name, child, port};
}

async function fetchBytes(server, target) {
  const response = await fetch(`http://127.0.0.1:${server.port}${target}`, {headers: {connection: 'close'}});
  if (response.status !== 200) throw new Error(`${server.name}: ${target} is ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}

// Resident now and at most, in MiB, and open file descriptors.
function resources({child}) {
  const status = fs.readFileSync(`/proc/${child.pid}/status`, 'utf8');
  const read = (key) => Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)[1]) / 1024;
  return {
    resident: read('VmRSS'), most: read('VmHWM'), files: fs.readdirSync(`/proc/${child.pid}/fd`).length,
  };
}

const describe = (was, now) => `${was.resident.toFixed(1)} MiB resident, then ${now.resident.toFixed(1)}, ` +
    `at most ${now.most.toFixed(1)}; ${was.files} file descriptors, then ${now.files}`;

// After connections have been closed the server may need a moment to do so too.
async function resourcesAtRest(server, files) {
  let now = resources(server);
  for (let tries = 0; now.files > files && tries < 200; tries++) {
    await sleep(50);
    now = resources(server);
  }
  return now;
}

// --- wrk -----------------------------------------------------------------------------------------

const kReport = `
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '{"requests":%d,"seconds":%f,"median":%f,"p99":%f,"longest":%f,"errors":%d}\\n', summary.requests,
    summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3,
    e.connect + e.read + e.write + e.status + e.timeout))
end`;

// Asks for all pages in turn, every thread from another one on.
const kAllPages = (count) => `
local threads = 0
setup = function(thread) thread:set("first", threads * ${Math.floor(count / 2)}) threads = threads + 1 end
local at = 0
request = function()
  at = at + 1
  return wrk.format("GET", string.format("/pages/page-%04d", (first + at) % ${count}))
end`;

const kEndless = `
local at = 0
request = function()
  at = at + 1
  return wrk.format("GET", string.format("/endless-%d.txt", at % 20))
end`;

function startWrk(server, target, connections, seconds, script) {
  const words = ['-t2', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '-s', script,
    `http://127.0.0.1:${server.port}${target}`];
  const child = start('wrk', words, ['ignore', 'pipe', 'inherit']);
  let said = '';
  child.stdout.on('data', (bytes) => said += bytes);
  const result = once(child, 'close').then(() => JSON.parse(/^\{.*\}$/m.exec(said)[0]));
  return {child, result};
}

// --- Load ----------------------------------------------------------------------------------------

const subject = (key, server, target, script = 'report.lua') => ({key, server, target, script: inFolder(script)});

async function measureSubject({key, server, target, script}, connections, seconds) {
  const result = await startWrk(server, target, connections, seconds, script).result;
  if (result.errors > 0) fail(`${server.name}, ${key}, ${connections} connections: ${result.errors} errors`);
  return {rate: result.requests / result.seconds, ...result};
}

async function checkSameBytes(subjects, expected) {
  const aPage = pageName(7 % pageCount);
  const made = render(inFolder('site', 'content', 'pages', `${aPage}.md`), kMarkdown, kWrap);
  for (const {server, target} of subjects) {
    const isOfMany = target === '/';
    const bytes = await fetchBytes(server, isOfMany ? `/pages/${aPage}` : target);
    if (!bytes.equals(isOfMany ? made : expected)) throw new Error(`${server.name} sends other bytes for ${target}`);
  }
}

// results: key -> connections -> one entry for each round.
function printRatios(results) {
  const ratio = (above, below, connections) => median(
      results[above][connections].map(({rate}, round) => rate / results[below][connections][round].rate)).toFixed(2);
  const row = (text, above, below) => console.log(
      `  ${text.padEnd(58)}${kConnections.map((n) => column(ratio(above, below, n), 8)).join('')}`);
  const heading = kConnections.map((n) => column(n, 8)).join('');
  console.log(`\n${'Ratios of requests per second'.padEnd(60)}${heading} connections`);
  row('static file to cached chain, qip-dev (promised: at most 2)', 'static', 'cached');
  row('static file: qip-dev to nginx with one worker', 'static', 'nginx 1');
  row(`static file: qip-dev to nginx with ${cores} workers`, 'static', `nginx ${cores}`);
  row('cached chain: qip-dev to Node.js', 'cached', 'peer cached');
  row('uncached chain: qip-dev to Node.js', 'uncached', 'peer fresh');
  row('uncached chain: qip-dev to Node.js that keeps instances', 'uncached', 'peer kept');
}

function printFigures(subjects, results) {
  const row = (text, cells) => console.log(`${text.padEnd(52)}${cells.join('')}`);
  console.log('');
  row('Requests per second, with milliseconds of waiting',
      kConnections.map((n) => column(`${n} connections`, 18) + column('median', 9) + column('99 %', 9)));
  for (const {key, server, text} of subjects) {
    const cells = kConnections.map((n) => {
      const of = (field) => median(results[key][n].map((result) => result[field]));
      return column(thousands(of('rate')), 18) + column(of('median').toFixed(2), 9) + column(of('p99').toFixed(1), 9);
    });
    row(`  ${text}: ${server.name}`, cells);
  }
}

async function printResources(servers, before) {
  console.log('\nBefore and after the rounds');
  for (const server of servers) {
    const was = before.get(server), now = await resourcesAtRest(server, was.files);
    console.log(`  ${server.name.padEnd(24)}${describe(was, now)}`);
    if (now.files !== was.files) fail(`${server.name}: ${now.files - was.files} file descriptors are left over`);
  }
}

async function measureLoad(hot) {
  const words = siteWords(inFolder('site'));
  const qip = await startQip('qip-dev', words);
  const uncached = await startQip('qip-dev --cache-max 0', [...words, '--cache-max', '0']);
  const nginx = [await startNginx(1), await startNginx(cores)];
  const peers = {};
  for (const mode of ['cached', 'fresh', 'kept']) peers[mode] = await startPeer(mode);
  writeFile(kReport, 'report.lua');
  writeFile(kAllPages(pageCount) + kReport, 'all.lua');
  const subjects = [
    {...subject('static', qip, '/fixed.html'), text: 'static file'},
    {...subject('nginx 1', nginx[0], '/fixed.html'), text: 'static file'},
    {...subject(`nginx ${cores}`, nginx[1], '/fixed.html'), text: 'static file'},
    {...subject('cached', qip, '/page'), text: 'cached chain'},
    {...subject('peer cached', peers.cached, '/page'), text: 'cached chain'},
    {...subject('uncached', uncached, '/', 'all.lua'), text: 'uncached chain'},
    {...subject('peer fresh', peers.fresh, '/', 'all.lua'), text: 'uncached chain'},
    {...subject('peer kept', peers.kept, '/', 'all.lua'), text: 'uncached chain'},
  ];
  await checkSameBytes(subjects, hot.made);
  console.log(`\nLoad: ${cores} cores for servers and client; ${options.rounds} rounds of ${options.seconds} s; ` +
      `${hot.source} bytes of Markdown, ${hot.made.length} bytes of HTML`);
  for (const one of subjects) await measureSubject(one, kConnections[0], 1);  // what starts slowly has started
  const before = new Map();
  for (const server of [qip, uncached]) before.set(server, await resourcesAtRest(server, 0));
  const results = {};
  for (const {key} of subjects) results[key] = Object.fromEntries(kConnections.map((n) => [n, []]));
  for (let round = 0; round < rounds; round++) {
    for (const connections of kConnections) {
      for (const one of subjects) {
        results[one.key][connections].push(await measureSubject(one, connections, options.seconds));
      }
    }
  }
  printRatios(results);
  printFigures(subjects, results);
  await printResources([qip, uncached], before);
  for (const server of [qip, uncached, ...nginx, ...Object.values(peers)]) await stop(server);
}

// --- Beside an endless component -----------------------------------------------------------------

// Clients of other pages, without and with clients that ask for a page whose chain never ends. They
// lose the cores that it burns, but nobody waits for its time limit.
async function measureEndless() {
  writeFile(fs.readFileSync('modules/utf8/infinite-loop.wasm'), 'site', 'recipes', 'text', 'plain', '10-loop.wasm');
  for (let i = 0; i < 20; i++) writeFile('text', 'site', 'content', `endless-${i}.txt`);
  writeFile('plain', 'site', 'content', 'file.json');
  const server = await startQip('qip-dev', [...siteWords(inFolder('site')), '--cache-max', '0']);
  const files = (await resourcesAtRest(server, 0)).files;
  const measured = [];
  for (const isBeside of [false, true]) {
    const endless = isBeside ? startWrk(server, '/', 20, 600, writeFile(kEndless + kReport, 'endless.lua')) : null;
    await sleep(1000);
    const plain = await startWrk(server, '/file.json', 20, options.seconds, writeFile(kReport, 'report.lua')).result;
    const chain = await startWrk(server, '/', 20, options.seconds,
        writeFile(kAllPages(pageCount) + kReport, 'all.lua')).result;
    endless?.child.kill('SIGINT');
    await endless?.result;
    measured.push({plain, chain});
  }
  console.log('\nWithout, and beside 20 clients of endless components, with 20 clients of the other kind');
  for (const [key, text] of [['plain', 'static file'], ['chain', 'uncached chain']]) {
    const [quiet, beside] = measured.map((one) => one[key]);
    console.log(`  ${text.padEnd(16)}median ${quiet.median.toFixed(2)} ms, then ${beside.median.toFixed(2)}; ` +
        `99 % ${quiet.p99.toFixed(1)} ms, then ${beside.p99.toFixed(1)}; ` +
        `longest ${quiet.longest.toFixed(0)} ms, then ${beside.longest.toFixed(0)}`);
    if (quiet.errors + beside.errors > 0) fail(`${text}: ${quiet.errors} errors, then ${beside.errors}`);
  }
  const after = await resourcesAtRest(server, files);
  if (after.files !== files) fail(`${after.files - files} file descriptors are left over`);
  await stop(server);
}

// --- Reloads under load --------------------------------------------------------------------------

// Two generations that differ in everything: sources, chain, and which pages there are. `current`
// is a link to one of them.
function makeGenerations(blocks) {
  const expected = [];
  for (const name of ['one', 'two']) {
    const source = writeFile(page(`Generation ${name}`, 3000, blocks), 'generations', name, 'content', 'page.md');
    for (let i = 0; i < 50; i++) {
      writeFile(page(`Only in ${name}`, 1000, blocks), 'generations', name, 'content', `${name}-${i}.md`);
    }
    const recipe = (file, module) => writeFile(fs.readFileSync(module), 'generations', name, 'recipes', 'text',
        'markdown', file);
    recipe('10-markdown-basic.wasm', kMarkdown);
    if (name === 'two') recipe('90-html-page-wrap.wasm', kWrap);
    const made = render(source, kMarkdown, ...(name === 'two' ? [kWrap] : []));
    expected.push(writeFile(made, 'generations', `${name}.html`));
  }
  return expected;
}

function choose(name) {
  fs.symlinkSync(name, inFolder('generations', 'next'));
  fs.renameSync(inFolder('generations', 'next'), inFolder('generations', 'current'));
}

// Every body must be that of one generation or of the other, to the byte.
const kNoMixture = ([one, two]) => `
local function read(name) local f = io.open(name, "rb") local text = f:read("*a") f:close() return text end
local one, two = read("${one}"), read("${two}")
local threads = {}
setup = function(thread) table.insert(threads, thread) end
ones, twos, others = 0, 0, 0
response = function(status, headers, body)
  if body == one then ones = ones + 1 elseif body == two then twos = twos + 1 else others = others + 1 end
end
done = function(summary, latency, requests)
  local e, sums = summary.errors, {ones = 0, twos = 0, others = 0}
  for _, thread in ipairs(threads) do
    for name in pairs(sums) do sums[name] = sums[name] + thread:get(name) end
  end
  io.write(string.format(
    '{"requests":%d,"ones":%d,"twos":%d,"others":%d,"refused":%d,"broken":%d}\\n', summary.requests,
    sums.ones, sums.twos, sums.others, e.status, e.connect + e.read + e.write + e.timeout))
end`;

// Counts the lines of a growing file that tell of reloads.
class ReloadLog {
  constructor(file) {
    this.file = fs.openSync(file, 'r');
    this.rest = '';
    this.done = this.failed = 0;
  }

  read() {
    const buffer = Buffer.alloc(1 << 20);
    for (let size; (size = fs.readSync(this.file, buffer)) > 0;) {
      const lines = (this.rest + buffer.toString('latin1', 0, size)).split('\n');
      this.rest = lines.pop();
      for (const line of lines) {
        if (line.includes('dev: reloaded reason=')) this.done++;
        if (line.includes('reload failed')) this.failed++;
      }
    }
  }
}

async function measureReloads(blocks) {
  const expected = makeGenerations(blocks);
  const script = writeFile(kNoMixture(expected), 'mixture.lua');
  choose('one');
  const logFile = inFolder('reload.log');
  const server = await startQip('qip-dev', siteWords(inFolder('generations', 'current')), fs.openSync(logFile, 'w'));
  await fetchBytes(server, '/page');
  const log = new ReloadLog(logFile);
  const reload = async (name) => {
    const {done, failed} = log;
    choose(name);
    server.child.kill('SIGHUP');
    for (let tries = 0; log.done === done && log.failed === failed && tries < 5000; tries++) {
      await sleep(2);
      log.read();
    }
  };
  await reload('two');
  await reload('one');
  const before = await resourcesAtRest(server, 0);
  const count = Number(options.reloads);
  log.done = 0;
  const wrk = startWrk(server, '/page', 50, 600, script);
  await sleep(500);
  for (let i = 0; i < count; i++) {
    await reload(i % 2 === 0 ? 'two' : 'one');
    await sleep(20);  // some responses of this generation
  }
  await sleep(200);
  wrk.child.kill('SIGINT');
  const result = await wrk.result;
  const after = await resourcesAtRest(server, before.files);
  console.log(`\nReloads under load: ${log.done} of ${count} by SIGHUP, 50 connections, two generations in turn
  ${thousands(result.requests)} responses: ${thousands(result.ones)} and ${thousands(result.twos)} of the generations, \
${result.others} mixed, ${result.refused + result.broken} failed
  ${describe(before, after)}`);
  if (log.done !== count || log.failed > 0) fail(`${log.done} of ${count} reloads, ${log.failed} failed`);
  if (result.refused + result.broken > 0) fail(`${result.refused} responses are no 200, ${result.broken} are broken`);
  if (result.others > 0) fail(`${result.others} responses are of neither generation`);
  if (result.ones === 0 || result.twos === 0) fail('only one generation was seen');
  if (after.files !== before.files) fail(`${after.files - before.files} file descriptors are left over`);
  await stop(server);
}

// --- A large site --------------------------------------------------------------------------------

// Milliseconds from the start of the process to its word that it listens.
async function timeToListen(words) {
  const begin = performance.now();
  const child = start(options.qip, ['dev', ...words, '--mode', 'prod', '-p', String(await freePort())],
      ['ignore', 'ignore', 'pipe']);
  let said = '', end;
  const isListening = new Promise((resolve) => child.stderr.on('data', (bytes) => {
    said += bytes;
    if (end === undefined && said.includes('listening on')) resolve(end = performance.now());
  }));
  await Promise.race([isListening, once(child, 'exit')]);
  if (end === undefined) throw new Error(`qip dev: ${said}`);
  await stop({child});
  return end - begin;
}

// Milliseconds of `copies` exports at the same time.
async function timeExports(words, jobs, copies) {
  const begin = performance.now();
  const children = [];
  for (let i = 0; i < copies; i++) {
    children.push(start(options.qip, ['route', 'export', ...words, '-o', inFolder(`export-${i}`), '-j', String(jobs)],
        ['ignore', 'ignore', 'pipe']));
  }
  const codes = await Promise.all(children.map(async (child) => {
    let said = '';
    child.stderr.on('data', (bytes) => said += bytes);
    const [code] = await once(child, 'close');
    return {code, said};
  }));
  const end = performance.now();
  for (const {code, said} of codes) if (code !== 0) throw new Error(`qip route export: ${said}`);
  return end - begin;
}

function countFiles(name) {
  const entries = fs.readdirSync(inFolder(name), {recursive: true, withFileTypes: true});
  return entries.filter((entry) => entry.isFile()).length;
}

function checkExport() {
  const files = countFiles('export-0');
  const exported = inFolder('export-0', 'pages', `${pageName(7 % pageCount)}.html`);
  const source = inFolder('site', 'content', 'pages', `${pageName(7 % pageCount)}.md`);
  if (!fs.readFileSync(exported).equals(render(source, kMarkdown, kWrap))) {
    fail(`${path.basename(exported)} is not what the chain makes`);
  }
  return files;
}

async function measureSite(bytes) {
  const words = siteWords(inFolder('site'));
  const times = {start: [], one: [], all: [], copies: []};
  let files = 0;
  const remove = () => {
    for (let i = 0; i < cores; i++) fs.rmSync(inFolder(`export-${i}`), {recursive: true, force: true});
  };
  for (let round = 0; round < rounds; round++) {
    times.start.push(await timeToListen(words));
    for (const [key, jobs, copies] of [['one', 1, 1], ['all', cores, 1], ['copies', 1, cores]]) {
      remove();
      times[key].push(await timeExports(words, jobs, copies));
      files = checkExport();
    }
  }
  remove();
  const speedup = median(times.one.map((one, round) => one / times.all[round]));
  const allowed = median(times.one.map((one, round) => cores * one / times.copies[round]));
  console.log(`
A site of ${thousands(pageCount)} pages, ${(bytes / 2 ** 20).toFixed(1)} MiB of Markdown; ${rounds} rounds
  from start to listening   ${median(times.start).toFixed(0)} ms (promised: under 2000)
  export, one thread        ${median(times.one).toFixed(0)} ms, ${files} files
  export, -j ${String(cores).padEnd(15)}${median(times.all).toFixed(0)} ms: ${speedup.toFixed(2)} times as fast
  the cores allow           ${allowed.toFixed(2)} times: ${cores} exports of one thread each, at the same time`);
}

// --- All of it -----------------------------------------------------------------------------------

const parts = new Set(options.parts.split(','));
const blocks = blocksOf(fs.readFileSync('README.md', 'utf8'));
const bytes = makeSite(blocks);
if (parts.has('site')) await measureSite(bytes);
if (parts.has('load')) await measureLoad(makeHotPage(blocks));
if (parts.has('endless')) await measureEndless();
if (parts.has('reload')) await measureReloads(blocks);
console.log(failures.length === 0 ? '\nno response failed' : `\n${failures.length} failed`);
process.exit(failures.length === 0 ? 0 : 1);
