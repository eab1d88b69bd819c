// Effects with their intervals against the noise, and how much each knob matters.

function intervals(host, rows, options) {
  return new Chart(host, {
    label: options.label, height: 54 + Math.max(2, rows.length) * 24, selects: false, margin: { left: 62, right: 16, top: 8, bottom: 42, wide: options.wide || 240 },
    axes: () => {
      const [low, high] = extent([0, ...rows.flatMap((row) => [row.middle, row.low, row.high]), ...(options.band ? [options.band, -options.band] : [])], false, 0.05);
      return { x: { label: options.axis, low: options.floor ?? low, high }, y: { labels: rows.map((row) => row.name), down: true } };
    },
    paint: (ctx, c) => {
      if (options.band) { ctx.fillStyle = COLOURS.band; ctx.fillRect(c.x.map(-options.band), c.box.top, c.x.map(options.band) - c.x.map(-options.band), c.box.bottom - c.box.top); }
      line(ctx, c.x.map(0), c.box.top, c.x.map(0), c.box.bottom, COLOURS.ink, 1);
      rows.forEach((row, at) => {
        const y = c.y.map(at);
        const colour = COLOURS[row.colour] || COLOURS.soft;
        ctx.globalAlpha = row.place >= 0 && !marked[row.place] ? 0.25 : 1;
        if (options.bars && row.middle !== null) { ctx.fillStyle = colour; ctx.globalAlpha *= 0.55; ctx.fillRect(c.x.map(0), y - 7, c.x.map(row.middle) - c.x.map(0), 14); ctx.globalAlpha = 1; }
        if (row.low !== null && row.low !== undefined) line(ctx, c.x.map(row.low), y, c.x.map(row.high), y, options.bars ? COLOURS.ink : colour, 2);
        if (row.middle !== null) { ctx.fillStyle = colour; if (!options.bars) symbol(ctx, row.shape || "circle", c.x.map(row.middle), y, 5); c.at(c.x.map(row.middle), y, row.place ?? -1, row.lines); }
        ctx.globalAlpha = 1;
      });
    },
  });
}

function effectsSection() {
  const effects = DATA.effects;
  if (!effects) return;
  const body = section("effects", effects.hint);
  const host = el("div");
  const rows = effects.rows.filter((row) => row.middle !== null).slice(0, effects.drawn);
  if (rows.length) {
    intervals(host, rows.map((row) => ({ ...row, place: PLACE.get(row.trial) ?? -1,
      lines: [`${row.name} against ${row.against}: ${signed(row.middle)}`, row.low === null ? "no interval" : `95 %: ${signed(row.low)} to ${signed(row.high)}`, row.said, row.changes] })),
    { label: "Effects with their intervals", axis: `difference in ${DATA.objective} (left is better)`, band: effects.noise });
    body.append(host);
  }
  const name = (row) => (PLACE.has(row.trial) ? link(PLACE.get(row.trial), row.name) : row.name);
  body.append(el("details", {}, el("summary", { text: `As a table: ${plural(effects.rows.length, "comparison")}` }), table(["what", "against", { n: "difference" }, { n: "95 % interval" }, { n: "runs" }, "verdict", "changes"],
    effects.rows.map((row) => [name(row), row.against, { n: signed(row.middle) }, { n: row.low === null ? "–" : `${signed(row.low)} .. ${signed(row.high)}` }, { n: row.runs ?? "–" }, row.said, { class: "long", n: row.changes }])),
    effects.left_out ? el("p", { class: "note", text: `${effects.left_out} more are left out.` }) : null));
}

function importanceSection() {
  const found = DATA.importance;
  if (!found) return;
  const body = section("importance", found.hint);
  const rows = found.rows.filter((row) => row.middle !== null);
  if (rows.length) {
    const host = el("div");
    intervals(host, rows, { label: "Importance of each knob", axis: found.axis, bars: true, floor: 0 });
    body.append(host, legend([["winner", "these trials can tell", "square"], ["soft", "they cannot tell", "square"]]));
  }
  for (const note of found.notes) body.append(el("p", { class: "note", text: note }));
  body.append(el("details", {}, el("summary", { text: "As a table" }), table(["knob", { n: "part" }, { n: "95 % interval" }, { n: "trials" }, "verdict", "why"],
    found.rows.map((row) => [el("code", { text: row.name }), { n: short(row.middle) }, { n: row.low === null ? "–" : `${short(row.low)} .. ${short(row.high)}` }, { n: row.trials ?? "–" }, row.said, row.why]))));
}
