// <qip-play src="snake.wasm" uniforms="seed=7">: runs when it wants to and the page is visible
import {QipElement} from './qip-component.js';

// X11 keysyms, less 0xff00.
const kKeys = {
	Backspace: 8, Enter: 13, Escape: 27, Home: 80, ArrowLeft: 81, ArrowUp: 82, ArrowRight: 83,
	ArrowDown: 84, PageUp: 85, PageDown: 86, End: 87, Delete: 255,
};

export class QipPlay extends QipElement {
	kind = 'Play';
	html = '<canvas tabindex=0 style=touch-action:none></canvas>';

	async run(call, canvas) {
		let events = [], now = 0, start, notify;
		const add = (...event) => notify?.(events.push(event));
		canvas.onkeydown = canvas.onkeyup = event => {
			const [character, more] = event.key, code = character.codePointAt();
			const keysym = kKeys[event.key] + 0xff00 || (!more && code + (code > 255) * 0x1000000);
			const flags = (event.type === 'keydown') | event.repeat << 1 | event.shiftKey << 2
				| event.ctrlKey << 3 | event.altKey << 4 | event.metaKey << 5;
			if (keysym) add('key_event', keysym, flags);
			return !keysym || flags > 7;
		};
		canvas.onpointerdown = canvas.onpointermove = canvas.onpointerup = event => {
			canvas.setPointerCapture(event.pointerId);
			const {width, height, clientWidth, clientHeight} = canvas;
			const button = [0, 1, 4, 5, 2, 3, 6, 7][event.buttons & 7];
			add('pointer_event', button,
				event.offsetX * width / clientWidth, event.offsetY * height / clientHeight);
		};
		canvas.oncontextmenu = () => false;
		for (;;) {
			const {wake, width, height, frame} = await call(now, events.splice(0));
			start ??= Object.assign(canvas, {width, height}) && performance.now();
			if (frame) canvas.getContext('2d').putImageData(new ImageData(frame, width), 0, 0);
			await new Promise(resolve => {
				notify = resolve;
				if (events[0]) resolve();
				if (wake < Infinity) setTimeout(resolve, Math.min(wake - now, 1e9));
			});
			now = Math.max(now + 1, await new Promise(requestAnimationFrame) - start | 0);
		}
	}
}
