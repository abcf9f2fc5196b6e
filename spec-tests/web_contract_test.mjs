// The contracts as host/web/ keeps them, without a browser: small components, made from text, go
// through qip-worker.js as a page would send them, one rule after another.
//
//   node spec-tests/web_contract_test.mjs [--web host/web]
//
// Promises: each session runs in a worker's code of its own, with the bytes from a server on the
// loopback address. Assumes: Node.js 18 or later; wat2wasm in PATH; the repository's root as current
// folder. The last line counts; exit status 1 if anything failed, or if the scripts together have
// 10,000 bytes or more.
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import {spawnSync} from 'node:child_process';

const at = process.argv.indexOf('--web');
const web = path.resolve(at < 0 ? 'host/web' : process.argv[at + 1]);
const kMostBytes = 9999;

// --- Components ----------------------------------------------------------------------------------

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'qip-web-contract-'));
process.on('exit', () => fs.rmSync(folder, {recursive: true, force: true}));
let count = 0;

// The path of a component on the server. `text` is what stands inside (module ...).
function component(text, ...options) {
  const name = `c${++count}`;
  const source = path.join(folder, name + '.wat');
  fs.writeFileSync(source, `(module ${text})`);
  const made = spawnSync('wat2wasm', [...options, source, '-o', path.join(folder, name + '.wasm')]);
  if (made.status !== 0) throw Error(`wat2wasm: ${made.stderr}\n${text}`);
  return `/${name}.wasm`;
}

