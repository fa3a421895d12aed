// How is a name found among many? Typed in part, and chosen from those that hold what was typed.

import { html, useEffect, useRef, useState } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";

const MOST = 60; // names that are shown at once

/** The options that hold every word of `text`, those that begin with it first. */
export function matching(options, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = options.filter((option) => words.every((word) => option.toLowerCase().includes(word)));
  const begins = (option) => option.toLowerCase().startsWith(words[0] ?? "");
  return [...found.filter(begins), ...found.filter((option) => !begins(option))].slice(0, MOST);
}

/** A text field with names below it. Any text may stay; Escape closes the names. onChoose(name): of one that was chosen, where that is more than to type it. */
export function Combobox({ id, value, options, onChange, onChoose = onChange, placeholder = "", label }) {
  const [typed, setTyped] = useState(null); // null: the list is closed; '' before anything was typed
  const [at, setAt] = useState(-1);
  const list = useRef(null);
  const isOpen = typed !== null;
  const unique = [...new Set(options)];
  const shown = isOpen ? matching(unique, typed) : [];

  const open = () => (setTyped(""), setAt(-1));
  const close = () => setTyped(null);
  const choose = (option) => (onChoose(option), close());
  useEffect(() => list.current?.children[at]?.scrollIntoView({ block: "nearest" }), [at]);

  const onKeyDown = (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!isOpen) return open();
      const step = event.key === "ArrowDown" ? 1 : -1;
      return setAt((place) => (place + step + shown.length) % (shown.length || 1));
    }
    if (event.key === "Enter" && isOpen && at >= 0 && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      return choose(shown[at]);
    }
    if (event.key === "Escape" && isOpen) {
      event.stopPropagation();
      close();
    }
    return undefined;
  };

  return html`<div class="atelier-combobox">
    <input
      type="text" id=${id} class="atelier-input" role="combobox" aria-expanded=${isOpen && shown.length > 0} aria-controls=${`${id}-list`} aria-autocomplete="list"
      aria-label=${label} aria-activedescendant=${at >= 0 && isOpen ? `${id}-option-${at}` : undefined} aria-describedby=${`${id}-help ${id}-notes`}
      autocomplete="off" spellcheck=${false} value=${value} placeholder=${placeholder}
      onClick=${() => !isOpen && open()}
      onInput=${(event) => (setTyped(event.target.value), setAt(-1), onChange(event.target.value))}
      onKeyDown=${onKeyDown} onBlur=${close}
    />
    ${isOpen &&
    shown.length > 0 &&
    html`<ul class="atelier-options" role="listbox" id=${`${id}-list`} ref=${list} aria-label=${t("Suggestions")}>
      ${shown.map(
        (option, place) => html`<li
          role="option" id=${`${id}-option-${place}`} key=${option} aria-selected=${place === at} data-chosen=${option === value || undefined}
          onMouseDown=${(event) => (event.preventDefault(), choose(option))}
        >
          ${option}
        </li>`,
      )}
    </ul>`}
  </div>`;
}
