// The best value so far against the compute that was spent, beside what a random order of the same trials would give.

function progressSection() {
  const way = DATA.progress;
  if (!way || way.spent.length < 2 || way.value.every((value) => value === null)) return;
  const body = section("progress", way.hint);
  const host = el("div");
  const options = { log: false };
  const chart = new Chart(host, {
    label: "Best so far against compute", height: 290,
    axes: () => {
      const tops = [...way.best, ...way.high, ...way.value.filter((_, at) => way.done[at])].filter((v) => v !== null);
      const [low] = extent(tops);
      const [xlow, xhigh] = extent(way.spent, options.log, 0.02);
      return { x: { label: way.label, low: options.log ? xlow : 0, high: xhigh, log: options.log },
        y: { label: `${DATA.objective}${DATA.unit ? ` (${DATA.unit})` : ""}`, low, high: usual(tops) + (usual(tops) - low) * 0.05 } };
    },
    paint: (ctx, c) => {
      if (way.random.some((v) => v !== null)) {
        band(ctx, c, way.spent, way.low, way.high, COLOURS.band);
        steps(ctx, c, way.spent, way.random, COLOURS.soft, [5, 4], 1.5);
      }
      steps(ctx, c, way.spent, way.best, COLOURS.winner, [], 2.5);
      way.place.forEach((place, at) => {
        const value = way.value[at];
        if (place < 0 || value === null || !shown[place]) return;
        const [x, y] = [c.x.map(way.spent[at]), c.y.map(value)];
        ctx.globalAlpha = marked[place] ? (way.done[at] ? 1 : 0.45) : 0.12;
        ctx.fillStyle = ctx.strokeStyle = colourOf(place);
        symbol(ctx, shapeOf(place), x, y, way.done[at] ? 4 : 3);
        c.at(x, y, place);
      });
      ctx.globalAlpha = 1;
    },
  });
  body.append(el("div", { class: "tools" }, toggle("log compute", false, (on) => { options.log = on; chart.setZoom(null); }), chart.tools()), host,
    legend([["winner", "best so far", "line"], ...(way.random.some((v) => v !== null) ? [["soft", "the same trials in random order: mean", "dash"], ["band", "nine of ten random orders", "area"]] : []),
      ...fates(way.place.filter((place, at) => place >= 0 && way.value[at] !== null))]));
}
