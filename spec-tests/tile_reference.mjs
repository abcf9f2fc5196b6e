// The Tile contract a second time: runs filters over an image in V8, for comparison with qip.
//
// Promises: it follows the contract's text and nothing else, shares no code with the product, and
// takes no short cuts: both pipelines, every pixel by itself, pixels as bits wherever nothing is
// computed with them. Assumes: Node.js 18 or later, filters without imports; enough memory for two
// copies of the image at 16 bytes per pixel.
//
//   node tile_reference.mjs [--sequential] [--size WxH] -i IN -o OUT MODULE ['?key=value...'] ...
//
// IN is a BMP, or with --size raw bytes R, G, B, A; OUT is the same kind. Bands of tile rows start
// with fresh instances; --sequential: one instance per filter for the whole image.
import fs from 'node:fs';
import {pathToFileURL} from 'node:url';

const kTileSide = 64;
const kPixelBytes = 16;      // four float32
const kTilesPerBand = 16;    // as the help of `qip image` says

// What the contract or the host refuses; the message is part of the sentence that qip prints.
export class TileError extends Error {}

function demand(condition, message) {
  if (!condition) throw new TileError(message);
}

// --- BMP -----------------------------------------------------------------------------------------

export function readBmp(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  demand(bytes.length >= 54, 'BMP input too small');
  demand(bytes[0] === 0x42 && bytes[1] === 0x4d, 'Input is not a BMP file');
  demand(view.getUint32(14, true) >= 40, 'Unsupported BMP DIB header');
  const width = view.getInt32(18, true);
  const signedHeight = view.getInt32(22, true);
  demand(width > 0 && signedHeight !== 0, 'Unsupported BMP dimensions');
  demand(view.getUint16(26, true) === 1, 'Unsupported BMP planes');
  demand(view.getUint32(30, true) === 0, 'Unsupported BMP compression');
  const bits = view.getUint16(28, true);
  demand(bits === 24 || bits === 32, 'Unsupported BMP bit depth');
  const offset = view.getUint32(10, true);
  demand(offset <= bytes.length, 'Invalid BMP data offset');
  const height = Math.abs(signedHeight);
  const stride = Math.ceil(width * bits / 32) * 4;
  demand(offset + stride * height <= bytes.length, 'BMP pixel data out of range');

  const rgba = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y++) {
    const row = signedHeight < 0 ? y : height - 1 - y;
    for (let x = 0; x < width; x++) {
      const from = offset + row * stride + x * (bits / 8);
      const to = (y * width + x) * 4;
      rgba[to] = bytes[from + 2];
      rgba[to + 1] = bytes[from + 1];
      rgba[to + 2] = bytes[from];
      rgba[to + 3] = bits === 32 ? bytes[from + 3] : 255;
    }
  }
  return {width, height, rgba};
}

export function writeBmp({width, height, rgba}) {
  const pixelBytes = width * height * 4;
  const bytes = new Uint8Array(54 + pixelBytes);
  const view = new DataView(bytes.buffer);
  bytes.set([0x42, 0x4d]);
  view.setUint32(2, bytes.length, true);
  view.setUint32(10, 54, true);
  view.setUint32(14, 40, true);
  view.setInt32(18, width, true);
  view.setInt32(22, height, true);
  view.setUint16(26, 1, true);
  view.setUint16(28, 32, true);
  view.setUint32(34, pixelBytes, true);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (y * width + x) * 4;
      const to = 54 + ((height - 1 - y) * width + x) * 4;
      bytes[to] = rgba[from + 2];
      bytes[to + 1] = rgba[from + 1];
      bytes[to + 2] = rgba[from];
      bytes[to + 3] = rgba[from + 3];
    }
  }
  return bytes;
}

// --- Numbers -------------------------------------------------------------------------------------

const kOneOver255 = Math.fround(1 / 255);  // 0x3B808081

export const byteToFloat = (byte) => Math.fround(byte * kOneOver255);

