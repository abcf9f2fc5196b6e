// How fast qip runs image filters: beside the same filters in V8, what share of the time is spent
// outside the filters, and what a second thread brings.
//
//   node image.mjs [--qip build/qip] [--rounds 5] [--size 4000x3000] [-- MODULE '?key=value' ...]
//
// A picture is drawn (gradients, shapes, noise), made a JPEG by qip itself, and sent through invert,
// gaussian-blur and a chain of four filters, or through the chain behind --. A round is: one thread,
// two threads, V8; printed are medians of the rounds, decoding and encoding aside. V8 runs the tile
// walk of spec-tests/tile_reference.mjs, after a round that warms it up; its result must be that of
// qip to the byte. That walk is plain JavaScript, made to be read: the ratio in the filters is the
// one that compares engines. Assumes: the repository's root as current folder; wat2wasm in PATH; a
// machine with nothing else to do.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {spawnSync} from 'node:child_process';
import {Filter, parseChain, readBmp, runTileBlock, writeBmp} from '../spec-tests/tile_reference.mjs';

const kChains = {
  'invert': ['modules/rgba/invert.wasm'],
  'gaussian-blur': ['modules/rgba/gaussian-blur.wasm'],
  'chain of four': [
    'modules/rgba/brightness.wasm', '?brightness=0.1', 'modules/rgba/contrast.wasm', '?contrast=0.2',
    'modules/rgba/saturation.wasm', '?saturation=0.3', 'modules/rgba/vignette.wasm',
  ],
};

const options = {qip: 'build/qip', rounds: 5, size: '4000x3000'};
let chains = kChains;
for (let i = 2; i < process.argv.length; i++) {
  const name = process.argv[i].replace(/^--/, '');
  if (name === '') {
    chains = {'chain': process.argv.splice(i + 1)};
  } else if (name in options) {
    options[name] = process.argv[++i];
  } else {
    console.error(`unknown option ${process.argv[i]}`);
    process.exit(2);
  }
}

// In memory where the system has such a folder: the disk is not what is measured.
const folder = fs.mkdtempSync(path.join(fs.existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir(), 'qip-image-'));
process.on('exit', () => fs.rmSync(folder, {recursive: true, force: true}));
const inFolder = (name) => path.join(folder, name);

function run(program, words) {
  const result = spawnSync(program, words, {encoding: 'utf8'});
  if (result.status !== 0) throw new Error(`${program} ${words.join(' ')}: ${result.error ?? result.stderr}`);
  return result.stderr;
}

// --- The picture ---------------------------------------------------------------------------------

function drawPicture(width, height) {
  const rgba = new Uint8Array(width * height * 4);
  let noise = 1;
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 4) {
      noise = (Math.imul(noise, 1664525) + 1013904223) >>> 0;
      const [u, v] = [x / width, y / height];
      const isInDisc = ((u * 6) % 1 - 0.5) ** 2 + ((v * 5) % 1 - 0.5) ** 2 < 0.08;
      const isInBar = (x + 2 * y) % 700 < 90;
      const grain = (noise >>> 24) / 16 - 8;
      rgba[at] = Math.max(0, Math.min(255, 255 * u * (isInDisc ? 0.4 : 1) + grain));
      rgba[at + 1] = Math.max(0, Math.min(255, 255 * v * (isInBar ? 0.5 : 1) + grain));
      rgba[at + 2] = Math.max(0, Math.min(255, 255 * (isInDisc ? v : 1 - u) + grain));
      rgba[at + 3] = 255;
    }
  }
  return {width, height, rgba};
}

// The JPEG that qip reads, and the pixels that it finds there.
function makeInput() {
  const [width, height] = options.size.split('x').map(Number);
  const nothing = inFolder('nothing.wasm');
  run('wat2wasm', ['spec-tests/tile_filters/nothing.wat', '-o', nothing]);
  const drawn = inFolder('drawn.bmp'), decoded = inFolder('decoded.bmp'), input = inFolder('in.jpg');
  fs.writeFileSync(drawn, writeBmp(drawPicture(width, height)));
  run(options.qip, ['image', '-i', drawn, '-o', input, nothing]);
  run(options.qip, ['image', '-i', input, '-o', decoded, nothing]);
  const image = readBmp(fs.readFileSync(decoded));
  for (const file of [drawn, decoded]) fs.rmSync(file);
  return {input, image};
}

