// How does the tab speak up? Messages that pass by above all else, and questions that wait for an answer.

import { makeCell, useCell } from "./cell.mjs";
import { Icon } from "./icons.mjs";
import { html, useEffect, useRef } from "./vendor/htm-preact.mjs";
import { t } from "./words.mjs";

const TOAST_STAYS = 6000; // milliseconds; errors stay until they are closed

/** What speaks to the user: toast(text, {kind: "info"|"error"|"done", action: {label, run}}), confirm(text, …) → Promise<bool>. */
export function makeSpeaker() {
  const toasts = makeCell([]);
  const question = makeCell(null);
  const dialogs = makeCell([]); // those that are open, the uppermost last: it shows the messages, as all below it is out of reach
  let count = 0;
  const close = (id) => toasts.set((all) => all.filter((toast) => toast.id !== id));
  return {
    toasts,
    question,
    dialogs,
    close,
    toast(text, { kind = "info", action } = {}) {
      count += 1;
      const id = count;
      toasts.set((all) => [...all.filter((toast) => toast.text !== text), { id, text, kind, action }].slice(-4));
      if (kind !== "error") setTimeout(close, TOAST_STAYS, id);
    },
    confirm: (text, { yes = t("Yes"), danger = false, title = "" } = {}) =>
      new Promise((answer) => question.set({ text, yes, danger, title, answer: (value) => (question.set(null), answer(value)) })),
  };
}

/** The messages. `isBase`: those of the page, which no dialog covers; an open dialog shows them itself. */
export function Toasts({ speaker, isBase = false }) {
  const toasts = useCell(speaker.toasts);
  const isCovered = useCell(speaker.dialogs, (open) => isBase && open.length > 0);
  const box = useRef(null);
  useEffect(() => void (isBase && box.current.showPopover?.()), []);
  return html`<div class="atelier-toasts" ref=${box} popover=${isBase ? "manual" : undefined} role="log" aria-live="polite">
    ${!isCovered &&
    toasts.map(
      (toast) => html`<div class="atelier-toast" data-kind=${toast.kind} key=${toast.id} role=${toast.kind === "error" ? "alert" : undefined}>
        <span>${toast.text}</span>
        ${toast.action &&
        html`<button type="button" class="atelier-button" data-look="quiet" onClick=${() => (speaker.close(toast.id), toast.action.run())}>
          ${toast.action.label}
        </button>`}
        <button type="button" class="atelier-icon-button" aria-label=${t("Close")} onClick=${() => speaker.close(toast.id)}><${Icon} name="close" /></button>
      </div>`,
    )}
  </div>`;
}
