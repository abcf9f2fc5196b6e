// <qip-edit src="a.wasm b.wasm">text</qip-edit>: the result as one types
import {QipElement} from './qip-component.js';

export class QipEdit extends QipElement {
	kind = 'Edit';
	html = '<label>Text <textarea rows=12 style=width:100%></textarea></label><div></div>';

	async run(call, {lastChild: area}, result, alert) {
		function show({data, type}) {
			if (/^image/.test(type)) {
				result.innerHTML = '<img alt=Result>';
				const image = result.firstChild;
				image.src = URL.createObjectURL(new Blob([data], {type}));
				image.onload = image.onerror = () => URL.revokeObjectURL(image.src);
			} else {
				const isPage = type === 'text/html';
				const text = new TextDecoder('utf8', {fatal: true}).decode(data);
				result.innerHTML = isPage ? '<iframe sandbox title=Result width=100% height=320>' : '<pre>';
				result.firstChild[isPage ? 'srcdoc' : 'textContent'] = text;
			}
		}
		area.value = this.text.trim();
		for (;;) {
			this.text = area.value;
			alert.textContent = await call(this.text).then(show).catch(String);
			while (area.value === this.text)
				await new Promise(resolve => area.oninput = () => setTimeout(resolve, 100));
		}
	}
}
