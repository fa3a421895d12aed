// What does a caption hold, how long may it be, and what does a filter ask of it? Values in, values out.

const EVEN = 2; // times as often as another is still in balance
const LIMITS = [75, 150, 225]; // tokens: text encoders read pieces of 75, and a training takes three of them where nothing else is said

/** The parts between commas, as the server reads them. */
export function tagsOf(caption) {
  return caption.replaceAll("\n", ",").split(",").map((tag) => tag.trim()).filter(Boolean);
}

/** The caption without its tag at `place`. */
export function withoutTag(caption, place) {
  return tagsOf(caption).filter((_, other) => other !== place).join(", ");
}

/** The caption with a tag behind all others, unless it is there. */
export function withTag(caption, tag) {
  const more = tagsOf(tag).filter((one) => !tagsOf(caption).includes(one));
  if (more.length === 0) return caption;
  const before = caption.trim().replace(/,$/, "");
  return [...(before ? [before] : []), ...more].join(", ");
}

/** {limit, level}: how many tokens fit into the pieces that are begun; level is "" for one piece, "more" up to three, "over" for what a training cuts off. */
export function lengthOf(tokens) {
  const limit = LIMITS.find((most) => tokens <= most) ?? LIMITS.at(-1);
  return { limit, level: tokens > LIMITS.at(-1) ? "over" : tokens > LIMITS[0] ? "more" : "" };
}

/** The filter after "has this tag" or "lacks this tag" was asked: the same once more takes it back, the other turns it round. */
export function withTagAsked(filter, word, tag) {
  const other = word === "has" ? "lacks" : "has";
  const asked = filter[word] ?? [];
  const left = (filter[other] ?? []).filter((one) => one !== tag);
  return clean({ ...filter, [word]: asked.includes(tag) ? asked.filter((one) => one !== tag) : [...asked, tag], [other]: left });
}

/** What a filter asks, each with the filter without it: [{word: "has"|…, value, without}]. */
export function conditionsOf(filter) {
  const lists = ["has", "lacks", "names"].flatMap((word) =>
    (filter[word] ?? []).map((value) => ({ word, value, without: clean({ ...filter, [word]: filter[word].filter((one) => one !== value) }) })),
  );
  const single = ["text", "pattern", "similar", "contradicted"].filter((word) => filter[word]);
  return [...lists, ...single.map((word) => ({ word, value: filter[word], without: clean({ ...filter, [word]: undefined }) }))];
}

/** The filter as it is sent: what asks nothing is not in it. */
export function clean(filter) {
  const isSaid = (value) => value !== undefined && value !== "" && value !== false && !(Array.isArray(value) && value.length === 0);
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => isSaid(value)));
}

/** Whether an edit says enough to be tried: each text and list that must be given has something in it. */
export function isMeant(schema, edit) {
  return (schema.required ?? []).every((name) => {
    const value = edit[name];
    return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== "";
  }) && !("find" in (schema.properties ?? {}) && !edit.find);
}

/** The last two parts of a path, as people know a folder; the parts before it. */
export function shortPath(path) {
  const parts = path.split(/[/\\]/).filter(Boolean);
  return { name: parts.at(-1) ?? path, above: parts.slice(-3, -1).join("/") };
}

/** Whether all pictures lie in folders such as 10_dog, which a training takes with their repeats. `balance`: as the pictures' route tells it. */
export function areRepeated(balance) {
  return balance.length > 0 && balance.every(([, , repeats]) => repeats > 0);
}

/** How often pictures of a folder are seen in one round of a training; of one of `balance`. */
export function seenOf([, count, repeats]) {
  return count * Math.max(1, repeats);
}

/** {many, few, times}: which folder is seen more than twice as often as which; null where none is. Of `balance`, the most seen first. */
export function unevenOf(balance) {
  if (balance.length < 2) return null;
  const share = seenOf(balance[0]) / seenOf(balance.at(-1));
  return share > EVEN ? { many: balance[0][0], few: balance.at(-1)[0], times: Number(share.toFixed(1)) } : null;
}

/** How the shown tags are ordered and found: [[tag, count]] with those that hold `text`, by count or by name. */
export function tagsShown(tags, text, isByName) {
  const word = text.trim().toLowerCase();
  const found = word ? tags.filter(([tag]) => tag.toLowerCase().includes(word)) : tags;
  return isByName ? [...found].sort(([one], [other]) => one.localeCompare(other)) : found;
}
