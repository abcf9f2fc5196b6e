// <qip-edit src="a.wasm b.wasm">text</qip-edit>: a text that goes through components as it is typed.
import { QipElement, decode } from "./qip-component.js";

export class QipEdit extends QipElement {
  kind = "content";
  html = "<label>Text <textarea rows=12 style=width:100%></textarea></label><div></div>";

  async run(call, label, result, problem) {
    const area = label.lastChild;
    area.value = this.text.trim();
    for (;;) {
      this.text = area.value;
      try {
        show(result, await call(this.text));
        problem.textContent = "";
      } catch (error) {
        problem.textContent = error;
      }
      while (area.value === this.text) await new Promise((resolve) => (area.oninput = resolve));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

function show(result, { data, type }) {
  const isPage = type === "text/html";
  if (/^image/.test(type)) {
    result.innerHTML = "<img alt=Result>";
    const [image] = result.children;
    image.src = URL.createObjectURL(new Blob([data], { type }));
    image.onload = image.onerror = () => URL.revokeObjectURL(image.src);
  } else {
    result.innerHTML = isPage ? "<iframe sandbox title=Result width=100% height=320>" : "<pre>";
    result.firstChild[isPage ? "srcdoc" : "textContent"] = decode(data);
  }
}
