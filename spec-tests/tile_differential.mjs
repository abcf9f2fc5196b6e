// Differential test of image filters: qip and the reference (tile_reference.mjs, which runs the
// filters in V8) must make the same file, byte for byte, of random images.
//
//   node tile_differential.mjs [--qip build/qip] [--images 200] [--max-side 300] [--seed 1]
//                              [--only TEXT] [--keep DIR] [--verbose]
//
// Besides images of up to max-side pixels there are strips, four times as long and a quarter as wide:
// they have many bands. Every image goes through every filter of modules/rgba/ with its own settings
// and with random ones, through random chains, and through the filters of tile_filters/, which
// remember what they have seen, in bands and with --sequential. By turns the command is `qip image`
// and `qip run`, and the number of threads 1, 2 and 7. What differs is repeated by the command line
// that is printed; its image is left in DIR. --only: just the chains whose words contain TEXT. Exit
// status 1 if anything differed. Assumes: the repository's root as current folder; wat2wasm in PATH.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {spawn, spawnSync} from 'node:child_process';
import {
  Filter, byteToFloat, floatToByte, parseChain, parseUniform, readBmp, runTileBlock, writeBmp,
} from './tile_reference.mjs';

const options = {
  qip: 'build/qip', images: 200, 'max-side': 300, seed: 1, only: '', verbose: false,
  keep: path.join(os.tmpdir(), 'qip-tile-differential'),
};
for (let i = 2; i < process.argv.length; i++) {
  const name = process.argv[i].replace(/^--/, '');
  if (!(name in options)) {
    console.error(`unknown option ${process.argv[i]}`);
    process.exit(2);
  }
  const type = typeof options[name];
  options[name] = type === 'boolean' ? true :
      type === 'number' ? Number(process.argv[++i]) : process.argv[++i];
}

const kFiltersFolder = 'modules/rgba';
const kOwnFolder = 'spec-tests/tile_filters';
const kThreads = ['1', '2', '7'];
const kMaxReported = 10;

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'qip-tiles-'));
process.on('exit', () => fs.rmSync(folder, {recursive: true, force: true}));

// --- The reference itself ------------------------------------------------------------------------

// What the contract's text states with numbers.
function checkReference(ownFilters) {
  const expect = (condition, what) => {
    if (condition) return;
    console.error(`the reference is wrong: ${what}`);
    process.exit(2);
  };
  for (let byte = 0; byte < 256; byte++) {
    expect(floatToByte(byteToFloat(byte)) === byte, `byte ${byte} does not survive`);
  }
  const unlike = Array.from({length: 256}, (_, b) => b).filter(
      (b) => byteToFloat(b) !== Math.fround(b / 255));
  expect(unlike.length === 126, 'bytes become floats by a multiplication');
  expect(byteToFloat(255) === 1, '255 is not 1');
  expect([NaN, 7, -7, 0.5, Infinity, -Infinity, -0].map(floatToByte).join() ===
         '0,255,0,128,255,0,0', 'special floats');
  const header = Buffer.from(writeBmp({width: 3, height: 2, rgba: new Uint8Array(24)}));
  expect(header.subarray(0, 54).toString('hex') ===
         '424d4e0000000000000036000000280000000300000002000000010020000000000018000000' + '0'.repeat(32),
         'header of a BMP of 3 x 2');
  expect(parseUniform('0xff4511ff', 'i32') === 0xff4511ff - 2 ** 32, 'hexadecimal i32');
  expect(parseUniform('4294967295', 'i32') === -1 && parseUniform('4294967296', 'i32') === undefined,
         'decimal i32');
  // Just above the middle between two floats; the nearest double is that middle.
  expect(parseUniform('1.00000005960464477540', 'f32') === 1 + 2 ** -23 &&
         parseUniform('1.00000005960464477539', 'f32') === 1, 'rounding a decimal number once');
  expect(parseUniform('0x1p-2', 'f32') === 0.25 && parseUniform('0x10', 'f32') === undefined &&
         parseUniform('1e40', 'f32') === undefined, 'floats');
  const image = {width: 130, height: 70, rgba: new Uint8Array(130 * 70 * 4)};
  const counted = runTileBlock(image, [ownFilters.get('count-tiles')], {sequential: true}).rgba;
  const calls = [[0, 0], [64, 0], [128, 0], [0, 64], [64, 64], [128, 64]];
  calls.forEach(([x, y], call) => {
    const at = (y * 130 + x) * 4;
    expect(counted.subarray(at, at + 3).join() === `${x / 64},${y / 64},${call}`, 'order of the tiles');
  });
}