export function floatToByte(value) {
  if (value >= 1) return 255;
  if (!(value > 0)) return 0;  // NaN as well
  return Math.trunc(Math.fround(Math.fround(value * 255) + 0.5));
}

// The bits of the float for each byte.
const kBitsOfByte = new Uint32Array(
    Float32Array.from({length: 256}, (_, byte) => byteToFloat(byte)).buffer);

// --- Uniforms ------------------------------------------------------------------------------------

// digits * 10^exponent compared with a finite double: negative, zero or positive.
function compareDecimal(digits, exponent, value) {
  let scaled = 0;  // value == mantissa / 2^scaled, exactly
  while (!Number.isInteger(value)) {
    value *= 2;
    scaled++;
  }
  const left = BigInt(digits) * 10n ** BigInt(Math.max(exponent, 0)) * 2n ** BigInt(scaled);
  const right = BigInt(value) * 10n ** BigInt(Math.max(-exponent, 0));
  return left < right ? -1 : left > right ? 1 : 0;
}

// The nearest float32. By way of a double the result is wrong where the double lies exactly between
// two floats and the decimal number does not.
function decimalToFloat32(text) {
  const value = Number(text);
  const rounded = Math.fround(value);
  if (rounded === value || !Number.isFinite(value)) return rounded;
  const bits = new Uint32Array(new Float32Array([Math.abs(rounded)]).buffer)[0];
  const neighbour = (step) => new Float32Array(new Uint32Array([bits + step]).buffer)[0];
  const size = Math.abs(value);
  const other = neighbour(Math.abs(rounded) > size ? -1 : 1);
  if (!Number.isFinite(other) || (Math.abs(rounded) + other) / 2 !== size) return rounded;
  const [, whole, fraction, power] =
      /^[+-]?(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(text);
  const side = compareDecimal(whole + fraction, Number(power ?? 0) - fraction.length, size);
  const [low, high] = [Math.abs(rounded), other].sort((a, b) => a - b);
  return side === 0 ? rounded : Math.sign(value) * (side < 0 ? low : high);
}

// 0x<hexadecimal>p<exponent>: at most 13 digits, so that a double holds it exactly.
function hexadecimalFloat(text) {
  const match = /^([+-]?)0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)[pP]([+-]?\d+)$/.exec(text);
  if (!match || match[2].length + match[3].length === 0) return undefined;
  const [, sign, whole, fraction, power] = match;
  demand(whole.length + fraction.length <= 13, 'this script does not read such long numbers');
  const value = parseInt(whole + fraction, 16) * 2 ** (Number(power) - 4 * fraction.length);
  return sign === '-' ? -value : value;
}

function parseFloating(text, type) {
  if (/^[+-]?(inf|infinity)$/i.test(text)) return text[0] === '-' ? -Infinity : Infinity;
  if (/^nan$/i.test(text)) return NaN;
  let value = hexadecimalFloat(text);
  if (value === undefined) {
    if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) return undefined;
    value = type === 'f32' ? decimalToFloat32(text) : Number(text);
  }
  if (type === 'f32') value = Math.fround(value);
  return Number.isFinite(value) ? value : undefined;
}

function parseInteger(text, bits) {
  if (/^0[xX][0-9a-fA-F]+$/.test(text)) {
    const value = BigInt(text);
    return value < 1n << BigInt(bits) ? BigInt.asIntN(bits, value) : undefined;
  }
  if (!/^[+-]?\d+$/.test(text)) return undefined;
  const value = BigInt(text[0] === '+' ? text.slice(1) : text);
  const highest = (1n << BigInt(bits === 32 ? 32 : 63)) - 1n;
  return value >= -(1n << BigInt(bits - 1)) && value <= highest ? BigInt.asIntN(bits, value) : undefined;
}

