// Runs components with the host's checks. Sums of 32-bit numbers are exact.

let guest;  // exports of the instance that runs
let place = '';  // begins an error
let session;  // takes turns

const encode = text => new TextEncoder().encode(text);
const decode = bytes => new TextDecoder('utf8', {fatal: true}).decode(bytes);

function start({url, module}) {
	place = url + ': ';
	const [first] = WebAssembly.Module.imports(module);
	if (first) throw `it imports ${first.module}.${first.name}`;
	guest = new WebAssembly.Instance(module).exports;
	guest._start?.();
}

// Of the first export, unsigned.
function value(...names) {
	const found = guest[names.find(name => guest[name])];
	const number = found?.call ? found() : found?.value;
	if (Number.isInteger(number) && !found.length) return number >>> 0;
	throw 'Wasm module must export ' + names.join(' or ');
}

function bytes(pointer, size, error = 'Could not read output') {
	const {buffer} = guest.memory ?? value('memory');
	if (pointer + size > buffer.byteLength) throw error;
	return new Uint8Array(buffer, pointer, size);
}

const text = name =>
	decode(bytes(value(name + '_ptr'), value(name + '_size'), 'Could not read ' + name)).trim();

function transform(input) {
	const size = input.length;
	const limit = value('output_utf8_cap', 'output_bytes_cap');
	const room = value('input_utf8_cap', 'input_bytes_cap');
	if (size > room) throw `Input is too large (${size} bytes > ${room})`;
	bytes(value('input_ptr'), size, 'Could not write input').set(input);
	const entry = guest.render ?? guest.run;
	let count = entry?.length === 1 && entry(size), pointer;
	if (typeof count === 'bigint') {
		pointer = Number(count >> 32n);
		count = Number(count & 0xffffffffn);
		if (pointer < 0) throw `component rejected input (${count})`;
	}
	if (!Number.isInteger(count)) throw 'Wasm module must export render or run';
	count >>>= 0;
	if (count > limit) throw 'Module returned more bytes than its stated capacity';
	return bytes(pointer ?? value('output_ptr'), count).slice();
}

function typeOf(name) {
	if (!guest[name + '_ptr'] && !guest[name + '_size']) return;
	const type = text(name).toLowerCase();
	if (/^\w[\w!#$&^.+-]*\/\w[\w!#$&^.+-]*$/.test(type)) return type;
	throw `invalid ${name} "${type}"`;
}

// Each run has fresh instances.
const Edit = components => input => {
	let data, type;
	for (const component of components) {
		start(component);
		const expects = typeOf('input_content_type');
		const makes = typeOf('output_content_type');
		if (data && expects && expects !== type) throw `module expects "${expects}", got "${type}"`;
		data = transform(data ?? encode(input));
		type = makes ?? expects ?? type;
	}
	return {data, type};
};

// An answer gives the next prompt, or the output.
function Form([component]) {
	start(component);
	let data;
	return answer => {
		if (answer != null) data = transform(encode(answer));
		const error = text('error_message'), key = text('input_key');
		if (key) return {error, key, label: text('input_label') || key};
		return {error, output: decode(data ?? transform(''))};
	};
}

// Events give the time to wake up at, and maybe a frame.
function Play([component], uniforms) {
	start(component);
	for (const [key, text] of new URLSearchParams(uniforms ?? '')) {
		const set = guest['uniform_set_' + key];
		if (set?.length !== 1 || isNaN(text || NaN)) throw `invalid uniform ${key}=${text}`;
		set(text);
	}
	const size = value('output_rgba8_srgb_bytes');
	const width = value('render_width_px'), height = value('render_height_px');
	if (!size || size !== width * height * 4) throw `invalid render size ${width}x${height}`;
	let wake = 0;
	return (now, events) => {
		const time = BigInt(now);
		let frame = wake <= now;
		for (const [name, ...values] of events) frame = guest[name]?.(...values, time) || frame;
		wake = Number(guest.tick(time));
		if (wake <= 0) wake = Infinity;
		if (frame) {
			if (guest.render(0) !== size) throw `render(0) did not return ${size} bytes`;
			frame = new Uint8ClampedArray(bytes(value('output_ptr'), size));
		}
		return {wake, width, height, frame};
	};
}

onmessage = async ({data: [kind, urls, uniforms, ...values]}) => {
	try {
		const components = [];
		for (const url of session ? [] : urls) {
			place = url + ': ';
			components.push({url, module: await WebAssembly.compileStreaming(fetch(url))});
		}
		postMessage({});  // the clock starts
		session ??= {Edit, Form, Play}[kind](components, uniforms);
		postMessage({value: session(...values)});
	} catch (error) {
		postMessage({error: place + `${error}`.replace('RuntimeE', 'wasm e')});
	}
};
