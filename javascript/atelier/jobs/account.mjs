// What is known of a job, put together from what it told until now and what it tells? Kept small, however long the job is.

const MOST_LINES = 400;
const MOST_POINTS = 400;
const MOST_PICTURES = 100;
export const STATES = { queued: "Waiting", running: "At work", done: "Done", failed: "Failed", cancelled: "Cancelled", interrupted: "Interrupted" };

/** Whether nothing more comes of it. */
export function isEnded(job) {
  return !["queued", "running"].includes(job?.state);
}

/** The job with its news: lines, points and pictures are added, everything else replaced. */
export function withNews(job, { lines = [], points = {}, pictures = [], ...rest }) {
  const plotted = { ...job.points };
  for (const [series, more] of Object.entries(points)) plotted[series] = thinned([...(plotted[series] ?? []), ...more]);
  return {
    ...job,
    ...rest,
    before: rest.state === "queued" ? job.before : null,
    lines: [...job.lines, ...lines].slice(-MOST_LINES),
    points: plotted,
    pictures: [...job.pictures, ...pictures].slice(-MOST_PICTURES),
  };
}

/** No more points than a plot can show; the first and the last stay. */
export function thinned(points) {
  let few = points;
  while (few.length > MOST_POINTS) few = few.filter((_, place) => place === 0 || place === few.length - 1 || place % 2 === 1);
  return few;
}

/** How much of it is done, from 0 to 1; null where it does not say. */
export function partOf(progress) {
  return progress?.total > 0 ? Math.min(1, Math.max(0, progress.done / progress.total)) : null;
}