// The argument for a setter whose parameter has that type.
export function parseUniform(text, type) {
  switch (type) {
    case 'f32': case 'f64': return parseFloating(text, type);
    case 'i64': return parseInteger(text, 64);
    default: {
      const value = parseInteger(text, 32);
      return value === undefined ? undefined : Number(value);
    }
  }
}

// '?a=1&b=2' into the map; the last value of a key counts.
function addQuery(uniforms, argument) {
  demand(argument !== '?', 'uniform query must not be empty');
  let pairs = 0;
  for (const segment of argument.slice(1).split('&')) {
    if (segment === '') continue;
    demand(!segment.includes(';'), 'invalid semicolon separator in query');
    const [key, ...rest] = segment.split('=');
    const decode = (part) => decodeURIComponent(part.replaceAll('+', ' '));
    demand(key !== '', 'empty key');
    uniforms.set(decode(key), decode(rest.join('=')));
    pairs++;
  }
  demand(pairs > 0, 'must contain key=value pairs');
}

// ['a.wasm', '?x=1', 'b.wasm'] to [{path, uniforms}, ...].
export function parseChain(words) {
  const chain = [];
  for (const word of words) {
    if (!word.startsWith('?')) {
      chain.push({path: word, uniforms: new Map()});
    } else {
      demand(chain.length > 0, 'must follow a wasm module path');
      addQuery(chain.at(-1).uniforms, word);
    }
  }
  return chain;
}

// --- Filters -------------------------------------------------------------------------------------

const kValueTypes = {0x7f: 'i32', 0x7e: 'i64', 0x7d: 'f32', 0x7c: 'f64'};

