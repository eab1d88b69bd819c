// Effects with their intervals against the noise, and how much each knob matters.

// Changes as a text, with as many digits as a table needs.
const briefly = (text) => text.replace(/(?<![\w.])\d+\.\d{4,}(?![\w.])/g, (found) => short(Number(found)));

function effectsSection() {
  const effects = DATA.effects;
  if (!effects) return;
  const body = section("effects", effects.hint);
  const host = el("div");
  const rows = effects.rows.filter((row) => row.middle !== null).slice(0, effects.drawn);
  if (rows.length) {
    intervals(host, rows.map((row) => ({ ...row, place: PLACE.get(row.trial) ?? -1,
      lines: [`${row.name} against ${row.against}: ${signed(row.middle)}`, row.low === null ? "no interval" : `95 %: ${signed(row.low)} to ${signed(row.high)}`, row.said, briefly(row.changes)] })),
    { label: "Effects with their intervals", axis: `difference in ${DATA.objective} (left is better)`, band: effects.noise });
    body.append(host, legend(meanings(rows, effects.meanings, effects.noise)));
  }
  const name = (row) => (PLACE.has(row.trial) ? link(PLACE.get(row.trial), row.name) : row.name);
  body.append(el("details", {}, el("summary", { text: `As a table: ${plural(effects.rows.length, "comparison")}` }), table(["what", "against", { n: "difference" }, { n: "95 % interval" }, { n: "runs" }, "verdict", "changes"],
    effects.rows.map((row) => [name(row), row.against, { n: signed(row.middle) }, { n: row.low === null ? "–" : `${signed(row.low)} .. ${signed(row.high)}` }, { n: row.runs ?? "–" }, row.said, { class: "long", n: briefly(row.changes) }])),
    effects.left_out ? el("p", { class: "note", text: `${effects.left_out} more are left out.` }) : null));
}

// The colours, rings and the band of effects that are drawn.
function meanings(rows, marks, band) {
  const known = marks.filter(([colour, shape]) => rows.some((row) => row.colour === colour && row.shape === shape)).map(([colour, shape, text]) => [colour, text, shape]);
  return band ? [...known, ["band", "what noise alone makes of a single run", "area"]] : known;
}

function importanceSection() {
  const found = DATA.importance;
  if (!found) return;
  const body = section("importance", found.hint);
  const rows = found.rows.filter((row) => row.middle !== null);
  if (rows.length) {
    const host = el("div");
    intervals(host, rows, { label: "Importance of each knob", axis: found.axis, bars: true, floor: 0 });
    body.append(host, legend([["winner", "these trials can tell", "square"], ["soft", "they cannot tell", "square"], ["ink", found.interval, "line"]]));
  }
  const without = found.rows.filter((row) => row.middle === null);
  if (rows.length && without.length) body.append(el("p", { class: "note", text: `Not drawn, since its part is not known: ${without.map((row) => row.name + (row.why ? ` (${row.why})` : "")).join(", ")}.` }));
  for (const note of found.notes) body.append(el("p", { class: "note", text: note }));
  body.append(el("details", {}, el("summary", { text: "As a table" }), table(["knob", { n: "part" }, { n: found.interval }, { n: "trials" }, "verdict", "why"],
    found.rows.map((row) => [el("code", { text: row.name }), { n: short(row.middle) }, { n: row.low === null ? "–" : `${short(row.low)} .. ${short(row.high)}` }, { n: row.trials ?? "–" }, row.said, row.why]))));
}
