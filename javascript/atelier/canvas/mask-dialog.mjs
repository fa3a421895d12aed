// Where is a mask drawn? In a window of its own over everything, which does not close by accident while something would be lost.

import { useApp } from "../app.mjs";
import { Dialog } from "../dialog.mjs";
import { html, useRef } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";
import { MaskCanvas } from "./mask-canvas.mjs";

/** As MaskCanvas, in a dialog. */
export function MaskDialog({ picture, mask, onSave, onClose }) {
  const { confirm } = useApp();
  const isChanged = useRef(false);
  async function close() {
    if (!isChanged.current || (await confirm(t("What you have drawn is lost then."), { yes: t("Leave it"), title: t("Close without keeping the mask?"), danger: true }))) onClose();
  }
  return html`<${Dialog} title=${t("Draw the mask")} bare onClose=${close}>
    <${MaskCanvas} picture=${picture} mask=${mask} onSave=${onSave} onCancel=${close} onDirty=${(is) => (isChanged.current = is)} />
  </${Dialog}>`;
}
