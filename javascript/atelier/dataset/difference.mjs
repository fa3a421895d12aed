// Which words of a caption go, and which come? Found by the longest row of words that stays, and cut short around what changes.

const MOST = 250_000; // pairs of words that are compared; beyond, all that lies between the same beginning and end is new
const AROUND = 4; // words beside a change that are shown

/** [{kind: "same"|"gone"|"new", text}] as it is read: what goes stands before what comes in its place. */
export function differenceOf(before, after) {
  const byWord = joined(compared(wordsOf(before), wordsOf(after), ({ word }) => word));
  if (before === after || byWord.some(({ kind }) => kind !== "same")) return byWord;
  return joined(compared(wordsOf(before), wordsOf(after), ({ text }) => text)); // only spaces or commas are others
}

/** The parts with long ones that stay cut to the words beside a change. */
export function shortened(parts) {
  return parts.map((part, place) => {
    const words = part.kind === "same" ? wordsOf(part.text).map(({ text }) => text) : [];
    const head = place === 0 ? 0 : AROUND;
    const tail = place === parts.length - 1 ? 0 : AROUND;
    if (parts.length === 1 || words.length <= head + tail + 1) return part;
    return { ...part, text: `${words.slice(0, head).join("")}… ${tail ? words.slice(-tail).join("") : ""}` };
  });
}

/** Words with the commas and spaces behind them, which belong to them. */
function wordsOf(text) {
  return (text.match(/^[\s,]+|[^\s,]+[\s,]*/g) ?? []).map((whole) => ({ word: whole.replaceAll(/[\s,]+/g, ""), text: whole }));
}

function compared(before, after, keyOf) {
  const same = (left, right) => keyOf(left) === keyOf(right);
  let head = 0;
  while (head < before.length && head < after.length && same(before[head], after[head])) head += 1;
  let tail = 0;
  while (tail < before.length - head && tail < after.length - head && same(before.at(-1 - tail), after.at(-1 - tail))) tail += 1;
  const left = before.slice(head, before.length - tail);
  const right = after.slice(head, after.length - tail);
  const middle = left.length * right.length > MOST ? [...as("gone", left), ...as("new", right)] : byLongest(left, right, same);
  return [...kept(before.slice(0, head), after), ...middle, ...kept(before.slice(before.length - tail), after.slice(after.length - tail))];
}

/** By the longest common subsequence: lengths[i][j] is that of what lies behind left[i] and right[j]. */
function byLongest(left, right, same) {
  const lengths = Array.from({ length: left.length + 1 }, () => new Uint32Array(right.length + 1));
  for (let i = left.length - 1; i >= 0; i -= 1) {
    for (let j = right.length - 1; j >= 0; j -= 1) lengths[i][j] = same(left[i], right[j]) ? lengths[i + 1][j + 1] + 1 : Math.max(lengths[i + 1][j], lengths[i][j + 1]);
  }
  const parts = [];
  let [i, j] = [0, 0];
  while (i < left.length || j < right.length) {
    if (i < left.length && j < right.length && same(left[i], right[j])) {
      parts.push(...kept([left[i]], [right[j]]));
      i += 1;
      j += 1;
    } else if (j === right.length || (i < left.length && lengths[i + 1][j] >= lengths[i][j + 1])) {
      parts.push({ kind: "gone", text: left[i].text });
      i += 1;
    } else {
      parts.push({ kind: "new", text: right[j].text });
      j += 1;
    }
  }
  return parts;
}

/** Words that stay, with the comma that one of the two captions has behind them, so that they stand apart from what goes and comes. */
function kept(before, after) {
  return before.map(({ text }, place) => ({ kind: "same", text: text.length > after[place].text.length ? text : after[place].text }));
}

function as(kind, words) {
  return words.map(({ text }) => ({ kind, text }));
}

/** Neighbours of one kind become one; between two that stay, what goes comes first. */
function joined(parts) {
  const runs = [];
  for (let place = 0; place < parts.length; ) {
    const isSame = parts[place].kind === "same";
    let end = place;
    while (end < parts.length && (parts[end].kind === "same") === isSame) end += 1;
    const run = parts.slice(place, end);
    for (const kind of isSame ? ["same"] : ["gone", "new"]) {
      const text = run.filter((part) => part.kind === kind).map((part) => part.text).join("");
      if (text) runs.push({ kind, text });
    }
    place = end;
  }
  return runs;
}
