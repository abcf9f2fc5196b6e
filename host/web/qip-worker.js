// Takes an element's turns apart from the page, which ends this worker when one takes too long.
import * as contracts from "./qip-component.js";

let session;

onmessage = async ({ data: [kind, urls, uniforms, ...values] }) => {
  try {
    const components = await Promise.all(session ? [] : urls.map(contracts.load));
    postMessage({});  // the clock starts
    session ??= contracts[kind](components, uniforms);
    postMessage({ value: session(...values) });
  } catch (error) {
    postMessage({ error: contracts.running + `${error}`.replace("RuntimeError", "wasm error") });
  }
};
