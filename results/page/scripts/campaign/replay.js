// A replay: recorded scores against measured ones, and the way from the baseline to the best on both sides.

function replaySection() {
  const replay = DATA.replay;
  if (!replay) return;
  const found = replay.correlation;
  const body = section("replay", found ? `Rank correlation ${found[0].toFixed(2)} (95 % interval ${found[1].toFixed(2)} to ${found[2].toFixed(2)}).` : "Too few runs have both scores for a rank correlation.");
  const runs = replay.runs.filter((run) => run.recorded !== null && run.measured !== null);
  if (runs.length) {
    const host = el("div");
    const options = { near: runs.length > 20 };
    const chart = new Chart(host, {
      label: "Recorded against measured scores", height: 400,
      axes: () => {
        const [xs, ys] = [runs.map((run) => run.recorded), runs.map((run) => run.measured)];
        const [x, y] = [extent(xs), extent(ys)];
        const top = (values, ends) => (options.near ? Math.min(ends[1], usual(values)) : ends[1]);
        return { x: { label: `recorded ${replay.metric}`, low: x[0], high: top(xs, x) }, y: { label: `measured ${replay.metric}`, low: y[0], high: top(ys, y) } };
      },
      paint: (ctx, c) => {
        for (const run of runs) {
          const places = run.trials.map((number) => PLACE.get(number)).filter((place) => place !== undefined);
          const place = places[0] ?? -1;
          const on = places.length === 0 || places.some((one) => marked[one]);
          if (places.length && !places.some((one) => shown[one])) continue;
          const [px, py] = [c.x.map(run.recorded), c.y.map(run.measured)];
          ctx.globalAlpha = on ? 0.85 : 0.12;
          ctx.fillStyle = ctx.strokeStyle = place === WINNER ? COLOURS.winner : COLOURS.completed;
          symbol(ctx, place === WINNER ? "star" : "circle", px, py, 4.5);
          c.at(px, py, place, [`${run.id}: ${run.name}`, `recorded ${result(run.recorded)}, measured ${result(run.measured)}`, run.phase]);
        }
        ctx.globalAlpha = 1;
      },
    });
    body.append(el("div", { class: "tools" }, toggle("only the good end", options.near, (on) => { options.near = on; chart.setZoom(null); }), chart.tools()), host);
  }
  way(body, replay);
  body.append(el("details", { open: true }, el("summary", { text: "What it comes to" }), el("ul", {}, replay.summary.map((said) => el("li", { text: said })))));
  const here = replay.runs.filter((run) => run.measured !== null).sort((a, b) => a.measured - b.measured);
  const rows = here.map((run) => [PLACE.has(run.trials[0]) ? link(PLACE.get(run.trials[0]), run.id) : run.id, { n: result(run.recorded) }, { n: signed(run.recorded_difference) }, run.recorded_verdict || "–", { n: result(run.measured) }, { n: signed(run.measured_difference) }, run.measured_verdict || "–", run.name]);
  body.append(el("details", {}, el("summary", { text: `${plural(here.length, "run")} with a measured score, best first` }), table(["run", { n: "recorded" }, { n: "vs base" }, "in the log", { n: "measured" }, { n: "vs base" }, "here", "name"], rows)));
}

function way(body, replay) {
  const steps = replay.progression.filter((step) => step.recorded !== null || step.measured !== null);
  if (steps.length < 2) return;
  const host = el("div");
  const [first] = steps;
  const placeOfRun = new Map(replay.runs.filter((run) => PLACE.has(run.trials[0])).map((run) => [run.id, PLACE.get(run.trials[0])]));
  const rows = steps.map((step) => ({ ...step, r: step.recorded === null || first.recorded === null ? null : step.recorded - first.recorded, m: step.measured === null || first.measured === null ? null : step.measured - first.measured }));
  new Chart(host, {
    label: "From the baseline to the best", height: 60 + 24 * rows.length, selects: false, margin: { left: 62, right: 16, top: 8, bottom: 42 },
    axes: () => {
      const [low, high] = extent([0, ...rows.flatMap((row) => [row.r, row.m])], false, 0.05);
      return { x: { label: `${replay.metric} minus the baseline's`, low, high }, y: { labels: rows.map((row) => row.label), down: true } };
    },
    paint: (ctx, c) => {
      line(ctx, c.x.map(0), c.box.top, c.x.map(0), c.box.bottom, COLOURS.ink);
      for (const [name, colour, shape] of [["r", COLOURS.stopped, "square"], ["m", COLOURS.completed, "circle"]]) {
        ctx.strokeStyle = ctx.fillStyle = colour;
        ctx.lineWidth = 1.5;
        ctx.beginPath();
        rows.forEach((row, at) => { if (row[name] !== null) ctx.lineTo(c.x.map(row[name]), c.y.map(at)); });
        ctx.stroke();
        rows.forEach((row, at) => { if (row[name] !== null) { symbol(ctx, shape, c.x.map(row[name]), c.y.map(at), 4.5); c.at(c.x.map(row[name]), c.y.map(at), placeOfRun.get(row.id) ?? -1, [row.label, `${name === "r" ? "recorded" : "measured"} ${signed(row[name])}`]); } });
      }
    },
  });
  body.append(el("h3", { text: "From the baseline to the best" }), host, legend([["stopped", "recorded", "square"], ["completed", "measured", "circle"]]));
}
