// How is something shown above all else? In the browser's own dialog, which keeps the keyboard inside and gives it back.

import { useApp } from "./app.mjs";
import { useCell } from "./cell.mjs";
import { Icon } from "./icons.mjs";
import { Toasts } from "./toasts.mjs";
import { html, useEffect, useRef } from "./vendor/htm-preact.mjs";
import { t } from "./words.mjs";

/** A dialog with a title. Escape, the close button and a click beside it call onClose. `wide` fills most of the window. */
export function Dialog({ title, onClose, wide = false, bare = false, children }) {
  const { speaker } = useApp();
  const box = useRef(null);
  const isUppermost = useCell(speaker.dialogs, (open) => open.length > 0 && open.at(-1) === box.current);
  useEffect(() => {
    const before = document.activeElement;
    const dialog = box.current;
    speaker.dialogs.set((open) => [...open, dialog]);
    dialog.showModal();
    dialog.querySelector("[autofocus]")?.focus();
    return () => {
      speaker.dialogs.set((open) => open.filter((one) => one !== dialog));
      dialog.close(); // until then nothing below it can have the keyboard
      if (before?.isConnected) before.focus({ preventScroll: true });
    };
  }, []);
  const onKeyDown = (event) => {
    event.stopPropagation(); // Escape would stop the run, in the WebUI
    if (event.key !== "Escape") return;
    event.preventDefault();
    onClose();
  };
  return html`<dialog
    class="atelier-dialog"
    data-wide=${wide || undefined}
    data-bare=${bare || undefined}
    aria-label=${title}
    ref=${box}
    onKeyDown=${onKeyDown}
    onCancel=${(event) => (event.preventDefault(), onClose())}
    onMouseDown=${(event) => event.target === box.current && onClose()}
  >
    <div class="atelier-dialog-inner">
      ${!bare &&
      html`<header>
        <h2>${title}</h2>
        <button type="button" class="atelier-icon-button" aria-label=${t("Close")} onClick=${onClose}><${Icon} name="close" /></button>
      </header>`}
      ${children}
    </div>
    ${isUppermost && html`<${Toasts} speaker=${speaker} />`}
  </dialog>`;
}
