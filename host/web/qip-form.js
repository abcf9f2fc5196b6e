// <qip-form name="signup"> or <qip-form src="signup.wasm">: asks what the form component asks.
import { QipElement } from "./qip-component.js";

export class QipForm extends QipElement {
  static sources = new Map();  // by name
  kind = "form";
  html = "<form><label><span></span> <input></label> <button>Continue</button></form>";

  async run(call, form, problem) {
    const [label, input] = form.firstChild.children;
    this.source ??= QipForm.sources.get(this.getAttribute("name"));
    let prompt = await call();
    for (; prompt.key; input.focus()) {
      label.textContent = prompt.label;
      problem.textContent = prompt.error;
      await new Promise((resolve) => (form.onsubmit = () => resolve() ?? false));
      prompt = await call(input.value);
      if (!prompt.error) input.value = "";
    }
    form.outerHTML = "<pre tabindex=-1></pre>";
    problem.textContent = prompt.error;
    const [output] = this.children;
    output.textContent = prompt.output;
    output.focus();
    this.dispatchEvent(new CustomEvent("qip-output", { bubbles: true, detail: prompt.output }));
  }
}
