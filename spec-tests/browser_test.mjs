// The browser half, driven by a person's means: pages of `qip dev` in headless Chromium, with keys,
// pointer and eyes (the pixels of the canvas).
//
//   node spec-tests/browser_test.mjs [--folder build/browser] [--only TEXT] [--server URL]
//
// Makes a site in a temporary folder, serves it with $QIP (else build/qip) on a free port, leaves
// screenshots in the folder. --server: the site is served elsewhere; what edits files is skipped.
// Assumes: the repository's root as current folder; playwright-core below the folder and
// /usr/bin/chromium ($CHROMIUM), else everything is skipped. The last line counts; exit status 1 if
// anything failed. Waits have an end; no assertion measures time.
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import {spawn} from 'node:child_process';
import {createRequire} from 'node:module';

const options = {folder: 'build/browser', only: '', server: ''};
for (let i = 2; i < process.argv.length; i += 2) {
  const name = process.argv[i].replace(/^--/, '');
  if (!(name in options) || process.argv[i + 1] === undefined) {
    console.error(`unknown option ${process.argv[i]}`);
    process.exit(2);
  }
  options[name] = process.argv[i + 1];
}

const kPatience = 20_000;  // ms, until a wait is a failure
const chromium = process.env.CHROMIUM ?? '/usr/bin/chromium';
const qip = path.resolve(process.env.QIP ?? 'build/qip');
const folder = path.resolve(options.folder);
fs.mkdirSync(folder, {recursive: true});

function skip(reason) {
  console.log(`SKIPPED everything: ${reason}`);
  console.log('0 passed, 0 failed, 1 skipped');
  process.exit(0);
}
let playwright;
try {
  playwright = createRequire(path.join(folder, 'package.json'))('playwright-core');
} catch {
  skip(`there is no playwright-core below ${options.folder}`);
}
if (!fs.existsSync(chromium)) skip(`there is no ${chromium}`);

// --- The site ------------------------------------------------------------------------------------

const temporary = fs.mkdtempSync(path.join(os.tmpdir(), 'qip-browser-'));
const content = path.join(temporary, 'content');

function put(name, text) {
  const file = path.join(temporary, name);
  fs.mkdirSync(path.dirname(file), {recursive: true});
  fs.writeFileSync(file, text);
}
function copy(component, name) {
  put(name, fs.readFileSync(path.join('modules', component)));
}

function makeSite() {
  copy('form/email-message.wasm', 'forms/contact.wasm');
  copy('form/ical-event-minutes.wasm', 'forms/event.wasm');
  for (const name of ['snake', 'paint', 'tick-rates']) {
    copy(`interactive/${name}.wasm`, `components/${name}.wasm`);
  }
  copy('text/markdown/markdown-basic.wasm', 'components/markdown.wasm');
  copy('text/html/html-page-wrap.wasm', 'components/wrap.wasm');
  copy('utf8/trim.wasm', 'components/trim.wasm');
  copy('utf8/infinite-loop.wasm', 'components/endless.wasm');
  copy('utf8/utf8-must-be-valid.wasm', 'components/valid.wasm');
  copy('text/uri-list/url-to-qr-svg.wasm', 'components/qr.wasm');
  copy('image/svg+xml/svg-rasterize.wasm', 'components/rasterize.wasm');
  copy('image/bmp/bmp-to-png.wasm', 'components/png.wasm');
  copy('text/markdown/markdown-basic.wasm', 'recipes/text/markdown/10-markdown.wasm');
  copy('text/html/html-page-wrap.wasm', 'recipes/text/markdown/90-wrap.wasm');
  put('content/index.md', '# First\n\nThe first text.\n');
  put('content/form.html', '<!doctype html><title>Form</title><body><h1>Contact</h1>' +
      '<qip-form name="contact"></qip-form></body>');
  put('content/two.html', '<!doctype html><title>Two</title><body>' +
      '<qip-form name="contact"></qip-form><qip-form name="event"></qip-form></body>');
  put('content/snake.html', '<!doctype html><title>Snake</title><body><a href=/ id=before>before</a>' +
      '<qip-play src="/components/snake.wasm" uniforms="steps_per_second=10&seed=3"></qip-play>' +
      '<a href=/ id=after>after</a></body>');
  put('content/paint.html', '<!doctype html><title>Paint</title><style>canvas { width: 640px }</style>' +
      '<body><qip-play src="/components/paint.wasm"></qip-play></body>');
  put('content/edit.html', '<!doctype html><title>Edit</title><body><qip-edit ' +
      'src="/components/markdown.wasm /components/wrap.wasm">\n# Begin\n\nWith *this*.\n</qip-edit></body>');
  put('content/plain.html', '<!doctype html><title>Plain</title><body>' +
      '<qip-edit src="/components/trim.wasm"> a <b>b</b> </qip-edit></body>');
  put('content/picture.html', '<!doctype html><title>Picture</title><body><qip-edit ' +
      'src="/components/qr.wasm">https://example.org</qip-edit></body>');
  put('content/endless.html', '<!doctype html><title>Endless</title><body><p id=count>0</p>' +
      '<qip-edit src="/components/endless.wasm" timeout-ms="300">x</qip-edit>' +
      '<qip-edit src="/components/trim.wasm"> fine </qip-edit>' +
      '<script>setInterval(() => { count.textContent = Number(count.textContent) + 1; }, 20)</script></body>');
  put('content/missing.html', '<!doctype html><title>Missing</title><body>' +
      '<qip-play src="/components/none.wasm"></qip-play></body>');
}

