// Components in a worker that is ended when a turn takes too long.
export class QipElement extends HTMLElement {
	async connectedCallback() {
		this.text ??= this.textContent;
		this.innerHTML = this.html + '<p role=alert>';
		const alert = this.lastChild;
		const limit = this.getAttribute('timeout-ms') || 500;
		// A turn. If removed, it has no end.
		const call = (...values) => new Promise((resolve, reject) => {
			if (!alert.isConnected) return;
			this.worker ??= new Worker(new URL('qip-worker.js', import.meta.url));
			this.worker.onmessage = ({data: {error, value}}) => {
				clearTimeout(this.timer);
				if (error) reject(error);
				else if (value) resolve(value);
				else this.timer = setTimeout(() => {
					this.disconnectedCallback();
					reject(`Wasm module exceeded the execution time limit (${limit}ms)`);
				}, limit);
			};
			const source = this.source ?? this.getAttribute('src');
			const urls = source.match(/\S+/g).map(url => new Request(url).url);
			this.worker.postMessage([this.kind, urls, this.getAttribute('uniforms'), ...values]);
		});
		alert.textContent = await this.run(call, ...this.children)
			.catch(error => `${this.kind} error: ${error}`);
		this.disconnectedCallback();
	}
	disconnectedCallback() {
		clearTimeout(this.timer);
		this.worker = this.worker?.terminate();
	}
}
