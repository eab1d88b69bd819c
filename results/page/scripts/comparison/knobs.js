// The ranges of every knob in each campaign, one above the other, with the base's value and the winner's.

function knobsSection() {
  if (!DATA.knobs.length) return;
  const differ = DATA.knobs.filter((knob) => !knob.same);
  const same = DATA.knobs.length - differ.length;
  const body = section("knobs", [differ.length ? `${differ.length === 1 ? "1 knob or setting" : `${differ.length} knobs and settings`} with other ranges or values in some.` : "", same ? `${plural(same, "knob")} with the same range in all of them.` : "", "“= value” is fixed there, “–” does not exist there."].filter(Boolean).join(" "));
  const drawn = (differ.length ? differ : DATA.knobs).filter((knob) => knob.ends.some((ends) => ends && ends[0] !== ends[1])).slice(0, 30);
  if (drawn.length) spans(body, drawn);
  if (differ.length) body.append(rangeTable(differ));
  if (same) body.append(el("details", {}, el("summary", { text: `The same in all: ${plural(same, "knob")}` }), rangeTable(DATA.knobs.filter((knob) => knob.same))));
}

function rangeTable(knobs) {
  const winner = (knob, campaign) => (knob.winner[campaign] === null ? null : el("div", { class: "note", text: `winner: ${short(knob.winner[campaign])}` }));
  return table(["knob", ...C.map((one) => one.name)], knobs.map((knob) => [el("code", { text: knob.path }), ...C.map((_, campaign) => el("div", { class: "range" }, el("div", { text: knob.texts[campaign] ?? "–" }), winner(knob, campaign)))]));
}

// A row a knob, from the lowest to the highest that any campaign asks of it; a bar a campaign.
function spans(body, knobs) {
  const host = el("div");
  const scales = knobs.map((knob) => {
    const known = knob.ends.filter(Boolean);
    const values = [...known.flatMap((ends) => ends.slice(0, 2)), ...knob.winner, ...knob.base].filter((value) => typeof value === "number");
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const log = known.some((ends) => ends[2]) && low > 0;
    return { low, high, ...(log ? logScale(low, high, 0, 1) : linearScale(low, high, 0, 1)) };
  });
  const thick = 9;
  const height = Math.max(26, C.length * (thick + 3) + 12);
  new Chart(host, {
    label: "Ranges of the knobs", height: 60 + height * knobs.length, zooms: false, selects: false, margin: { left: 62, right: 16, top: 8, bottom: 42 },
    axes: () => ({ x: { label: "lowest to highest of all of them", low: -0.02, high: 1.02, format: () => "" }, y: { labels: knobs.map((knob) => knob.path), down: true } }),
    paint: (ctx, c) => knobs.forEach((knob, row) => C.forEach((_, campaign) => {
      if (state.off.has(campaign) || !knob.ends[campaign]) return;
      const [low, high] = knob.ends[campaign];
      const y = c.y.map(row) + (campaign - (C.length - 1) / 2) * (thick + 3);
      const [x0, x1] = [c.x.map(scales[row].map(low)), c.x.map(scales[row].map(high))];
      ctx.fillStyle = ctx.strokeStyle = COLOURS[colourName(campaign)];
      ctx.globalAlpha = 0.4;
      ctx.fillRect(x0 - 1, y - thick / 2, Math.max(2, x1 - x0), thick);
      ctx.globalAlpha = 1;
      const lines = [`${knob.path} in ${C[campaign].name}`, knob.texts[campaign], knob.winner[campaign] === null ? "" : `its winner: ${short(knob.winner[campaign])}`, knob.base[campaign] === null ? "" : `its base: ${short(knob.base[campaign])}`].filter(Boolean);
      const place = DATA.winners[campaign] ? placeOf(campaign, DATA.winners[campaign].trial) : -1;
      if (typeof knob.base[campaign] === "number") line(ctx, c.x.map(scales[row].map(knob.base[campaign])), y - thick / 2 - 1, c.x.map(scales[row].map(knob.base[campaign])), y + thick / 2 + 1, COLOURS.base, 2);
      const won = typeof knob.winner[campaign] === "number";
      const x = won ? c.x.map(scales[row].map(knob.winner[campaign])) : (x0 + x1) / 2;
      ctx.fillStyle = COLOURS[colourName(campaign)];
      if (won) symbol(ctx, "star", x, y, 4);
      c.at(x, y, place, lines);
    })),
  });
  body.append(host, series(C.map((_, campaign) => campaign), "line"), el("p", { class: "note", text: "A bar is a range (on a log axis where one of them is), a star the campaign's winner, a stroke its base." }));
}
