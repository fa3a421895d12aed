// How is a text typed that counts when one leaves it? What is being typed stays, whatever is drawn anew meanwhile.

import { html, useState } from "../vendor/htm-preact.mjs";

/** A text box; onChange(text) when it is left or Enter is pressed in it. Other properties go to the <input>. */
export function TypedInput({ value, onChange, ...others }) {
  const [typed, setTyped] = useState(null);
  const taken = (event) => (setTyped(null), onChange(event.target.value));
  return html`<input type="text" ...${others} value=${typed ?? value} onInput=${(event) => setTyped(event.target.value)} onChange=${taken} onBlur=${() => setTyped(null)} />`;
}
