// Which pictures belong together, as a check found them alike? Whoever is named beside another, or in one cluster with it, is in its group.

/**
 * [{names, findings}] in the order of the findings, each about one picture of a group; those that nothing is found about, as they are to be kept, come
 * first in `names`. `clusters`: lists of names as a report tells them, which older reports do not; only those that a finding is about count.
 */
export function groupsOf(findings, clusters = []) {
  const about = new Set(findings.map(({ name }) => name));
  const told = clusters.filter((names) => names.some((name) => about.has(name)));
  const rootOf = joined([...findings.map(({ name, with_it: others }) => [name, ...others]), ...told]);
  const groups = new Map();
  const groupAt = (name) => groups.get(rootOf(name)) ?? groups.set(rootOf(name), { kept: new Set(), findings: [] }).get(rootOf(name));
  for (const finding of findings) groupAt(finding.name).findings.push(finding);
  for (const name of [...findings.flatMap(({ with_it: others }) => others), ...told.flat()]) if (!about.has(name)) groupAt(name).kept.add(name);
  return [...groups.values()].map((group) => ({ names: [...new Set([...group.kept, ...group.findings.map(({ name }) => name)])], findings: group.findings }));
}

/** name → the name that stands for all that it is joined with by lists that share names. */
function joined(lists) {
  const above = new Map();
  const rootOf = (name) => {
    let root = name;
    while (above.has(root)) root = above.get(root);
    for (let one = name; one !== root; ) {
      const next = above.get(one);
      above.set(one, root); // a shorter way for who asks next
      one = next;
    }
    return root;
  };
  for (const [first, ...others] of lists) {
    for (const other of others) if (rootOf(other) !== rootOf(first)) above.set(rootOf(other), rootOf(first));
  }
  return rootOf;
}