const server = http.createServer((request, response) => {
  const file = path.join(folder, path.basename(request.url));
  if (!fs.existsSync(file)) {
    response.writeHead(404).end('404 page not found\n');
    return;
  }
  response.writeHead(200, {'Content-Type': 'application/wasm'}).end(fs.readFileSync(file));
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const origin = `http://127.0.0.1:${server.address().port}`;

const value = (name, number) => `(func (export "${name}") (result i32) (i32.const ${number}))`;
const constant = (name, number) => `(global (export "${name}") i32 (i32.const ${number}))`;
const variable = (name, number) => `(global (export "${name}") (mut i32) (i32.const ${number}))`;
const memory = '(memory (export "memory") 1)';
const data = (place, text) => `(data (i32.const ${place}) "${text}")`;

// Copies its input to 2048 and gives its size. `parts` replaces parts of it by name.
const copying = {
  memory,
  input_ptr: value('input_ptr', 1024),
  input_cap: value('input_utf8_cap', 16),
  output_ptr: value('output_ptr', 2048),
  output_cap: value('output_utf8_cap', 16),
  entry: `(func (export "render") (param i32) (result i32)
    (memory.copy (i32.const 2048) (i32.const 1024) (local.get 0)) (local.get 0))`,
};
const content = (parts = {}) => component(Object.values({...copying, ...parts}).join('\n'));
const returning = (number, type = 'i32') =>
  `(func (export "render") (param i32) (result ${type}) (${type}.const ${number}))`;
const typed = (direction, place, type) => value(direction + '_content_type_ptr', place) +
    value(direction + '_content_type_size', type.length) + data(place, type);

// --- Sessions ------------------------------------------------------------------------------------

// A worker's code, which is a classic script, with globals of its own.
const script = fs.readFileSync(path.join(web, 'qip-worker.js'), 'utf8');
async function open(kind, urls, uniforms = null) {
  let messages;
  const post = (message) => messages.push(structuredClone(message));
  const handle = Function('postMessage', `'use strict'; let onmessage; ${script}; return onmessage;`)(post);
  return async (...values) => {
    messages = [];
    const full = urls.map((url) => new URL(url, origin).href);
    await handle({data: structuredClone([kind, full, uniforms, ...values])});
    const {error, value} = messages.pop();
    if (error !== undefined) throw Error(error);
    return {value, clocks: messages.length};
  };
}

async function run(kind, urls, values, uniforms) {
  const call = await open(kind, urls, uniforms);
  return (await call(...values)).value;
}
const convert = (text, ...urls) => run("Edit", urls, [text]);
const textOf = ({data}) => new TextDecoder().decode(data);

// --- Checks --------------------------------------------------------------------------------------

const tests = [];
const test = (name, body) => tests.push({name, body});

function expect(actual, wanted) {
  const [left, right] = [actual, wanted].map((item) => JSON.stringify(item) ?? String(item));
  if (left !== right) throw Error(`got ${left}, want ${right}`);
}
async function refused(promise, ...parts) {
  let message;
  try {
    message = `was accepted: ${JSON.stringify(await promise)}`;
  } catch (error) {
    if (parts.every((part) => error.message.includes(part))) return;
    message = `got "${error.message}"`;
  }
  throw Error(`${message}, want ${parts.map((part) => `"${part}"`).join(' and ')}`);
}

test('scripts.all_together_have_less_than_10000_bytes', () => {
  const size = fs.readdirSync(web).reduce((sum, name) => sum + fs.statSync(path.join(web, name)).size, 0);
  if (size > kMostBytes) throw Error(`they have ${size}`);
});

test('loading.something_else_than_a_module_is_an_error_that_names_it', async () => {
  fs.writeFileSync(path.join(folder, 'not.wasm'), 'hello');
  await refused(convert('x', '/not.wasm'), '/not.wasm: CompileError: ');
});
test('loading.a_missing_file_is_an_error_that_names_it', () =>
    refused(convert('x', '/missing.wasm'), '/missing.wasm'));
test('loading.the_clock_of_a_call_starts_behind_it', async () => {
  const call = await open("Edit", [content()]);
  expect((await call('a')).clocks, 1);
  await refused((await open("Edit", ['/missing.wasm']))('a'), '/missing.wasm');
});

for (const [kind, text] of [
  ['function', '(import "env" "f" (func))'], ['memory', '(import "env" "f" (memory 1))'],
  ['global', '(import "env" "f" (global i32))'], ['table', '(import "env" "f" (table 1 funcref))'],
]) {
  test(`instantiation.an_imported_${kind}_is_refused`, async () => {
    const url = component(text + Object.values({...copying, memory: kind === 'memory' ? '' : memory}).join(''));
    await refused(convert('x', url), url, 'it imports env.f');
  });
}
test('instantiation.a_trap_of_the_start_function_is_an_error', () =>
    refused(convert('x', content({start: '(func $s unreachable) (start $s)'})),
        ': wasm error: unreachable'));
test('instantiation.an_exported_start_is_called', async () =>
    expect(textOf(await convert('abc', content({
      start: '(func (export "_start") (i32.store8 (i32.const 2048) (i32.const 33)))',
      entry: returning(1),
    }))), '!'));
test('instantiation.a_trap_of_the_exported_start_is_an_error', () =>
    refused(convert('x', content({start: '(func (export "_start") unreachable)'})),
        ': wasm error: unreachable'));
test('instantiation.a_missing_memory_is_an_error', () =>
    refused(convert('x', content({memory: '(memory 1)'})), 'Wasm module must export memory'));
test('instantiation.a_memory_by_name_that_is_none_is_an_error', () =>
    refused(convert('x', content({memory: '(memory 1)' + constant('memory', 1)})), ': '));

test('content.text_goes_through', async () => expect(textOf(await convert('héllo', content())), 'héllo'));
test('content.run_serves_where_there_is_no_render', async () =>
    expect(textOf(await convert('abc', content({entry: copying.entry.replace('render', 'run')}))), 'abc'));
test('content.render_goes_before_run', async () =>
    expect(textOf(await convert('abc', content({other: returning(1).replace('render', 'run')}))), 'abc'));
for (const [kind, make] of Object.entries({constant, variable})) {
  test(`content.values_may_be_${kind}_globals`, async () =>
      expect(textOf(await convert('abc', content({
        input_ptr: make('input_ptr', 1024), input_cap: make('input_bytes_cap', 16),
        output_ptr: make('output_ptr', 2048), output_cap: make('output_bytes_cap', 16),
      }))), 'abc'));
}
test('content.the_output_pointer_is_read_after_the_call', async () =>
    expect(textOf(await convert('abc', content({
      output_ptr: '(global $p (export "output_ptr") (mut i32) (i32.const 0))',
      entry: `(func (export "render") (param i32) (result i32)
        (global.set $p (i32.const 1025)) (i32.const 2))`,
    }))), 'bc'));
test('content.the_output_capacity_is_read_before_the_call', () =>
    refused(convert('abc', content({
      output_cap: '(global $c (export "output_utf8_cap") (mut i32) (i32.const 1))',
      entry: `(func (export "render") (param i32) (result i32)
        (global.set $c (i32.const 100)) (i32.const 2))`,
    })), 'Module returned more bytes than its stated capacity'));
test('content.a_value_function_cannot_overwrite_the_input', async () =>
    expect(textOf(await convert('abc', content({
      output_cap: `(func (export "output_utf8_cap") (result i32)
        (i32.store8 (i32.const 1024) (i32.const 33)) (i32.const 16))`,
    }))), 'abc'));
test('content.every_run_is_a_fresh_instance', async () => {
  const call = await open("Edit", [content({
    entry: `(global $n (mut i32) (i32.const 0)) (func (export "render") (param i32) (result i32)
      (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n))`,
  })]);
  expect((await call('a')).value.data.length, 1);
  expect((await call('a')).value.data.length, 1);
});
test('content.a_memory_that_grows_in_the_call_is_read_where_it_is', async () =>
    expect((await convert('abc', content({
      output_ptr: value('output_ptr', 65536), output_cap: value('output_bytes_cap', 65536),
      entry: `(func (export "render") (param i32) (result i32)
        (drop (memory.grow (i32.const 1))) (i32.const 65536))`,
    }))).data.length, 65536));
test('content.an_empty_text_is_a_run', async () => expect(textOf(await convert('', content())), ''));

for (const [missing, text] of Object.entries({
  input_ptr: 'input_ptr',
  input_cap: 'input_utf8_cap or input_bytes_cap',
  output_cap: 'output_utf8_cap or output_bytes_cap',
  entry: 'render or run',
})) {
  test(`content.a_missing_${missing}_is_named`, () =>
      refused(convert('x', content({[missing]: ''})), 'Wasm module must export ' + text));
}
for (const [kind, text] of Object.entries({
  'of_type_i64': '(func (export "input_ptr") (result i64) (i64.const 1024))',
  'of_type_f64': '(func (export "input_ptr") (result f64) (f64.const 1024.5))',
  'that_is_an_i64_global': '(global (export "input_ptr") i64 (i64.const 1024))',
  'with_a_parameter': '(func (export "input_ptr") (param i32) (result i32) (i32.const 1024))',
  'without_result': '(func (export "input_ptr"))',
  'with_two_results': '(func (export "input_ptr") (result i32 i32) (i32.const 1024) (i32.const 1))',
  'that_is_a_table': '(table (export "input_ptr") 1 funcref)',
})) {
  test(`content.a_value_${kind}_is_refused`, () => refused(convert('x', content({input_ptr: text})), 'input_ptr'));
}
for (const [kind, text] of Object.entries({
  'without_parameter': '(func (export "render") (result i32) (i32.const 0))',
  'with_two_parameters': '(func (export "render") (param i32 i32) (result i32) (i32.const 0))',
  'without_result': '(func (export "render") (param i32))',
  'that_returns_f64': '(func (export "render") (param i32) (result f64) (f64.const 0.5))',
  'that_returns_two_values':
      '(func (export "render") (param i32) (result i32 i32) (i32.const 0) (i32.const 0))',
  'that_is_a_global': constant('render', 1),
})) {
  test(`content.an_entry_${kind}_is_refused`, () => refused(convert('x', content({entry: text})), 'render'));
}

test('content.an_input_as_large_as_the_capacity_is_taken', async () =>
    expect(textOf(await convert('x'.repeat(16), content())).length, 16));
test('content.a_longer_input_is_refused', () =>
    refused(convert('x'.repeat(17), content()), 'Input is too large (17 bytes > 16)'));
test('content.the_size_of_an_input_is_that_of_its_utf8', () =>
    refused(convert('é'.repeat(9), content()), 'Input is too large (18 bytes > 16)'));
for (const [pointer, size] of [[65536, 0], [65535, 1], [65532, 4]]) {
  test(`content.${size}_bytes_at_${pointer}_are_inside_one_page`, async () =>
      expect((await convert('x'.repeat(size), content({
        input_ptr: value('input_ptr', pointer), output_ptr: value('output_ptr', pointer),
        entry: `(func (export "render") (param i32) (result i32) (local.get 0))`,
      }))).data.length, size));
}
for (const [pointer, size] of [[65537, 0], [65536, 1], [65533, 4], [-1, 1], [-4, 4], [-1, 0], [-2147483648, 1]]) {
  test(`content.an_input_of_${size}_bytes_at_${pointer}_is_refused`, () =>
      refused(convert('x'.repeat(size), content({input_ptr: value('input_ptr', pointer)})), 'Could not write input'));
  test(`content.an_output_of_${size}_bytes_at_${pointer}_is_refused`, () =>
      refused(convert('x'.repeat(size), content({output_ptr: value('output_ptr', pointer), entry: returning(size)})),
          'Could not read output'));
}
for (const result of [17, -1, -2147483648]) {
  test(`content.a_result_of_${result}_exceeds_a_capacity_of_16`, () =>
      refused(convert('x', content({entry: returning(result)})), 'Module returned more bytes than its stated capacity'));
}
test('content.a_capacity_of_minus_one_is_four_gibibytes', () =>
    refused(convert('x', content({output_cap: value('output_utf8_cap', -1), entry: returning(-2)})),
        'Could not read output'));
test('content.items_of_i32_are_refused', () =>
    refused(convert('x', content({output_cap: value('output_i32_cap', 4), entry: returning(3)})),
        'Wasm module must export output_utf8_cap or output_bytes_cap'));
test('content.a_trap_is_an_error_that_names_the_component', async () => {
  const url = content({entry: '(func (export "render") (param i32) (result i32) unreachable)'});
  await refused(convert('x', url), `${url}: `, 'wasm error: ', 'unreachable');
});
test('content.an_exhausted_stack_is_an_error_that_names_the_component', async () => {
  const url = content({entry: '(func $r (export "render") (param i32) (result i32) (call $r (local.get 0)))'});
  await refused(convert('x', url), `${url}: `, 'call stack');
});
test('content.a_trap_in_a_value_is_an_error', () =>
    refused(convert('x', content({input_ptr: '(func (export "input_ptr") (result i32) unreachable)'})), 'unreachable'));

// --- Packed results ------------------------------------------------------------------------------

const packed = (result, parts = {}) =>
    content({output_ptr: '', entry: returning(result, 'i64'), ...parts});
const at2048 = (size) => (2048n << 32n) + BigInt(size);
const modes = (number) => ({modes: value('failure_modes_per_input_offset', number)});

test('packed.pointer_and_count_are_inside', async () =>
    expect(textOf(await convert('x', packed(at2048(3), {data: data(2048, 'abc')}))), 'abc'));
test('packed.an_output_pointer_plays_no_part', async () =>
    expect(textOf(await convert('x', packed(at2048(3), {
      data: data(2048, 'abc'), output_ptr: value('output_ptr', 0),
    }))), 'abc'));
test('packed.a_count_beyond_the_capacity_is_refused', () =>
    refused(convert('x', packed(at2048(17))), 'Module returned more bytes than its stated capacity'));
test('packed.the_count_has_32_bits', () =>
    refused(convert('x', packed(at2048(0xffffffff))), 'Module returned more bytes than its stated capacity'));
test('packed.a_pointer_outside_is_refused', () =>
    refused(convert('x', packed(0x7fffffff00000001n)), 'Could not read output'));
test('packed.a_rejection_needs_no_export_to_be_an_error', () =>
    refused(convert('x', packed(-(1n << 63n))), 'component rejected input (0)'));
test('packed.a_rejection_tells_its_detail', () =>
    refused(convert('abc', packed(-(1n << 63n) + 11n, modes(4))), 'component rejected input (11)'));
test('packed.a_rejection_with_a_pointer_is_one', () =>
    refused(convert('abc', packed(at2048(2) - (1n << 63n), modes(4))), 'component rejected input'));
test('packed.a_missing_capacity_is_named', () =>
    refused(convert('x', packed(0n, {output_cap: ''})), 'Wasm module must export output_utf8_cap', 'output_bytes_cap'));

// --- Types and chains ----------------------------------------------------------------------------

test('types.the_declared_output_is_the_type', async () =>
    expect((await convert('x', content({types: typed('output', 100, 'text/html')}))).type, 'text/html'));
test('types.a_declaration_is_trimmed_and_in_lower_case', async () =>
    expect((await convert('x', content({types: typed('output', 100, ' Text/HTML ')}))).type, 'text/html'));
test('types.without_a_declaration_there_is_none', async () =>
    expect((await convert('x', content())).type, undefined));
test('types.a_later_component_keeps_the_type', async () =>
    expect((await convert('x', content({types: typed('output', 100, 'text/html')}), content())).type, 'text/html'));
test('types.the_first_component_is_trusted', async () =>
    expect((await convert('x', content({types: typed('input', 100, 'text/markdown')}))).type, 'text/markdown'));
test('types.a_later_component_takes_what_it_expects', async () =>
    expect((await convert('x', content({types: typed('output', 100, 'text/a')}),
        content({types: typed('input', 100, 'text/a')}))).type, 'text/a'));
test('types.a_later_component_refuses_another_type', () =>
    refused(convert('x', content({types: typed('output', 100, 'text/a')}), content({types: typed('input', 100, 'text/b')})),
        'module expects "text/b", got "text/a"'));
test('types.a_later_component_refuses_an_unspecified_type', () =>
    refused(convert('x', content(), content({types: typed('input', 100, 'text/b')})),
        'module expects "text/b"'));
for (const half of ['ptr', 'size']) {
  test(`types.half_a_declaration_with_${half}_is_refused`, () =>
      refused(convert('x', content({types: value('output_content_type_' + half, 1)})), 'output_content_type_'));
}
test('types.a_declaration_outside_the_memory_is_refused', () =>
    refused(convert('x', content({
      types: value('output_content_type_ptr', 65530) + value('output_content_type_size', 9),
    })), 'output_content_type'));
for (const type of ['text', 'text/', 'a/b, c/d', 'text/html; charset=utf-8', '*/*', 'te xt/html', '', 'a/b\\nc']) {
  test(`types.${JSON.stringify(type)}_is_refused`, () =>
      refused(convert('x', content({types: typed('output', 100, type)})), 'output'));
}

test('chain.components_run_one_after_another', async () => {
  const twice = content({
    entry: `(func (export "render") (param i32) (result i32)
      (memory.copy (i32.const 2048) (i32.const 1024) (local.get 0))
      (memory.copy (i32.add (i32.const 2048) (local.get 0)) (i32.const 1024) (local.get 0))
      (i32.mul (local.get 0) (i32.const 2)))`,
  });
  expect(textOf(await convert('ab', twice, content(), twice)), 'abababab');
});
test('chain.the_output_of_one_is_checked_as_input_of_the_next', () =>
    refused(convert('x'.repeat(9), content(), content({input_cap: value('input_utf8_cap', 8)})), 'Input is too large (9'));
test('chain.an_error_names_the_component_that_made_it', async () => {
  const [good, bad] = [content(), content({entry: '(func (export "render") (param i32) (result i32) unreachable)'})];
  await refused(convert('x', good, bad, good), `${bad}: `);
});
test('chain.bytes_go_through_as_they_are', async () =>
    expect([...(await convert('x', content({data: data(2048, '\\ff\\00'), entry: returning(2)}), content())).data], [255, 0]));

// --- Forms ---------------------------------------------------------------------------------------

// Asks for `name` until it is not empty, then gives it back. State: 0 asking, 1 refused, 2 complete.
const asking = {
  memory,
  input_ptr: value('input_ptr', 1024),
  input_cap: value('input_utf8_cap', 8),
  output_ptr: value('output_ptr', 1024),
  output_cap: value('output_utf8_cap', 8),
  texts: data(100, ' name ') + data(110, 'Your name') + data(120, 'Name is missing.'),
  state: '(global $state (mut i32) (i32.const 0))',
  key: value('input_key_ptr', 100) + `(func (export "input_key_size") (result i32)
    (select (i32.const 0) (i32.const 6) (i32.eq (global.get $state) (i32.const 2))))`,
  label: value('input_label_ptr', 110) + value('input_label_size', 9),
  error: value('error_message_ptr', 120) + `(func (export "error_message_size") (result i32)
    (select (i32.const 16) (i32.const 0) (i32.eq (global.get $state) (i32.const 1))))`,
  entry: `(func (export "run") (param i32) (result i32)
    (global.set $state (select (i32.const 2) (i32.const 1) (local.get 0))) (local.get 0))`,
};
const form = (parts = {}) => component(Object.values({...asking, ...parts}).join('\n'));
const pair = (name, pointer, size) => value(name + '_ptr', pointer) + value(name + '_size', size);
async function fill(parts, ...answers) {
  const call = await open("Form", [form(parts)]);
  let prompt = (await call()).value;
  for (const answer of answers) prompt = (await call(answer)).value;
  return prompt;
}

test('form.a_prompt_has_key_and_label', async () =>
    expect(await fill(), {error: '', key: 'name', label: 'Your name'}));
test('form.a_key_is_the_label_where_there_is_none', async () =>
    expect((await fill({label: pair('input_label', 110, 0)})).label, 'name'));
test('form.a_refused_value_gives_the_message_and_the_prompt_again', async () =>
    expect(await fill({}, ''), {error: 'Name is missing.', key: 'name', label: 'Your name'}));
test('form.a_value_that_is_taken_clears_the_message', async () =>
    expect(await fill({}, '', 'Ada'), {error: '', output: 'Ada'}));
test('form.one_instance_serves_the_whole_form', async () =>
    expect((await fill({}, '', '', 'Ada')).output, 'Ada'));
test('form.a_key_of_white_space_is_the_end', async () =>
    expect((await fill({key: pair('input_key', 90, 3) + data(90, ' \\t\\n')})).output, ''));
test('form.one_that_never_asks_is_called_once_with_nothing', async () =>
    expect((await fill({
      key: pair('input_key', 0, 0),
      entry: `(func (export "run") (param i32) (result i32)
        (i32.store8 (i32.const 1024) (i32.const 33)) (i32.add (local.get 0) (i32.const 1)))`,
    })).output, '!'));
test('form.a_value_as_long_as_the_capacity_is_taken', async () =>
    expect((await fill({}, '12345678')).output, '12345678'));
test('form.a_longer_value_is_refused', () => refused(fill({}, '123456789'), '9', '> 8'));
test('form.a_value_outside_the_memory_is_refused', () =>
    refused(fill({input_ptr: value('input_ptr', 65534)}, 'Ada'), 'Could not write input'));
for (const name of ['input_key', 'error_message', 'input_label']) {
  const part = {input_key: 'key', error_message: 'error', input_label: 'label'}[name];
  for (const [pointer, size] of [[65530, 7], [-1, 1], [0, -1], [-1, -1]]) {
    test(`form.${name}_of_${size}_bytes_at_${pointer}_is_refused`, () =>
        refused(fill({[part]: pair(name, pointer, size)}), 'Could not read ' + name));
  }
  test(`form.${name}_must_be_utf8`, () =>
      refused(fill({[part]: pair(name, 200, 2), bytes: data(200, '\\c3\\28')}), 'valid'));
  test(`form.${name}_must_be_exported`, () => refused(fill({[part]: ''}), 'Wasm module must export ' + name));
}
test('form.values_may_be_globals', async () =>
    expect((await fill({label: constant('input_label_ptr', 110) + variable('input_label_size', 4)})).label, 'Your'));
test('form.an_output_beyond_the_capacity_is_refused', () =>
    refused(fill({output_cap: value('output_utf8_cap', 2)}, 'Ada'), 'capacity'));
test('form.a_negative_output_size_is_refused', () =>
    refused(fill({
      entry: '(func (export "run") (param i32) (result i32) (global.set $state (i32.const 2)) (i32.const -1))',
    }, 'Ada'), ': '));
test('form.an_output_outside_the_memory_is_refused', () =>
    refused(fill({output_ptr: value('output_ptr', 65534)}, 'Ada'), 'Could not read output'));
test('form.the_output_must_be_utf8', () =>
    refused(fill({output_ptr: value('output_ptr', 300), bytes: data(300, 'a\\ff')}, 'Ada'), 'valid'));
test('form.a_trap_is_an_error', () =>
    refused(fill({entry: '(func (export "run") (param i32) (result i32) unreachable)'}, 'Ada'), 'wasm error: unreachable'));
test('form.a_missing_entry_is_an_error', () => refused(fill({entry: ''}, 'Ada'), 'run'));

// --- Interactive ---------------------------------------------------------------------------------

// 2 by 1 pixels; the first shows the last event's number, the second what tick() was told.
const playing = {
  memory,
  width: value('render_width_px', 2),
  height: value('render_height_px', 1),
  bytes: value('output_rgba8_srgb_bytes', 8),
  output_ptr: value('output_ptr', 512),
  key: `(func (export "key_event") (param i32 i32 i64) (result i32)
    (i32.store (i32.const 512) (local.get 0)) (i32.and (local.get 1) (i32.const 1)))`,
  pointer: `(func (export "pointer_event") (param i32 i32 i32 i64) (result i32)
    (i32.store (i32.const 512) (i32.add (local.get 1) (local.get 2))) (i32.const 1))`,
  tick: `(func (export "tick") (param i64) (result i64)
    (i32.store (i32.const 516) (i32.wrap_i64 (local.get 0))) (i64.const 0))`,
  render: '(func (export "render") (param i32) (result i32) (i32.const 8))',
};
const game = (parts = {}) => component(Object.values({...playing, ...parts}).join('\n'));
const start = (parts, uniforms) => open("Play", [game(parts)], uniforms);
const first = async (parts, uniforms) => (await (await start(parts, uniforms))(0, [])).value;
const ticking = (result) =>
    ({tick: `(func (export "tick") (param i64) (result i64) ${result})`});
const words = (frame) => [...new Int32Array(frame.slice().buffer)];

test('interactive.the_first_step_has_a_frame', async () => {
  const {width, height, frame} = await first();
  expect([width, height, frame.length], [2, 1, 8]);
});
test('interactive.a_step_tells_its_time', async () => {
  const call = await start();
  await call(0, []);
  expect(words((await call(77, [['key_event', 5, 1]])).value.frame), [5, 77]);
});
test('interactive.a_step_without_a_wish_has_no_frame', async () => {
  const call = await start();
  await call(0, []);
  expect(Boolean((await call(1, [['key_event', 5, 0]])).value.frame), false);
});
test('interactive.one_event_that_wants_a_frame_is_enough', async () => {
  const call = await start();
  await call(0, []);
  const {frame} = (await call(9, [['key_event', 5, 1], ['key_event', 6, 0]])).value;
  expect(words(frame), [6, 9]);
});
test('interactive.negative_places_are_told', async () => {
  const call = await start();
  await call(0, []);
  expect(words((await call(9, [['pointer_event', 1, -3, 1]])).value.frame), [-2, 9]);
});
test('interactive.events_that_it_does_not_take_are_left_out', async () => {
  const call = await start({key: '', pointer: ''});
  await call(0, []);
  expect(Boolean((await call(1, [['key_event', 5, 1], ['pointer_event', 1, 0, 0]])).value.frame), false);
});
for (const [result, wake] of [['(i64.const 0)', Infinity], ['(i64.const -5)', Infinity], ['(i64.const 40)', 40]]) {
  test(`interactive.a_tick_of_${result}_wakes_at_${wake}`, async () => {
    if ((await first(ticking(result))).wake !== wake) throw Error('it does not');
  });
}
test('interactive.a_time_that_has_passed_is_due_at_the_next_step', async () => {
  const call = await start(ticking('(i64.const 1)'));
  await call(0, []);
  await call(50, []);
  expect(words((await call(51, [])).value.frame), [0, 0]);
});
test('interactive.a_wake_up_that_is_due_has_a_frame', async () => {
  const call = await start(ticking('(i64.const 40)'));
  await call(0, []);
  expect((await call(39, [])).value.frame, false);
  expect((await call(40, [])).value.frame.length, 8);
});
for (const [width, height] of [[0, 1], [2, 0], [-1, 1], [2, -1], [3, 1]]) {
  test(`interactive.a_frame_of_${width}_by_${height}_in_8_bytes_is_refused`, () =>
      refused(first({width: value('render_width_px', width), height: value('render_height_px', height)}), `${width >>> 0}x${height >>> 0}`));
}
test('interactive.width_times_height_does_not_wrap', () =>
    refused(first({
      width: value('render_width_px', 65536), height: value('render_height_px', 65536),
      bytes: value('output_rgba8_srgb_bytes', 0),
    }), '65536x65536'));
test('interactive.another_size_from_render_is_refused', () =>
    refused(first({render: playing.render.replace('const 8', 'const 4')}), 'render(0) did not return 8 bytes'));
test('interactive.a_frame_outside_the_memory_is_refused', () =>
    refused(first({output_ptr: value('output_ptr', 65532)}), 'ould not read output'));
for (const [part, name] of Object.entries({
  bytes: 'output_rgba8_srgb_bytes', width: 'render_width_px', height: 'render_height_px', output_ptr: 'output_ptr',
})) {
  test(`interactive.a_missing_${part}_is_named`, () => refused(first({[part]: ''}), 'Wasm module must export ' + name));
}
for (const part of ['tick', 'render']) {
  test(`interactive.a_missing_${part}_is_refused`, () => refused(first({[part]: ''}), part));
}
test('interactive.a_tick_that_takes_i32_is_refused', () =>
    refused(first({tick: '(func (export "tick") (param i32) (result i32) (i32.const 0))'}), ': '));
test('interactive.a_trap_in_tick_is_an_error', () => refused(first(ticking('unreachable')), 'wasm error: unreachable'));

const setters = {
  setters: `(func (export "uniform_set_i") (param i32) (i32.store (i32.const 512) (local.get 0)))
    (func (export "uniform_set_l") (param i64) (i64.store (i32.const 512) (local.get 0)))
    (func (export "uniform_set_f") (param f32) (f32.store (i32.const 512) (local.get 0)))
    (func (export "uniform_set_both") (param i32 i32))`,
  tick: ticking('(i64.const 0)').tick,
};
test('uniforms.an_i32_is_set_before_the_first_step', async () =>
    expect(words((await first(setters, 'i=-7')).frame), [-7, 0]));
test('uniforms.hexadecimal_digits_are_bits', async () =>
    expect(words((await first(setters, 'i=0xffffffff')).frame)[0], -1));
test('uniforms.an_i64_is_set', async () =>
    expect(words((await first(setters, 'l=4294967297')).frame), [1, 1]));
test('uniforms.an_f32_is_set', async () =>
    expect(words((await first(setters, 'f=1.5')).frame)[0], 0x3fc00000));
test('uniforms.the_last_of_one_key_counts', async () =>
    expect(words((await first(setters, 'i=9&i=3')).frame)[0], 3));
for (const query of ['x=1', 'both=1', 'i=', 'i=abc', 'i', 'i=1_000']) {
  test(`uniforms.${query}_is_refused`, () => refused(first(setters, query), 'uniform'));
}

// --- Running them --------------------------------------------------------------------------------

let failed = 0;
for (const {name, body} of tests) {
  try {
    await body();
  } catch (error) {
    failed++;
    console.log(`FAILED ${name}: ${error.message}`);
  }
}
server.close();
console.log(`${tests.length - failed} passed, ${failed} failed, 0 skipped`);
process.exitCode = failed > 0 ? 1 : 0;
