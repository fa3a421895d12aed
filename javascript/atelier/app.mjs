// What does every page and component get? The app object: routes, draft, words, host, and ways to speak to the user.

import { createContext, useContext } from "./vendor/htm-preact.mjs";

/**
 * {api, store, t, host, toast(text, {kind, action}), open(page, params), confirm(text, {yes, danger}) → Promise<bool>, page, inventory}.
 * `page` and `inventory` are cells. Pages get it as the property `app`; what is deeper down may ask useApp().
 */
export const AppContext = createContext(null);

export function useApp() {
  return useContext(AppContext);
}
