// The verdict, the winner with what it changes, and the facts of the campaign.

function verdictSection() {
  byId("sentence").classList.add(DATA.verdict.tone);
  byId("name").textContent = DATA.name;
  byId("about").textContent = [DATA.space, DATA.scale && `scale ${DATA.scale}`, DATA.question, DATA.limits].filter(Boolean).join(" · ");
  const facts = [];
  const number = T.stage.filter((stage) => stage === "search").length;
  facts.push(["trials of the search", DATA.tally.trials.toLocaleString("en-US")]);
  if (DATA.tally.proposals) facts.push(["infeasible before training", DATA.tally.proposals.toLocaleString("en-US")]);
  if (N > number) facts.push(["runs after it", (N - number).toLocaleString("en-US")]);
  if (DATA.budget) facts.push(["budget of a trial", `${short(DATA.budget.amount)} ${DATA.budget.unit}`]);
  if (DATA.slots) facts.push(["first start to last end", duration(DATA.slots.seconds)], ["slots", String(DATA.slots.lanes.length)]);
  const noise = DATA.confirmations.map((round) => round.noise).filter(Boolean).at(-1);
  if (noise) facts.push(["noise of a run", `SD ${decimals(noise.sd)} (${noise.degrees} ${noise.degrees === 1 ? "degree" : "degrees"} of freedom)`]);
  if (DATA.base_value !== null && DATA.base_value !== undefined) facts.push(["the base", result(DATA.base_value)]);
  byId("facts").append(...facts.map(([label, value]) => el("div", {}, el("div", { class: "label", text: label }), el("div", { class: "value", text: value }))));
}

function changeRows(place) {
  return DATA.changes.of[place].map(([path, value]) => {
    const name = DATA.changes.paths[path];
    const knob = DATA.knobs.find((one) => one.path === name);
    const here = valueHere(value, DATA.changes.inert[place].includes(path));
    return [el("code", { text: name }), short(DATA.changes.base[path]), here, knob ? knob.domain : ""];
  });
}

function withoutEffect(place) {
  const number = DATA.changes.inert[place].length;
  return number ? ` (${number} of them without effect)` : "";
}

// Changes from the base; a replay asks no ranges.
function changesTable(head, rows) {
  const asked = rows.some((row) => row[3]);
  return table([head, "base", "here", ...(asked ? ["range asked"] : [])], asked ? rows : rows.map((row) => row.slice(0, 3)));
}

function winnerSection() {
  if (WINNER < 0) return;
  const body = section("winner");
  const of = DATA.winner;
  byId("winner").querySelector("h2").textContent = T.is_base[WINNER] ? "The base is ahead" : of.confirmed ? "What won" : DATA.replay ? "The best run" : "The best so far";
  const value = T.value[WINNER];
  const said = el("p", {}, "Trial ", link(WINNER), `: ${DATA.objective} ${result(value)}`,
    T.versus[WINNER] !== null && !T.is_base[WINNER] ? `, ${signed(T.versus[WINNER])} against the base in the search` : "",
    of.confirmed ? ` and ${signed(DATA.verdict.difference)} on fresh seeds` : "", ".");
  body.append(said);
  const rows = changeRows(WINNER);
  if (!rows.length) body.append(el("p", { class: "note", text: "It is the base config itself." }));
  else {
    const list = changesTable("changed from the base", rows);
    body.append(rows.length > 12 ? el("details", {}, el("summary", { text: `What it changes: ${plural(rows.length, "knob")}${withoutEffect(WINNER)}` }), list) : list);
  }
  if (of.command) body.append(el("p", { class: "hint", text: of.command_heading }), command(of.command));
}
