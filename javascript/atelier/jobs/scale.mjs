// Where on a small plot does a value stand, and which values are written beside it?

/** {x, y, left, right, low, high}: functions from values to pixels, and the ends of both axes. `box` is {width, height}. */
export function scaleOf(series, box) {
  const all = Object.values(series).flat();
  const [left, right] = ends(all.map(([x]) => x));
  const [low, high] = roundEnds(...ends(all.map(([, y]) => y)));
  return {
    left, right, low, high,
    x: (value) => ((value - left) / (right - left)) * box.width,
    y: (value) => box.height - ((value - low) / (high - low)) * box.height,
  };
}

/** The points as an SVG path. */
export function pathOf(points, { x, y }) {
  return points.map(([a, b], place) => `${place ? "L" : "M"}${x(a).toFixed(1)} ${y(b).toFixed(1)}`).join("");
}

/** Each value mixed with those before it, so that the eye sees where a noisy loss goes. */
export function smoothed(points, weight = 0.9) {
  let mean = 0;
  return points.map(([x, y], place) => {
    mean = weight * mean + (1 - weight) * y;
    return [x, mean / (1 - weight ** (place + 1))]; // not drawn towards 0 at the beginning
  });
}

/** The point that is nearest to a value of x; null where there is none. */
export function nearest(points, x) {
  return points.reduce((best, point) => (best === null || Math.abs(point[0] - x) < Math.abs(best[0] - x) ? point : best), null);
}

/** A number in as few characters as tell it. */
export function shortNumber(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-3) return value.toExponential(1).replace("e+", "e");
  return String(Number(value.toPrecision(3)));
}

function ends(values) {
  const least = values.reduce((a, b) => Math.min(a, b), Infinity);
  const most = values.reduce((a, b) => Math.max(a, b), -Infinity);
  return least === most ? [least - 0.5, most + 0.5] : [least, most];
}

/** Ends that are round numbers, a little outside. */
function roundEnds(least, most) {
  const step = 10 ** Math.floor(Math.log10(most - least)) / 2;
  return [Math.floor(least / step) * step, Math.ceil(most / step) * step];
}
