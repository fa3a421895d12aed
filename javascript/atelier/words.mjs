// In which language is it said? Every English text is looked up as the WebUI does it: by the text itself.

let words = typeof window === "undefined" ? {} : (window.localization ?? {});

/** Take another map of English to translated texts. */
export function setWords(map) {
  words = map ?? {};
}

/** The text in the user's language; {name} in it stands for values.name. */
export function t(english, values) {
  const text = words[english] || english;
  return values ? text.replaceAll(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole)) : text;
}

/** One of two texts, as `count` is 1 or not; {count} stands for it. */
export function tn(one, many, count, values = {}) {
  return t(count === 1 ? one : many, { count, ...values });
}

/** A duration as people say it: "8 s", "2 min", "1 h 5 min". */
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return t("{n} s", { n: whole });
  const minutes = Math.round(whole / 60);
  if (minutes < 60) return t("{n} min", { n: minutes });
  return t("{h} h {n} min", { h: Math.floor(minutes / 60), n: minutes % 60 });
}

/** A size as people say it: "1.4 MB". */
export function bytes(count) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = Math.min(units.length - 1, count < 1000 ? 0 : Math.floor(Math.log10(count) / 3));
  const value = count / 1000 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}