// A port that nobody listens on now.
function freePort() {
  return new Promise((resolve) => {
    const probe = net.createServer().listen(0, '127.0.0.1', () => {
      const {port} = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

let server, origin;
async function serve() {
  if (options.server !== '') return options.server;
  const site = ['--recipes', 'recipes', '--forms', 'forms', '--components', 'components'];
  server = spawn(qip, ['dev', 'content', ...site, '-p', String(await freePort())], {cwd: temporary, stdio: ['ignore', 'ignore', 'pipe']});
  let log = '';
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(Error(`qip dev does not listen: ${log}`)), kPatience);
    server.stderr.on('data', (bytes) => {
      log += bytes;
      const found = log.match(/listening on (http:\/\/[^\s]+)/);
      if (!found) return;
      clearTimeout(timer);
      resolve(found[1].replace(/\/$/, ''));
    });
    server.on('exit', (code) => reject(Error(`qip dev ended with ${code}: ${log}`)));
  });
}

// --- Checks --------------------------------------------------------------------------------------

function expect(actual, wanted, what) {
  if (actual !== wanted) throw Error(`${what}: got ${JSON.stringify(actual)}, want ${JSON.stringify(wanted)}`);
}
function demand(condition, what) {
  if (!condition) throw Error(what);
}
// Until `probe` gives something true; that.
async function until(what, probe) {
  const end = Date.now() + kPatience;
  let last;
  while (Date.now() < end) {
    try {
      last = await probe();
      if (last) return last;
    } catch (error) {
      last = error.message;
    }
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  throw Error(`${what}: not within ${kPatience} ms (${last})`);
}
const shot = (page, name) => page.screenshot({path: path.join(folder, name + '.png')});
const open = (page, name) => page.goto(origin + name);
// The pixels of a part of the canvas, as a text to compare.
const pixels = (page, ...area) => page.$eval('canvas', (canvas, [x, y, width, height]) =>
  canvas.getContext('2d').getImageData(x, y, width, height).data.join(), area);
const isDrawn = (page) => until('a first frame', () => page.$eval('canvas', (canvas) =>
  canvas.width !== 300 && canvas.getContext('2d').getImageData(5, 5, 1, 1).data[3] === 255));
const problem = (page, nth = 0) => page.locator('[role=alert]').nth(nth);

const tests = [];
const test = (name, body, needsFiles = false) => tests.push({name, body, needsFiles});

// --- Forms ---------------------------------------------------------------------------------------

test('form.a_person_fills_it_in_with_a_wrong_value_in_between', async (page) => {
  await open(page, '/form');
  await page.evaluate(() => document.addEventListener('qip-output', ({detail}) => (window.output = detail)));
  await page.getByLabel('First name').fill('Ada');
  await shot(page, 'form-first');
  await page.getByRole('button', {name: 'Continue'}).click();
  const address = page.getByLabel('Email address');
  await address.waitFor();
  expect(await address.inputValue(), '', 'the next value');
  await address.fill('nobody');
  await address.press('Enter');
  await until('a message', async () => (await problem(page).textContent()).includes('invalid'));
  await shot(page, 'form-refused');
  expect(await address.inputValue(), 'nobody', 'the refused value is kept');
  demand(await address.evaluate((input) => input === document.activeElement), 'the field has no focus');
  await address.fill('ada@example.com');
  await address.press('Enter');
  await page.locator('pre').waitFor();
  const output = await page.locator('pre').textContent();
  demand(output.includes('Ada') && output.includes('ada@example.com'), `the output is ${output}`);
  expect(await page.evaluate('window.output'), output, 'the event qip-output');
  expect(await problem(page).textContent(), '', 'the message at the end');
  expect(await page.locator('form').count(), 0, 'forms at the end');
  await shot(page, 'form-complete');
});

test('form.two_on_a_page_do_not_know_each_other', async (page) => {
  await open(page, '/two');
  await page.getByLabel('First name').fill('Ada');
  await page.getByLabel('First name').press('Enter');
  await page.getByLabel('Email address').waitFor();
  await page.getByLabel('Event title').waitFor();
});

test('form.what_a_form_says_is_text', async (page) => {
  await open(page, '/form');
  await page.getByLabel('First name').fill('<img src=x onerror="window.bad=1">');
  await page.getByLabel('First name').press('Enter');
  await page.getByLabel('Email address').fill('a@example.com');
  await page.getByLabel('Email address').press('Enter');
  await page.locator('pre').waitFor();
  expect(await page.locator('pre img').count(), 0, 'elements from an answer');
});

test('form.a_component_that_is_none_is_an_error', async (page) => {
  await open(page, '/form');
  await page.evaluate(() => {
    const element = document.createElement('qip-form');
    element.setAttribute('src', '/index.md');
    document.body.replaceChildren(element);
  });
  await until('a message', async () => /^Form error: .+/.test(await problem(page).textContent()));
});

// --- Games ---------------------------------------------------------------------------------------

// The bar of snake: its score stands at 56, 3 with 24 by 10 pixels, its state from 184 on.
const score = (page) => pixels(page, 56, 3, 24, 10);
const state = (page) => pixels(page, 184, 3, 100, 10);

// Where the red food and the light head are, in cells.
const places = (page) => page.$eval('canvas', (canvas) => {
  const {data} = canvas.getContext('2d').getImageData(0, 16, 288, 272);
  const found = {};
  for (let row = 0; row < 17; row++) {
    for (let column = 0; column < 18; column++) {
      const at = ((row * 16 + 8) * 288 + column * 16 + 8) * 4;
      if (data[at] === 239) found.food = {row, column};
      if (data[at] === 197) found.head = {row, column};
    }
  }
  return found;
});

// Steers to the food; never straight back, which the game does not take; begins anew after a crash.
async function eat(page) {
  const before = await score(page);
  const opposite = {ArrowLeft: 'ArrowRight', ArrowRight: 'ArrowLeft', ArrowUp: 'ArrowDown', ArrowDown: 'ArrowUp'};
  let direction = '', place = '', looks = 0;
  await until('another score', async () => {
    if (await score(page) !== before) return true;
    const {food, head} = await places(page);
    if (!food || !head) return false;
    looks = place === `${head.row} ${head.column}` ? looks + 1 : 0;
    place = `${head.row} ${head.column}`;
    if (looks > 30) {
      await page.keyboard.press('r');
      direction = '';
      looks = 0;
    }
    const across = food.column > head.column ? 'ArrowRight' : 'ArrowLeft';
    const along = food.row > head.row ? 'ArrowDown' : 'ArrowUp';
    let key = food.row === head.row ? across : along;
    if (direction !== '' && key === opposite[direction]) key = key === along ? across : along;
    if (key !== direction) await page.keyboard.press(direction = key);
    return false;
  });
}

test('play.snake_eats_by_keyboard_and_its_score_changes', async (page) => {
  await open(page, '/snake');
  await isDrawn(page);
  expect(await page.$eval('canvas', (canvas) => `${canvas.width}x${canvas.height}`), '288x288', 'the frame');
  await shot(page, 'snake-begin');
  await page.locator('canvas').focus();
  await eat(page);
  await shot(page, 'snake-ate');
  await page.keyboard.press('p');
  const waiting = await state(page);
  await page.keyboard.press('p');
  await until('the game goes on', async () => await state(page) !== waiting);
});

test('play.keys_are_taken_only_with_the_focus', async (page) => {
  await open(page, '/snake');
  await isDrawn(page);
  const before = await pixels(page, 0, 0, 288, 288);
  await page.keyboard.press('ArrowRight');
  await page.waitForTimeout(300);
  expect(await pixels(page, 0, 0, 288, 288) === before, true, 'the picture is as before');
});

test('play.tab_enters_and_leaves', async (page) => {
  await open(page, '/snake');
  await isDrawn(page);
  const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.localName);
  await page.locator('#before').focus();
  await page.keyboard.press('Tab');
  expect(await focused(), 'canvas', 'behind the first link');
  await page.keyboard.press('Tab');
  expect(await focused(), 'after', 'behind the canvas');
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Shift+Tab');
  expect(await focused(), 'before', 'before the canvas');
});

test('play.nothing_is_called_while_the_game_wants_nothing', async (page) => {
  await page.addInitScript(() => {
    window.turns = 0;
    const post = Worker.prototype.postMessage;
    Worker.prototype.postMessage = function (...values) {
      window.turns++;
      return post.apply(this, values);
    };
  });
  await open(page, '/snake');
  await isDrawn(page);
  await page.waitForTimeout(300);
  expect(await page.evaluate('turns'), 1, 'turns before the game');
  await page.locator('canvas').focus();
  await page.keyboard.press('ArrowRight');
  await until('turns in the game', () => page.evaluate('turns > 5'));
  await page.keyboard.press('p');
  await page.waitForTimeout(200);
  const paused = await page.evaluate('turns');
  await page.waitForTimeout(300);
  expect(await page.evaluate('turns'), paused, 'turns in a pause');
  await page.keyboard.press('p');
  await until('turns after the pause', () => page.evaluate(`turns > ${paused + 5}`));
  await page.evaluate(() => document.querySelector('qip-play').remove());
  const removed = await page.evaluate('turns');
  await page.waitForTimeout(300);
  expect(await page.evaluate('turns'), removed, 'turns of an element that was removed');
});

test('play.an_element_that_is_moved_begins_anew_and_runs_once', async (page) => {
  await open(page, '/snake');
  await isDrawn(page);
  await page.locator('canvas').focus();
  await page.keyboard.press('ArrowRight');
  await page.evaluate(() => document.body.append(document.querySelector('qip-play')));
  await isDrawn(page);
  expect(await page.locator('canvas').count(), 1, 'canvases');
  await page.locator('canvas').focus();
  await eat(page);
});

test('play.the_pointer_paints_where_it_is', async (page) => {
  await open(page, '/paint');
  await isDrawn(page);
  const box = await page.locator('canvas').boundingBox();
  expect(box.width, 640, 'the width of the canvas on the page');
  const at = (x, y) => [box.x + (x + 0.5) * 2, box.y + (y + 0.5) * 2];
  const before = await pixels(page, 100, 120, 1, 1);
  const corner = await pixels(page, 300, 220, 1, 1);
  await page.mouse.move(...at(60, 120));
  await page.mouse.down();
  await page.mouse.move(...at(140, 120), {steps: 12});
  await page.mouse.up();
  await until('paint', async () => await pixels(page, 100, 120, 1, 1) !== before);
  expect(await pixels(page, 300, 220, 1, 1) === corner, true, 'the corner is as before');
  await page.mouse.move(...at(100, 180), {steps: 12});
  await page.mouse.down({button: 'right'});
  await page.mouse.move(...at(100, 60), {steps: 12});
  await page.mouse.up({button: 'right'});
  await until('what was erased', async () => await pixels(page, 100, 120, 1, 1) === before);
  await shot(page, 'paint');
});

test('play.a_missing_component_is_an_error', async (page) => {
  await open(page, '/missing');
  await until('a message', async () => (await problem(page).textContent()).includes('/components/none.wasm'));
  await shot(page, 'missing');
});

// --- Editing -------------------------------------------------------------------------------------

test('edit.markdown_is_a_page_as_it_is_typed', async (page) => {
  await open(page, '/edit');
  const result = page.frameLocator('iframe');
  await result.getByRole('heading', {name: 'Begin'}).waitFor();
  const area = page.getByRole('textbox');
  expect(await area.inputValue(), '# Begin\n\nWith *this*.', 'the text at first');
  expect(await page.locator('iframe').getAttribute('sandbox'), '', 'the sandbox');
  await area.press('Control+End');
  await area.pressSequentially('\n\n- **bold** item');
  await result.locator('li strong', {hasText: 'bold'}).waitFor();
  await shot(page, 'edit');
});

test('edit.a_script_in_the_result_does_not_run', async (page) => {
  await open(page, '/edit');
  await page.frameLocator('iframe').getByRole('heading').waitFor();
  await page.evaluate(() => addEventListener('message', () => (window.bad = true)));
  await page.getByRole('textbox').fill('# Now\n\n<script>parent.postMessage(1, "*")</script>\n');
  await page.frameLocator('iframe').getByRole('heading', {name: 'Now'}).waitFor();
  expect(await page.evaluate('window.bad'), undefined, 'what the script did');
});

test('edit.text_is_text', async (page) => {
  await open(page, '/plain');
  await until('the result', async () => await page.locator('pre').textContent() === 'a b');
  await page.getByRole('textbox').fill('  <i>x</i>  ');
  await until('the result', async () => await page.locator('pre').textContent() === '<i>x</i>');
  expect(await page.locator('pre i').count(), 0, 'elements from a text');
});

test('edit.the_latest_text_wins', async (page) => {
  await open(page, '/plain');
  await page.locator('pre').waitFor();
  for (let i = 0; i < 40; i++) await page.getByRole('textbox').fill(`text ${i}`);
  await until('the result', async () => await page.locator('pre').textContent() === 'text 39');
});

test('edit.a_picture_is_a_picture', async (page) => {
  await open(page, '/picture');
  await until('a picture', () => page.$eval('img', (image) => image.complete && image.naturalWidth > 0));
  const first = await page.locator('img').getAttribute('src');
  await page.getByRole('textbox').fill('https://example.org/another/longer/path');
  await until('another', async () => await page.locator('img').getAttribute('src') !== first);
  await until('a picture', () => page.$eval('img', (image) => image.complete && image.naturalWidth > 0));
  await shot(page, 'picture');
  const isGone = await page.evaluate((url) => fetch(url).then(() => false, () => true), first);
  expect(isGone, true, 'the first picture is given back');
});

test('edit.an_endless_component_is_stopped_and_the_page_lives', async (page) => {
  await open(page, '/endless');
  const limit = 'Wasm module exceeded the execution time limit (300ms)';
  await until('a message', async () => (await problem(page).textContent()).includes(limit));
  await until('the other element', async () => await page.locator('pre').textContent() === 'fine');
  const count = Number(await page.locator('#count').textContent());
  await until('the page goes on', async () => Number(await page.locator('#count').textContent()) > count + 5);
  await page.getByRole('textbox').first().fill('again');
  await page.getByRole('textbox').nth(1).fill(' lively ');
  await until('the other element', async () => await page.locator('pre').textContent() === 'lively');
  await until('the message', async () => (await problem(page).textContent()).includes(limit));
  await shot(page, 'endless');
});

// --- Reloads -------------------------------------------------------------------------------------

test('reload.an_open_page_shows_an_edit_by_itself', async (page) => {
  await open(page, '/');
  await page.getByText('The first text.').waitFor();
  await page.waitForTimeout(300);  // for the stream of events
  put('content/index.md', '# Second\n\nThe second text.\n');
  await page.getByText('The second text.').waitFor({timeout: kPatience});
  await shot(page, 'reload');
}, true);

test('reload.a_changed_recipe_shows_by_itself', async (page) => {
  await open(page, '/');
  await page.getByRole('heading').waitFor();
  await page.waitForTimeout(300);
  const recipe = path.join(temporary, 'recipes/text/markdown/90-wrap.wasm');
  fs.renameSync(recipe, path.join(temporary, 'recipes/text/markdown/-90-wrap.wasm'));
  await until('a page without style', () => page.evaluate(() => document.querySelector('style') === null));
}, true);

// --- Running them --------------------------------------------------------------------------------

let passed = 0, failed = 0, skipped = 0;
let browser;
const profile = path.join(temporary, 'profile');
try {
  makeSite();
  origin = await serve();
  browser = await playwright.chromium.launchPersistentContext(profile, {
    executablePath: chromium,
    headless: true,
    viewport: {width: 800, height: 600},
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
           '--disable-component-update', '--disable-sync'],
  });
  for (const {name, body, needsFiles} of tests) {
    if (!name.includes(options.only)) continue;
    if (needsFiles && !server) {
      skipped++;
      continue;
    }
    const page = await browser.newPage();
    page.setDefaultTimeout(kPatience);
    const faults = [];
    page.on('pageerror', (error) => faults.push(String(error)));
    try {
      await body(page);
      if (faults.length > 0) throw Error(`the page has faults: ${faults.join('; ')}`);
      passed++;
    } catch (error) {
      failed++;
      console.log(`FAILED ${name}: ${error.message}`);
      await shot(page, 'failed-' + name.replace(/\W/g, '-')).catch(() => {});
    }
    await page.close();
  }
} catch (error) {
  failed++;
  console.log(`FAILED: ${error.message}`);
}
await browser?.close();
server?.removeAllListeners('exit');
server?.kill('SIGTERM');
fs.rmSync(temporary, {recursive: true, force: true});
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed > 0 ? 1 : 0;