// --- Measuring -----------------------------------------------------------------------------------

const kMilliseconds = {h: 3.6e6, m: 6e4, s: 1e3, ms: 1, 'µs': 1e-3, 'ns': 1e-6};

// '1m2.5s' in milliseconds.
function milliseconds(text) {
  let sum = 0;
  for (const [, number, unit] of text.matchAll(/([\d.]+)(ms|µs|ns|h|m|s)/g)) {
    sum += Number(number) * kMilliseconds[unit];
  }
  return sum;
}

// What `qip image -v` says. block: the whole command without decoding and encoding.
function measureQip(input, words, threads) {
  const said = run(options.qip, ['image', '-v', '-j', String(threads), '-i', input, '-o', inFolder('out.jpg'), ...words]);
  const read = (pattern) => milliseconds(pattern.exec(said)[1]);
  return {
    block: read(/command took (\S+)/) - read(/pixels in (\S+)/) - read(/encoded in (\S+)/),
    filters: read(/filters took (\S+)/),
    total: read(/filters took \S+ of (\S+)/),
  };
}

function measureV8(image, filters) {
  const clock = {filters: 0};
  const start = performance.now();
  const result = runTileBlock(image, filters, {clock});
  return {block: performance.now() - start, filters: clock.filters, result};
}

// Also warms V8 up.
function checkSamePixels(input, image, words, filters) {
  const output = inFolder('out.bmp');
  run(options.qip, ['image', '-i', input, '-o', output, ...words]);
  const {result} = measureV8(image, filters);
  if (Buffer.compare(fs.readFileSync(output), writeBmp(result)) !== 0) {
    throw new Error(`${words.join(' ')}: not the pixels that V8 gives`);
  }
  fs.rmSync(output);
}

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

function measure(input, image, name, words) {
  const filters = parseChain(words).map((stage) => new Filter(stage));
  checkSamePixels(input, image, words, filters);
  const rounds = [];
  for (let round = 0; round < Number(options.rounds); round++) {
    const one = measureQip(input, words, 1);
    const two = measureQip(input, words, 2);
    const v8 = measureV8(image, filters);
    rounds.push({
      one: one.block, two: two.block, v8: v8.block, inside: one.filters, v8Inside: v8.filters,
      share: 100 * (1 - one.filters / one.total),
      shareOfBlock: 100 * (1 - one.filters / one.block),
      speedup: one.block / two.block,
      ratio: one.block / v8.block, insideRatio: one.filters / v8.filters,
    });
  }
  const of = (key, digits = 0) => median(rounds.map((round) => round[key])).toFixed(digits);
  console.log(`${name}: ${words.map((word) => path.basename(word, '.wasm')).join(' ')}
  qip, one thread    ${of('one').padStart(6)} ms, ${of('inside').padStart(6)} ms of it in the filters
  V8, one thread     ${of('v8').padStart(6)} ms, ${of('v8Inside').padStart(6)} ms of it in the filters
  qip to V8          ${of('insideRatio', 2).padStart(6)} in the filters, ${of('ratio', 2)} with what is around them
  outside filters    ${of('share', 1).padStart(6)} % of the time for tiles, ${of('shareOfBlock', 1)} % of the whole command
  two threads to one ${of('speedup', 2).padStart(6)} times as fast (${of('two')} ms)`);
}

const {input, image} = makeInput();
console.log(`${image.width} x ${image.height} pixels from a JPEG of ${fs.statSync(input).size} bytes; ` +
    `medians of ${options.rounds} rounds, decoding and encoding aside`);
for (const [name, words] of Object.entries(chains)) measure(input, image, name, words);
