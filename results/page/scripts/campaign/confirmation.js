// Every run of a confirmation as a point, joined to the base's run on the same seed, and each candidate's interval.

function confirmationSection() {
  const rounds = DATA.confirmations;
  if (!rounds.length) return;
  const body = section("confirmation");
  rounds.forEach((round, at) => {
    if (rounds.length > 1) body.append(el("h3", { text: `Confirmation ${at + 1} of ${rounds.length}` }));
    const noise = round.noise ? ` The noise of a run is SD ${decimals(round.noise.sd)} (${round.noise.degrees} ${round.noise.degrees === 1 ? "degree" : "degrees"} of freedom).` : "";
    const pairs = round.arms.slice(1).filter((arm) => arm.trial !== null);
    body.append(el("p", { class: "hint", text: `Design ${round.design}: ${round.meaning}. Candidates and base were trained on the same fresh seeds (${round.seeds.join(", ")}), so that what a seed does to all of them alike drops out of the differences.${noise} The intervals are right for ${pairs.length === 1 ? "the one candidate" : `all ${pairs.length} candidates`} and all looks together (a look is after each further seed).${round.uneven}` + (round.state && ` ${round.state}`) }));
    const [left, right] = [el("div"), el("div")];
    body.append(el("div", { class: "two" }, el("div", {}, el("h3", { text: "difference from the base, pair by pair" }), left), el("div", {}, el("h3", { text: "every run, by seed" }), right)));
    if (pairs.length) differences(left, round, pairs);
    bySeed(right, round);
    body.append(table(["trial", { n: "vs base" }, { n: "95 % interval" }, { n: "pairs" }, "verdict"],
      round.arms.slice(1).map((arm) => [PLACE.has(arm.trial) ? link(PLACE.get(arm.trial)) : "?", { n: signed(arm.difference) },
        { n: arm.low === null || arm.low === undefined ? "–" : `${signed(arm.low)} .. ${signed(arm.high)}` }, { n: arm.pairs ?? 0 }, el("span", { class: arm.better ? "better" : arm.worse ? "worse" : "", text: arm.said || "" })])));
  });
  const ablation = DATA.lines.findIndex((line) => line.startsWith("Ablation"));
  if (ablation >= 0) body.append(el("h3", { text: "Ablation" }), el("pre", { class: "note", text: DATA.lines.slice(ablation).join("\n") }));
}

function differences(host, round, pairs) {
  const base = new Map(round.arms[0].runs.map(([seed, , value]) => [seed, value]));
  const points = pairs.flatMap((arm, row) => arm.runs.filter(([seed, , value]) => value !== null && base.get(seed) !== null && base.has(seed)).map(([seed, number, value]) => ({ row, seed, number, gap: value - base.get(seed) })));
  new Chart(host, {
    label: "Differences from the base on fresh seeds", height: 70 + 56 * pairs.length, selects: false, margin: { left: 62, right: 14, top: 10, bottom: 42 },
    axes: () => {
      const [low, high] = extent([0, ...points.map((p) => p.gap), ...pairs.flatMap((arm) => [arm.low, arm.high])], false, 0.08);
      return { x: { label: `${DATA.objective} minus the base's (left is better)`, low, high }, y: { labels: pairs.map((arm) => `trial ${arm.trial}`), down: true } };
    },
    paint: (ctx, c) => {
      line(ctx, c.x.map(0), c.box.top, c.x.map(0), c.box.bottom, COLOURS.ink, 1.5);
      pairs.forEach((arm, row) => {
        const y = c.y.map(row);
        const colour = arm.better ? COLOURS.winner : arm.worse ? COLOURS.bad : COLOURS.soft;
        if (arm.low !== null && arm.low !== undefined) {
          line(ctx, c.x.map(arm.low), y, c.x.map(arm.high), y, colour, 3);
          for (const end of [arm.low, arm.high]) line(ctx, c.x.map(end), y - 7, c.x.map(end), y + 7, colour, 2);
        }
        ctx.fillStyle = colour;
        if (arm.difference !== null && arm.difference !== undefined) { symbol(ctx, "diamond", c.x.map(arm.difference), y, 6); c.at(c.x.map(arm.difference), y, PLACE.get(arm.trial) ?? -1, [`Trial ${arm.trial}: ${signed(arm.difference)} vs base`, arm.said || "", `${plural(arm.pairs, "pair")}`]); }
      });
      const drawn = [];
      for (const p of points) {
        const x = c.x.map(p.gap);
        let y = c.y.map(p.row) + 15;
        while (drawn.some(([a, b]) => Math.hypot(a - x, b - y) < 7)) y += 7;  // beside one that it would hide
        drawn.push([x, y]);
        ctx.fillStyle = COLOURS.confirm;
        symbol(ctx, "circle", x, y, 4);
        c.at(x, y, PLACE.get(p.number) ?? -1, [`Seed ${round.seeds[p.seed]}: ${signed(p.gap)} vs base`, `run ${p.number} against the base's run on the same seed`]);
      }
    },
  });
}

function bySeed(host, round) {
  const arms = round.arms.filter((arm) => arm.runs.length);
  const others = arms.filter((arm, at) => at && PLACE.get(arm.trial) !== WINNER);
  const own = (arm, at, base, winner, names) => (at === 0 ? base : PLACE.get(arm.trial) === WINNER ? winner : names[others.indexOf(arm) % names.length]);
  const colours = arms.map((arm, at) => own(arm, at, "base", "winner", ARMS));
  const shapes = arms.map((arm, at) => own(arm, at, "square", "star", ["circle", "triangle", "diamond", "box", "ring", "frame"]));
  new Chart(host, {
    label: "Every run of the confirmation by seed", height: 70 + 56 * Math.max(2, arms.length - 1), selects: false,
    axes: () => {
      const [low, high] = extent(arms.flatMap((arm) => arm.runs.map((run) => run[2])), false, 0.1);
      return { x: { label: "seed", labels: round.seeds.map(String) }, y: { label: DATA.objective, low, high } };
    },
    paint: (ctx, c) => {
      arms.forEach((arm, at) => {
        ctx.strokeStyle = ctx.fillStyle = COLOURS[colours[at]];
        ctx.lineWidth = 1.2;
        ctx.beginPath();
        const runs = [...arm.runs].sort((a, b) => a[0] - b[0]);
        for (const [seed, , value] of runs) if (value !== null) ctx.lineTo(c.x.map(seed), c.y.map(value));
        ctx.stroke();
        for (const [seed, number, value, status] of runs) {
          const y = value === null ? c.box.top + 6 : c.y.map(value);
          symbol(ctx, value === null ? "cross" : shapes[at], c.x.map(seed), y, 4);
          c.at(c.x.map(seed), y, PLACE.get(number) ?? -1, [`${at ? `Trial ${arm.trial}` : "The base"} on seed ${round.seeds[seed]}: ${value === null ? status : result(value)}`, `run ${number}`]);
        }
      });
    },
  });
  host.after(legend(arms.map((arm, at) => [colours[at], at ? `trial ${arm.trial}` : "base", shapes[at]])));
}