// --- Random numbers and images -------------------------------------------------------------------

// Whole numbers of 32 bits that follow from a seed (splitmix32).
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let value = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    value = Math.imul(value ^ (value >>> 15), 0x735a2d97);
    return (value ^ (value >>> 15)) >>> 0;
  };
}

class Random {
  constructor(seed) { this.next = generator(seed); }
  below(count) { return this.next() % count; }
  unit() { return this.next() / 2 ** 32; }
  chance(share) { return this.unit() < share; }
  pick(list) { return list[this.below(list.length)]; }
}

function randomSide(random, max) {
  const edges = [1, 2, 63, 64, 65, 127, 128, 129, 192, 193, 256, 257, max].filter((n) => n <= max);
  return random.chance(0.3) ? random.pick(edges) : 1 + random.below(max);
}

// Noise, gradients, flat blocks, or few colours with hard edges; opaque, or with an alpha that is
// noise, or often nothing.
function randomImage(random, maxWidth, maxHeight) {
  const width = randomSide(random, maxWidth), height = randomSide(random, maxHeight);
  const rgba = new Uint8Array(width * height * 4);
  const kind = random.below(4);
  const alpha = random.below(3);
  const palette = Array.from({length: 1 + random.below(5)},
                             () => [random.below(256), random.below(256), random.below(256)]);
  const size = 1 + random.below(40);
  const [a, b, c] = [random.unit() * 4, random.unit() * 4, random.unit() * 4];
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 4) {
      for (let channel = 0; channel < 3; channel++) {
        rgba[at + channel] =
            kind === 0 ? random.below(256) :
            kind === 1 ? 128 + 127 * Math.sin(x * a / 50 + y * b / 50 + channel * c) :
            kind === 2 ? palette[(Math.floor(x / size) * 7 + Math.floor(y / size) * 3) % palette.length][channel] :
                         255 * ((x * (channel + 1) + y) % size < size / 2);
      }
      rgba[at + 3] = alpha === 0 ? 255 : alpha === 1 ? random.below(256) :
          random.chance(0.4) ? 0 : random.pick([1, 128, 254, 255]);
    }
  }
  return {width, height, rgba};
}

// --- Random settings and chains ------------------------------------------------------------------

function randomFloatText(random) {
  if (random.chance(0.01)) return random.pick(['abc', '1e40', '0x10', '', '+0.5', '1_000', '1e']);
  if (random.chance(0.06)) {
    return random.pick(['inf', '-Infinity', 'NaN', '1e30', '-3e38', '1e-42', '-0', '0x1.8p3', '-0X1P-3']);
  }
  const magnitude = random.pick([1, 1, 1, 4, 12, 40, 600]);
  const value = (random.unit() * 1.1 * magnitude) * (random.chance(0.3) ? -1 : 1);
  return random.chance(0.2) ? value.toExponential(random.below(16)).replace('+', '%2B') :
      random.chance(0.2) ? value.toFixed(30) : value.toFixed(random.below(8));
}

function randomIntegerText(random, type) {
  if (random.chance(0.01)) return random.pick(['1.5', '', 'ff', '1_000', '0x10000000000000000', '-0']);
  if (random.chance(0.1)) {
    return random.pick(['2147483647', '-2147483648', '4294967295', '0xFFFFFFFF', '0x80000000', '%2B7']);
  }
  const value = random.below(random.pick([3, 10, 40, 300]));
  if (random.chance(0.2)) return `0x${value.toString(16)}`;
  return String(random.chance(type === 'i32' ? 0.2 : 0.1) ? -value : value);
}

