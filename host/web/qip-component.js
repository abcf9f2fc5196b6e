// The contracts of components with the host's checks, and the page's way to the worker that keeps
// them. Sums of 32-bit numbers are exact in JavaScript, so no check of a range wraps.

let exports;  // of the only instance in the worker
export let running = "";  // begins an error

const fail = (message) => {
  throw message;
};
const encode = (text) => new TextEncoder().encode(text);
export const decode = (bytes) => new TextDecoder("utf-8", { fatal: true }).decode(bytes);

export async function load(url) {
  const name = new URL(url).pathname;
  const module = await WebAssembly.compileStreaming(fetch(url)).catch(({ message }) =>
    fail(`wasm module "${name}" could not be compiled: ${message}`));
  return { name: name + ": ", module };
}

function start({ name, module }) {
  running = name + "Wasm module could not be instantiated: ";
  const [first] = WebAssembly.Module.imports(module);
  if (first) fail(`a component has no imports, but this module imports ${first.module}.${first.name}`);
  ({ exports } = new WebAssembly.Instance(module));
  exports._start?.();
  running = name;
}

// A function or global, the first that is there, as an unsigned number.
function value(...names) {
  const found = exports[names.find((name) => exports[name])];
  const number = found?.call ? found() : found?.value;
  if (Number.isInteger(number) && !found.length) return number >>> 0;
  fail(`Wasm module must export ${names.join(" or ")} as global or function`);
}

function bytes(pointer, size, problem) {
  const { buffer } = exports.memory ?? fail("Wasm module must export memory");
  return pointer + size > buffer.byteLength ? fail(problem) : new Uint8Array(buffer, pointer, size);
}

function text(name) {
  const size = value(name + "_size");
  return decode(bytes(value(name + "_ptr"), size, name + " exceeds wasm memory bounds")).trim();
}

function transform(input) {
  const size = input.length;
  const limit = value("output_utf8_cap", "output_bytes_cap");
  const capacity = value("input_utf8_cap", "input_bytes_cap");
  const entry = exports.render ?? exports.run;
  if (entry?.length !== 1) fail("Wasm module must export render(i32) -> i32 or run(i32) -> i32");
  if (size > capacity) fail(`Input is too large (${size} bytes > ${capacity} bytes input capacity)`);
  bytes(value("input_ptr"), size, "Could not write input").set(input);
  const result = entry(size);
  const isPacked = typeof result === "bigint";  // a rejection's bit, pointer, count
  const count = Number(BigInt.asUintN(32, BigInt(result)));
  if (isPacked && result < 0) fail(`component rejected input (${count})`);
  if (count > limit) fail("Module returned more bytes than its stated capacity");
  const pointer = isPacked ? Number(result >> 32n) : value("output_ptr");
  return bytes(pointer, count, "Could not read output").slice();
}

const declaredType = (name) =>
  exports[name + "_ptr"] || exports[name + "_size"] ? text(name).toLowerCase() : "";

// A text goes through all components, each in a fresh instance.
export const content = (components) => (input) => {
  let data = encode(input), type;
  for (const component of components) {
    start(component);
    const expects = declaredType("input_content_type");
    const makes = declaredType("output_content_type");
    if (expects && expects !== (type ?? expects)) {
      fail(`content type check failed: module expects "${expects}", got "${type}"`);
    }
    data = transform(data);
    type = makes || expects || type || "";
  }
  return { data, type };
};

// An answer, at first none, gives the next prompt, in the end the output.
export function form([component]) {
  start(component);
  let data;
  return (answer) => {
    if (answer !== undefined) data = transform(encode(answer));
    const error = text("error_message"), key = text("input_key");
    if (key) return { error, key, label: text("input_label") || key };
    return { error, output: decode(data ?? transform("")) };
  };
}

// Events at a time give the time of the next wish, and a frame if there is a new one.
export function play([component], uniforms) {
  start(component);
  const size = value("output_rgba8_srgb_bytes");
  for (const [key, text] of new URLSearchParams(uniforms)) {
    const set = exports["uniform_set_" + key];
    if (set?.length !== 1 || isNaN(text || NaN)) fail(`invalid uniform ${key}=${text}`);
    set(text);
  }
  const width = value("render_width_px"), height = value("render_height_px");
  if (!size || size !== width * height * 4) fail(`invalid render size ${width}x${height}`);
  let wake = 0;
  return (now, events) => {
    let frame = wake <= now;
    for (const [name, ...values] of events) frame = !!exports[name]?.(...values, BigInt(now)) || frame;
    wake = Number(exports.tick(BigInt(now)));
    wake = wake > 0 ? Math.max(wake, now + 1) : Infinity;
    if (frame && exports.render(0) !== size) fail(`render(0) did not return ${size} bytes`);
    frame &&= new Uint8ClampedArray(bytes(value("output_ptr"), size, "could not read output frame"));
    return { wake, width, height, frame };
  };
}

// An element's run() takes turns by `call`; one that takes longer than timeout-ms ends the worker.
export class QipElement extends (globalThis.HTMLElement ?? Object) {
  async connectedCallback() {
    const limit = this.getAttribute("timeout-ms") || 500;
    const call = (this.call = (...values) => new Promise((resolve, reject) => {
      if (this.call !== call) return;  // the element was taken away
      this.worker ??= new Worker(new URL("qip-worker.js", import.meta.url), { type: "module" });
      this.worker.onmessage = ({ data: { error, value } }) => {
        clearTimeout(this.timer);
        if (error) reject(error);
        if (value) resolve(value);
        else this.timer = setTimeout(() => {
          this.stop();
          reject(`Wasm module exceeded the execution time limit (${limit}ms)`);
        }, limit);
      };
      const { source = this.getAttribute("src") } = this;
      const urls = source.match(/\S+/g).map((url) => new URL(url, document.baseURI).href);
      this.worker.postMessage([this.kind, urls, this.getAttribute("uniforms"), ...values]);
    }));
    this.text ??= this.textContent;
    this.innerHTML = this.html + "<p role=alert></p>";
    try {
      await this.run(call, ...this.children);
    } catch (error) {
      this.stop();
      this.lastChild.textContent = error;
    }
  }
  disconnectedCallback() {
    this.call = this.stop();
  }
  stop() {
    clearTimeout(this.timer);
    this.worker = this.worker?.terminate();
  }
}
