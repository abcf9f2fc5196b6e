// <qip-form name="join"> or <qip-form src="join.wasm">
import {QipElement} from './qip-component.js';

export class QipForm extends QipElement {
	static sources = new Map();
	kind = 'Form';
	html = `<form><label><span></span> <input></label> <button>Continue</button></form>
		<pre tabindex=-1></pre>`;

	async run(call, form, output, alert) {
		this.source = QipForm.sources.get(this.getAttribute('name'));
		const [label, input] = form.firstChild.children;
		let prompt = await call();
		for (; prompt.key; input.focus()) {
			label.textContent = prompt.label;
			alert.textContent = prompt.error;
			await new Promise(resolve => form.onsubmit = () => !!resolve());
			prompt = await call(input.value);
			if (!prompt.error) input.value = '';
		}
		form.remove();
		output.textContent = prompt.output;
		output.focus();
		this.dispatchEvent(new CustomEvent('qip-output', {bubbles: true, detail: prompt.output}));
		return prompt.error;
	}
}