// The parameter types of every exported function, by name: V8 does not tell them.
function exportedParameters(bytes) {
  let at = 8;
  const leb = () => {
    let value = 0;
    for (let shift = 0;; shift += 7) {
      const byte = bytes[at++];
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  const list = (read) => Array.from({length: leb()}, read);
  const types = [], functions = [], parameters = new Map();
  while (at < bytes.length) {
    const id = bytes[at++];
    const end = leb() + at;
    if (id === 1) {
      types.push(...list(() => {
        at++;  // 0x60, a function
        const from = list(() => kValueTypes[bytes[at++]] ?? 'other');
        list(() => at++);
        return from;
      }));
    } else if (id === 3) {
      functions.push(...list(leb));
    } else if (id === 7) {
      list(() => {
        const length = leb();
        const name = Buffer.from(bytes.subarray(at, at + length)).toString();
        at += length;
        const kind = bytes[at++];
        const index = leb();
        if (kind === 0) parameters.set(name, types[functions[index]]);
      });
    }
    at = end;
  }
  return parameters;
}

// A filter with its settings; instances are made of it.
export class Filter {
  static #modules = new Map();  // by path

  constructor({path, uniforms}) {
    this.path = path;
    this.uniforms = [...uniforms].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    let known = Filter.#modules.get(path);
    if (!known) {
      const bytes = fs.readFileSync(path);
      known = {module: new WebAssembly.Module(bytes), parameters: exportedParameters(bytes)};
      Filter.#modules.set(path, known);
    }
    Object.assign(this, known);
  }

  hasHalo() {
    return this.parameters.has('calculate_halo_px');
  }

  // The names of its settings with their types.
  settings() {
    const kPrefix = 'uniform_set_';
    return [...this.parameters]
        .filter(([name, types]) => name.startsWith(kPrefix) && types.length === 1)
        .map(([name, [type]]) => ({key: name.slice(kPrefix.length), type}));
  }
}

// An instance that has its settings, but does not know the image yet.
function instantiate(filter) {
  const {exports} = new WebAssembly.Instance(filter.module, {});
  if (typeof exports._start === 'function') exports._start();
  for (const [key, text] of filter.uniforms) {
    const name = `uniform_set_${key}`;
    const types = filter.parameters.get(name);
    demand(types, `Wasm module does not export ${name} for query key "${key}"`);
    demand(types.length === 1, `${name} must accept exactly one argument`);
    const value = parseUniform(text, types[0]);
    demand(value !== undefined, `invalid value "${text}" for ${name} (expected ${types[0]})`);
    exports[name](value);
  }
  const read = (name) => {
    const value = exports[name];
    demand(value !== undefined, `Wasm module must export ${name} as global or function`);
    return (typeof value === 'function' ? value() : value.value) >>> 0;
  };
  const entry = exports.tile_rgba32float_64x64 ?? exports.tile_rgba_f32_64x64;
  demand(entry, 'Wasm module must export tile_rgba_f32_64x64');
  demand(exports.memory, 'Wasm module must export memory');
  const pointer = read('input_ptr');
  const capacity = read('input_bytes_cap');
  return {exports, entry, memory: exports.memory, pointer, capacity, halo: 0, span: 0};
}

function tellSize(instance, width, height) {
  const {exports} = instance;
  exports.uniform_set_width_and_height?.(width, height);
  const halo = exports.calculate_halo_px;
  instance.halo = typeof halo === 'function' ? Math.max(halo(), 0) : 0;
  instance.span = kTileSide + 2 * instance.halo;
  demand(instance.span ** 2 * kPixelBytes <= instance.capacity,
         'Tile buffer exceeds module input_bytes_cap');
}

function prepare(filters, {width, height}) {
  const instances = filters.map(instantiate);
  for (const instance of instances) tellSize(instance, width, height);
  return instances;
}

// The square of the tile at (x, y) goes into the filter and comes back.
function exchange(instance, square, x, y, clock) {
  const {memory, pointer, entry, halo} = instance;
  demand(pointer + square.length <= memory.buffer.byteLength, 'Could not write tile to wasm memory');
  new Uint8Array(memory.buffer, pointer, square.length).set(square);
  const start = clock ? performance.now() : 0;
  try {
    entry(x - halo, y - halo);
  } catch (error) {
    throw new TileError(`${error.message} at tile (${x}, ${y})`);
  }
  if (clock) clock.filters += performance.now() - start;
  square.set(new Uint8Array(memory.buffer, pointer, square.length));  // memory may have grown
}

// --- The walk ------------------------------------------------------------------------------------

export function bandRows(width) {
  return Math.ceil(kTilesPerBand / Math.ceil(width / kTileSide));
}

// Calls visit(x, y) for the tiles of each band, in order, and start() before each band.
function walk({width, height}, rowsPerBand, start, visit) {
  const bandHeight = rowsPerBand * kTileSide;
  for (let top = 0; top < height; top += bandHeight) {
    start();
    for (let y = top; y < Math.min(top + bandHeight, height); y += kTileSide) {
      for (let x = 0; x < width; x += kTileSide) visit(x, y);
    }
  }
}

// No filter has a halo: every tile goes through all of them.
function runTileByTile(image, filters, rowsPerBand, clock) {
  const {width, height} = image;
  const rgba = new Uint8Array(image.rgba.length);
  const bits = new Uint32Array(kTileSide * kTileSide * 4);
  const floats = new Float32Array(bits.buffer);
  const square = new Uint8Array(bits.buffer);
  let instances;
  walk(image, rowsPerBand, () => { instances = prepare(filters, image); }, (x, y) => {
    const columns = Math.min(kTileSide, width - x) * 4;
    const rows = Math.min(kTileSide, height - y);
    bits.fill(0);
    for (let row = 0; row < rows; row++) {
      const from = ((y + row) * width + x) * 4, to = row * kTileSide * 4;
      for (let i = 0; i < columns; i++) bits[to + i] = kBitsOfByte[image.rgba[from + i]];
    }
    for (const instance of instances) exchange(instance, square, x, y, clock);
    for (let row = 0; row < rows; row++) {
      const to = ((y + row) * width + x) * 4, from = row * kTileSide * 4;
      for (let i = 0; i < columns; i++) rgba[to + i] = floatToByte(floats[from + i]);
    }
  });
  return rgba;
}

// One filter over a plane of float bits; its squares repeat the nearest pixel beyond the image.
function runOverPlane(filter, halo, source, image, rowsPerBand, clock) {
  const {width, height} = image;
  const span = kTileSide + 2 * halo;
  const destination = new Uint32Array(source.length);
  const bits = new Uint32Array(span * span * 4);
  const square = new Uint8Array(bits.buffer);
  const clamp = (value, size) => Math.min(Math.max(value, 0), size - 1);
  let instance;
  walk(image, rowsPerBand, () => { [instance] = prepare([filter], image); }, (x, y) => {
    demand(instance.halo === halo, 'calculate_halo_px() does not give the same number each time');
    for (let row = 0; row < span; row++) {
      const fromRow = clamp(y - halo + row, height) * width;
      for (let column = 0; column < span; column++) {
        const from = (fromRow + clamp(x - halo + column, width)) * 4;
        const to = (row * span + column) * 4;
        bits[to] = source[from];
        bits[to + 1] = source[from + 1];
        bits[to + 2] = source[from + 2];
        bits[to + 3] = source[from + 3];
      }
    }
    exchange(instance, square, x, y, clock);
    const columns = Math.min(kTileSide, width - x) * 4;
    for (let row = 0; row < Math.min(kTileSide, height - y); row++) {
      const from = (halo * (span + 1) + row * span) * 4;
      destination.set(bits.subarray(from, from + columns), ((y + row) * width + x) * 4);
    }
  });
  return destination;
}

function runPlaneByPlane(image, filters, halos, rowsPerBand, clock) {
  let plane = new Uint32Array(image.rgba.length);
  for (let i = 0; i < plane.length; i++) plane[i] = kBitsOfByte[image.rgba[i]];
  filters.forEach((filter, i) => {
    plane = runOverPlane(filter, halos[i], plane, image, rowsPerBand, clock);
  });
  const floats = new Float32Array(plane.buffer);
  const rgba = new Uint8Array(floats.length);
  for (let i = 0; i < rgba.length; i++) rgba[i] = floatToByte(floats[i]);
  return rgba;
}

// The image {width, height, rgba} after all filters. `clock`: its `filters` is added the
// milliseconds spent inside the filters.
export function runTileBlock(image, filters, {sequential = false, clock = null} = {}) {
  const rowsPerBand = sequential ? Infinity : bandRows(image.width);
  const halos = prepare(filters, image).map((instance) => instance.halo);
  const rgba = halos.some((halo) => halo > 0) ?
      runPlaneByPlane(image, filters, halos, rowsPerBand, clock) :
      runTileByTile(image, filters, rowsPerBand, clock);
  return {width: image.width, height: image.height, rgba};
}

// --- Command -------------------------------------------------------------------------------------

function main(words) {
  const options = {};
  const chain = [];
  while (words.length > 0) {
    const word = words.shift();
    if (word === '--sequential') options.sequential = true;
    else if (word === '--size') options.size = words.shift().split('x').map(Number);
    else if (word === '-i') options.input = words.shift();
    else if (word === '-o') options.output = words.shift();
    else chain.push(word);
  }
  demand(options.input && options.output && chain.length > 0,
         "usage: [--sequential] [--size WxH] -i IN -o OUT MODULE ['?key=value...'] ...");
  const bytes = fs.readFileSync(options.input);
  const image = options.size ?
      {width: options.size[0], height: options.size[1], rgba: new Uint8Array(bytes)} :
      readBmp(bytes);
  const filters = parseChain(chain).map((stage) => new Filter(stage));
  const result = runTileBlock(image, filters, {sequential: options.sequential});
  fs.writeFileSync(options.output, options.size ? result.rgba : writeBmp(result));
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    main(process.argv.slice(2));
  } catch (error) {
    console.error(`tile_reference: ${error.message}`);
    process.exitCode = 1;
  }
}
