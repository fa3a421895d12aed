// What is known of a job, put together from what it told until now and what it tells? Kept small, however long the job is.

const MOST_LINES = 400;
const MOST_POINTS = 400;
const MOST_PICTURES = 100;
const MOST_FINDINGS = 100;
export const STATES = { queued: "Waiting", running: "At work", done: "Done", failed: "Failed", cancelled: "Cancelled", interrupted: "Interrupted" };

/** Whether nothing more comes of it. */
export function isEnded(job) {
  return !["queued", "running"].includes(job?.state);
}

/** The job with its news: lines, points and pictures are added, everything else replaced. */
export function withNews(job, { lines = [], points = {}, pictures = [], findings = [], ...rest }) {
  const plotted = { ...job.points };
  for (const [series, more] of Object.entries(points)) plotted[series] = thinned([...(plotted[series] ?? []), ...more]);
  return {
    ...job,
    ...rest,
    before: rest.state === "queued" ? job.before : null,
    lines: [...job.lines, ...lines].slice(-MOST_LINES),
    points: plotted,
    pictures: [...job.pictures, ...pictures].slice(-MOST_PICTURES),
    findings: [...(job.findings ?? []), ...findings].slice(-MOST_FINDINGS),
  };
}

/** No more points than a plot can show, spread evenly over x; the first and the last stay. */
export function thinned(points) {
  if (points.length <= 2 * MOST_POINTS) return points;
  const left = points[0][0];
  const width = (points.at(-1)[0] - left) / MOST_POINTS;
  if (width <= 0) return points.filter((_, place) => place % 2 === 0); // it begins again
  const placeOf = ([x]) => Math.floor((x - left) / width);
  return points.filter((point, place) => place === 0 || place === points.length - 1 || placeOf(point) !== placeOf(points[place - 1]));
}

/** How much of it is done, from 0 to 1; null where it does not say. */
export function partOf(progress) {
  return progress?.total > 0 ? Math.min(1, Math.max(0, progress.done / progress.total)) : null;
}
