// <qip-play src="snake.wasm" uniforms="seed=7">: an interactive component on a canvas. Nothing runs
// while it wants nothing, nor while the page is hidden.
import { QipElement } from "./qip-component.js";

// X11 keysyms, less 0xff00.
const kKeys = {
  Backspace: 8, Enter: 13, Escape: 27, Home: 80, ArrowLeft: 81, ArrowUp: 82, ArrowRight: 83,
  ArrowDown: 84, PageUp: 85, PageDown: 86, End: 87, Insert: 99, Shift: 225, Control: 227,
  Alt: 233, Meta: 235, Delete: 255,
};

export class QipPlay extends QipElement {
  kind = "play";
  html = "<canvas tabindex=0 style=touch-action:none></canvas>";

  async run(call, canvas) {
    let events = [], now = 0, start, notify;
    const add = (...event) => notify?.(events.push(event));
    canvas.onkeydown = canvas.onkeyup = ({ type, key, repeat, shiftKey, ctrlKey, altKey, metaKey }) => {
      const code = key.codePointAt();
      const keysym = kKeys[key] + 0xff00 || (![...key][1] && (code < 256 ? code : code + 0x1000000));
      if (!keysym) return true;
      add("key_event", keysym, (type === "keydown") | repeat << 1 | shiftKey << 2 | ctrlKey << 3 | altKey << 4 | metaKey << 5);
      return ctrlKey || altKey || metaKey;
    };
    canvas.onpointerdown = canvas.onpointermove = canvas.onpointerup = (event) => {
      if (event.type === "pointerdown") canvas.setPointerCapture(event.pointerId);
      const buttons = event.buttons & 1 | (event.buttons & 2) << 1 | (event.buttons & 4) >> 1;
      const x = event.offsetX * canvas.width / canvas.clientWidth;
      add("pointer_event", buttons, x, event.offsetY * canvas.height / canvas.clientHeight);
    };
    canvas.oncontextmenu = () => false;
    for (;;) {
      const { wake, width, height, frame } = await call(now, events.splice(0));
      if (!start) Object.assign(canvas, { width, height });
      start ??= performance.now();
      if (frame) canvas.getContext("2d").putImageData(new ImageData(frame, width), 0, 0);
      await new Promise((resolve) => {
        notify = resolve;
        if (events[0]) resolve();
        if (wake < Infinity) setTimeout(resolve, Math.min(wake + start - performance.now(), 1e9));
      });
      await new Promise(requestAnimationFrame);
      now = Math.max(now + 1, Math.floor(performance.now() - start));
    }
  }
}
