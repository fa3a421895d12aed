// Which style sheets does a part of the tab need? Those in css/, fetched once, and waited for, so that nothing is seen before its style is.

const asked = new Map();

/** Resolves when every named sheet of css/ is in force; rejects where one cannot be had. Later names win over earlier ones. */
export function loadStyles(names) {
  return Promise.all(names.map(loadStyle));
}

function loadStyle(name) {
  if (!asked.has(name)) asked.set(name, add(new URL(`css/${name}.css`, import.meta.url).href));
  return asked.get(name).catch((problem) => {
    asked.delete(name); // asked again by the next who needs it
    throw problem;
  });
}

function add(address) {
  return new Promise((done, failed) => {
    const link = document.createElement("link");
    Object.assign(link, { rel: "stylesheet", href: address });
    link.addEventListener("load", () => done());
    link.addEventListener("error", () => {
      link.remove();
      failed(new Error(`${address} could not be loaded.`));
    });
    document.head.append(link);
  });
}