// '?key=value&...' for some of a filter's settings; '' if it has none or they all keep their values.
function randomQuery(random, name, filter) {
  if (name === 'hash-tiles' || name === 'nothing') {
    return `?halo=${random.below(random.pick([1, 4, 61, 64]))}`;  // 60 is the most it has room for
  }
  if (name === 'trap-at-call') return `?call=${random.below(25)}`;
  const pairs = [];
  for (const {key, type} of filter.settings()) {
    if (random.chance(0.2)) continue;
    const text = type[0] === 'f' ? randomFloatText(random) : randomIntegerText(random, type);
    pairs.splice(random.below(pairs.length + 1), 0, `${key}=${text}`);
  }
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

// The filters' names in a chain become words of a command line.
function randomWords(random, filters, names) {
  return names.flatMap((name) => {
    const filter = filters.get(name);
    const query = randomQuery(random, name, filter);
    return query === '' ? [filter.path] : [filter.path, query];
  });
}

// What an image goes through: {words, sequential}.
function chainsFor(random, plain, own) {
  const all = new Map([...plain, ...own]);
  const chains = [];
  const add = (names, sequential = false) =>
      chains.push({words: randomWords(random, all, names), sequential});
  for (const [name, filter] of plain) {
    chains.push({words: [filter.path], sequential: false});
    if (filter.settings().length > 0) add([name]);
  }
  const withHalo = [...plain.keys()].filter((name) => plain.get(name).hasHalo());
  const anyPlain = [...plain.keys()], anyOwn = [...own.keys()];
  add([random.pick(anyPlain), random.pick(anyPlain)]);
  add([random.pick(withHalo), random.pick(anyPlain)]);
  add([random.pick(anyPlain), random.pick(withHalo), random.pick(anyPlain)]);
  add([random.pick(withHalo), random.pick(withHalo), random.pick(anyPlain)]);
  for (const name of anyOwn) {
    add([name], true);
    add([name], false);
  }
  for (const sequential of [true, false]) {
    add([random.pick(anyPlain), 'hash-tiles'], sequential);
    add([random.pick(withHalo), 'hash-tiles', random.pick(anyPlain)], sequential);
    add(['hash-tiles', 'hash-tiles', 'hash-tiles'], sequential);
    // Which NaN arithmetic makes of a NaN is open; nothing that shows bits may come behind.
    const [first, middle, last] = [random.pick(anyOwn), random.pick(anyPlain), random.pick(anyOwn)];
    add(first === 'any-bits' ? [first, last] : [first, middle, last], sequential);
  }
  return chains.filter(({words}) => words.some((word) => word.includes(options.only)));
}

// --- Comparing -----------------------------------------------------------------------------------

// The bytes of the command's output file, or what it said.
function runCommand(words, output) {
  return new Promise((resolve, reject) => {
    const child = spawn(options.qip, words, {stdio: ['ignore', 'ignore', 'pipe']});
    let said = '';
    child.stderr.on('data', (text) => { said += text; });
    child.on('error', reject);
    child.on('close', (status, signal) => {
      if (status === 0) return resolve({bytes: fs.readFileSync(output)});
      resolve({failure: said.trim() || `status ${status}, signal ${signal}`});
    });
  });
}

function runReference(image, chain) {
  try {
    const filters = parseChain(chain.words).map((stage) => new Filter(stage));
    return {bytes: writeBmp(runTileBlock(image, filters, {sequential: chain.sequential}))};
  } catch (error) {
    return {failure: error.message};
  }
}

// '' if they agree.
function differenceOf(actual, expected) {
  if (actual.failure || expected.failure) {
    // Between the reason and the tile qip says where in the code it was.
    const parts = expected.failure?.split(/ (?=at tile )/) ?? [];
    if (actual.failure && parts.length > 0 && parts.every((part) => actual.failure.includes(part))) return '';
    return `qip: ${actual.failure ?? 'no error'}; reference: ${expected.failure ?? 'no error'}`;
  }
  if (expected.bytes.length === actual.bytes.length && Buffer.compare(actual.bytes, expected.bytes) === 0) return '';
  try {
    const [ours, theirs] = [readBmp(actual.bytes), readBmp(expected.bytes)];
    const wrong = ours.rgba.reduce((count, byte, i) => count + (byte !== theirs.rgba[i]), 0);
    const at = ours.rgba.findIndex((byte, i) => byte !== theirs.rgba[i]) >> 2;
    const pixel = ({rgba}) => rgba.subarray(at * 4, at * 4 + 4).join();
    return `${wrong} channels differ, the first at (${at % ours.width}, ${Math.floor(at / ours.width)}): ` +
        `qip ${pixel(ours)}, reference ${pixel(theirs)}`;
  } catch (error) {
    return `not the same file: ${error.message}`;
  }
}

// Leaves what the command line needs in DIR.
function report(difference, words, input) {
  const kept = path.join(options.keep, `seed-${options.seed}`);
  fs.mkdirSync(kept, {recursive: true});
  for (const file of [input, ...words.filter((word) => word.startsWith(folder) && word.endsWith('.wasm'))]) {
    fs.copyFileSync(file, path.join(kept, path.basename(file)));
  }
  const shown = words.map((word) => word.replace(folder, kept))
      .map((word) => /^[\w./-]+$/.test(word) ? word : `'${word}'`);
  console.log(`differs: ${options.qip} ${shown.join(' ')}\n  ${difference}`);
}

async function compare(random, image, input, chain, count) {
  const output = path.join(folder, 'out.bmp');
  fs.rmSync(output, {force: true});
  const command = chain.sequential ? ['image', '--sequential'] :
      [random.pick(['image', 'run']), '-j', kThreads[count % kThreads.length]];
  const words = [...command, '-i', input, '-o', output, ...chain.words];
  const running = runCommand(words, output);
  const expected = runReference(image, chain);
  const difference = differenceOf(await running, expected);
  if (difference !== '') report(difference, words, input);
  else if (options.verbose) console.log(words.join(' '), expected.failure ?? '');
  return {differs: difference !== '', failed: expected.failure !== undefined};
}

// --- Everything ----------------------------------------------------------------------------------

function load(directory, files) {
  return new Map(files.map((file) => [
    path.basename(file, '.wasm'),
    new Filter({path: path.join(directory, file), uniforms: new Map()}),
  ]));
}

function buildOwn() {
  for (const file of fs.readdirSync(kOwnFolder).sort()) {
    const target = path.join(folder, file.replace(/\.wat$/, '.wasm'));
    const built = spawnSync('wat2wasm', [path.join(kOwnFolder, file), '-o', target], {encoding: 'utf8'});
    if (built.status !== 0) throw new Error(`wat2wasm ${file}: ${built.error ?? built.stderr}`);
  }
  return load(folder, fs.readdirSync(folder).filter((file) => file.endsWith('.wasm')).sort());
}

// Every fourth image is followed by a strip, across or down.
function* imagesFromSeed() {
  const side = options['max-side'];
  const [long, short] = [side * 4, Math.ceil(side / 4)];
  for (let number = 0; number < options.images; number++) {
    const random = new Random(options.seed * 1000003 + number);
    yield {name: `image-${number}`, random, image: randomImage(random, side, side)};
    if (number % 8 === 3) yield {name: `strip-${number}`, random, image: randomImage(random, long, short)};
    if (number % 8 === 7) yield {name: `strip-${number}`, random, image: randomImage(random, short, long)};
  }
}

async function compareChains(random, image, input, chains, totals) {
  for (const chain of chains) {
    const {differs, failed} = await compare(random, image, input, chain, totals.comparisons++);
    totals.differences += differs;
    totals.errors += failed;
    if (totals.differences >= kMaxReported) return;
  }
}

async function main() {
  const own = buildOwn();
  checkReference(own);
  const plain = load(kFiltersFolder, fs.readdirSync(kFiltersFolder).filter((file) => file.endsWith('.wasm')).sort());
  const totals = {images: 0, comparisons: 0, errors: 0, differences: 0};
  for (const {name, random, image} of imagesFromSeed()) {
    const input = path.join(folder, `${name}.bmp`);
    fs.writeFileSync(input, writeBmp(image));
    totals.images++;
    await compareChains(random, image, input, chainsFor(random, plain, own), totals);
    fs.rmSync(input);
    if (totals.differences < kMaxReported) continue;
    console.log(`stopping after ${kMaxReported} differences`);
    break;
  }
  console.log(`tiles: ${totals.images} images from seed ${options.seed}, ${plain.size} filters of ${kFiltersFolder} ` +
      `and ${own.size} more, ${totals.comparisons} comparisons (${totals.errors} of them of errors), ` +
      `${totals.differences} differences`);
  process.exitCode = totals.differences > 0 || totals.comparisons === 0 ? 1 : 0;
}

await main();
