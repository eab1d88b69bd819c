// The columns of the table of trials; failures with their reasons; and the short lists at the end.

function changed(place, most = 4) {
  const found = DATA.changes.of[place].map(([path, value]) => `${DATA.changes.paths[path]}=${short(value)}`);
  return T.is_base[place] ? "(the base config)" : someOf(found, most);
}

const HEADS = [
  { name: "rank", n: true, of: (p) => T.rank[p], text: (v) => (v === null ? "–" : String(v)) },
  { name: "trial", of: (p) => T.number[p], node: (p) => link(p) },
  { name: "status", of: (p) => T.status[p], text: (_, p) => statusOf(p) + (searched(p) ? "" : ` (${T.stage[p]})`) + (T.rung[p] !== null && statusOf(p) === "stopped" ? ` @${short(T.rung[p])}` : "") },
  { name: DATA.objective, n: true, of: (p) => T.value[p] ?? T.last[p], alike: result },
  { name: "vs base", n: true, of: (p) => (T.is_base[p] ? null : T.versus[p]), alike: signed },
  ...DATA.limited.map((one) => ({ name: one.name, n: true, of: (p) => (one.values[p] === "-" ? null : Number(one.values[p].replaceAll(",", ""))), text: (_, p) => one.values[p] })),
  { name: "seed", n: true, of: (p) => valueOf("seed", p), text: (v) => (v === null ? "–" : String(v)) },
  { name: "seconds", n: true, of: (p) => valueOf("wall_seconds", p) ?? valueOf("train_seconds", p), text: (v) => (v === null ? "–" : v.toFixed(0)) },
  { name: "changed from the base", long: true, of: (p) => changed(p, 99), text: (_, p) => changed(p) },
];

function trialsSection() {
  if (N) trialTable(section("trials"), HEADS, T.number.map((_, place) => place));
}

function failuresSection() {
  const failed = ["crashed", "diverged", "plateaued", "infeasible", "interrupted"];
  const places = T.number.map((_, place) => place).filter((place) => failed.includes(statusOf(place)) || valueOf("note", place));
  if (!places.length) return;
  const body = section("failures");
  const groups = new Map();
  for (const place of places) {
    const why = [valueOf("reason", place), valueOf("note", place) && `got over: ${valueOf("note", place)}`].filter(Boolean).join("\n") || "no reason was written down";
    const key = `${isProposal(place)} ${statusOf(place)}: ${why.replace(/[0-9][0-9.e+-]*/g, "#")}`;
    groups.set(key, [...(groups.get(key) || []), [place, why]]);
  }
  const rows = (which) => [...groups.values()].filter((group) => isProposal(group[0][0]) === which).sort((a, b) => b.length - a.length).slice(0, 100).map((group) => {
    const links = el("span", {}, group.slice(0, 12).flatMap(([place], at) => [at ? ", " : "", link(place)]), group.length > 12 ? `, +${group.length - 12}` : "");
    return [statusOf(group[0][0]), { n: group.length }, links, el("span", { class: "reason", text: group[0][1] })];
  });
  const [runs, proposals] = [rows(false), rows(true)];
  byId("failures").querySelector("h2").textContent = runs.length ? "Failures" : "Proposals infeasible before training";
  if (runs.length) body.append(table(["status", { n: "runs" }, "trials", "reason (of the first)"], runs));
  if (runs.length && proposals.length) body.append(el("h3", { text: "Proposals infeasible before training" }));
  if (proposals.length) body.append(table(["status", { n: "proposals" }, "which", "reason (of the first)"], proposals));
}

function lists() {
  if (DATA.inert && DATA.inert.length) section("inert").append(el("p", { class: "hint", text: "The audit trained a shrunken model with and without each and found the same weights. They were left out or do nothing here." }), el("ul", {}, DATA.inert.map((path) => el("li", {}, el("code", { text: path })))));
  if (DATA.next && DATA.next.length) {
    const body = section("next");
    for (const step of DATA.next) { body.append(el("p", { text: step.text })); if (step.command) body.append(command(step.command)); }
  }
  const body = section("reproduce");
  for (const [label, line] of DATA.commands) body.append(el("p", { class: "hint", text: label }), command(line));
  body.append(table(["", ""], DATA.reproduce.map(([label, value]) => [label, typeof value === "number" ? String(value) : value])));
}
