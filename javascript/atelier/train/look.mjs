// What does the trainer say of a training before it is started? A job that only looks, whose findings are taken and which is then forgotten.

import { isEnded } from "../jobs/account.mjs";

const RHYTHM = 400; // milliseconds between two looks

/** {findings, problem} of a job of the kind "check" or "estimate". */
export async function looked(api, kind, training) {
  const { id } = await api.post("jobs", { kind, config: { training } });
  for (;;) {
    const job = await api.get(`jobs/${id}`);
    if (isEnded(job)) {
      await api.delete(`jobs/${id}`).catch(() => {});
      return { findings: job.findings ?? [], problem: job.state === "failed" ? job.problem : "" };
    }
    await new Promise((go) => setTimeout(go, RHYTHM));
  }
}
