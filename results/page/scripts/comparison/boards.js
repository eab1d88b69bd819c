// The leaderboard of each ruler: every completed trial as a point, the best so far of each campaign, and the table.

function boardsSection() {
  if (!N) return;
  const several = DATA.rulers.length > 1 ? ` ${DATA.rulers.length} groups of campaigns are measured in different ways: compare values within a group only.` : "";
  const body = section("boards", `Trials are ranked together where objective, data, budget and evaluation are the same.${several} Values are single runs, and the lowest is lucky: the winners below say what was confirmed.`);
  DATA.rulers.forEach((ruler, number) => {
    const places = T.number.map((_, place) => place).filter((place) => T.ruler[place] === number);
    const names = ruler.campaigns.map((campaign) => C[campaign].name);
    body.append(el("h3", { text: `${names.join(", ")}${names.length > 1 ? ": one ruler" : ""}` }), el("p", { class: "hint", text: ruler.about }));
    if (!places.length) { body.append(el("p", { class: "note", text: "No trial has completed yet." })); return; }
    const ranked = places.filter((place) => T.rank[place] !== null);
    if (ranked.length) points(body, ruler, ranked);
    bestSoFar(body, ruler);
    trialTable(body, heads(ruler), ranked, (place) => (WINNERS.has(place) ? "best" : ""));
    unranked(body, places);
    if (ruler.left_out) body.append(el("p", { class: "note", text: `${plural(ruler.left_out, "trial")} of higher values ${ruler.left_out === 1 ? "is" : "are"} not on this page.` }));
  });
}

const heads = (ruler) => [
  { name: "rank", n: true, of: (p) => T.rank[p], text: String },
  ...(ruler.campaigns.length > 1 ? [{ name: "campaign", of: (p) => C[T.campaign[p]].name, text: String }] : []),
  { name: "trial", of: (p) => T.number[p], node: (p) => link(p) },
  { name: ruler.objective, n: true, of: (p) => T.value[p], alike: result },
  { name: "vs its base", n: true, of: (p) => T.versus[p], alike: signed },
  { name: "changed from its base", long: true, of: (p) => changed(p, 99), text: (_, p) => changed(p) },
];

function points(body, ruler, places) {
  const host = el("div");
  const rows = ruler.campaigns;
  const options = { near: places.length > 20 };
  const jitter = (place) => (((place * 0.6180339887) % 1) - 0.5) * 0.55;  // neighbours in rank lie far apart
  const chart = new Chart(host, {
    label: "Completed trials of each campaign", height: 62 + 46 * rows.length, margin: { left: 62, right: 14, top: 10, bottom: 42 },
    axes: () => {
      const values = places.map((place) => T.value[place]);
      const [low, high] = extent(values);
      const top = usual(values);
      return { x: { label: `${ruler.objective}${ruler.unit ? ` (${ruler.unit})` : ""}, left is better`, low, high: options.near ? Math.min(high, top + (top - low) * 0.05 || high) : high }, y: { labels: rows.map((campaign) => C[campaign].name), down: true } };
    },
    paint: (ctx, c) => {
      rows.forEach((campaign, row) => {
        const base = C[campaign].base;
        if (base === null) return;
        const half = Math.abs(c.y.map(0.38) - c.y.map(0));
        ctx.setLineDash([4, 3]);
        line(ctx, c.x.map(base), c.y.map(row) - half, c.x.map(base), c.y.map(row) + half, COLOURS.base, 1.5);
        ctx.setLineDash([]);
      });
      for (const place of places) {
        if (!shown[place]) continue;
        const star = WINNERS.has(place);
        const [x, y] = [c.x.map(T.value[place]), c.y.map(rows.indexOf(T.campaign[place]) + (star ? 0 : jitter(place)))];
        ctx.globalAlpha = !marked[place] ? 0.12 : places.length > 400 ? 0.6 : 0.9;
        ctx.fillStyle = ctx.strokeStyle = colourOf(place);
        symbol(ctx, star ? "star" : shapeOf(place), x, y, star ? 6 : places.length > 400 ? 3 : 4);
        c.at(x, y, place);
      }
      ctx.globalAlpha = 1;
    },
  });
  body.append(el("div", { class: "tools" }, toggle("only the good end", options.near, (on) => { options.near = on; chart.setZoom(null); }), chart.tools()), host,
    el("p", { class: "note", text: "A point is a completed trial, a star the winner of its campaign; the dashed line is the campaign's own base." }));
}

function bestSoFar(body, ruler) {
  const rows = ruler.campaigns.filter((campaign) => DATA.courses[campaign] && DATA.courses[campaign].best.length);
  if (!rows.length) return;
  const timed = rows.every((campaign) => DATA.courses[campaign].end[0] > 0);
  const options = { trials: !timed, log: false };
  const xs = (course) => (options.trials ? course.trials : course.seconds);
  const host = el("div");
  const chart = new Chart(host, {
    label: "Best so far of each campaign", height: 280, selects: false,
    axes: () => {
      const courses = rows.map((campaign) => DATA.courses[campaign]);
      const x = extent([...courses.flatMap(xs), ...courses.map((course) => course.end[options.trials ? 1 : 0])], options.log, 0.02);
      const [low, high] = extent(courses.flatMap((course) => course.best));
      return { x: { label: options.trials ? "trials ended" : "device-seconds of training and evaluation", low: options.log ? x[0] : 0, high: x[1], log: options.log }, y: { label: ruler.objective, low, high } };
    },
    paint: (ctx, c) => {
      for (const campaign of rows) {
        if (state.off.has(campaign)) continue;
        const course = DATA.courses[campaign];
        const end = course.end[options.trials ? 1 : 0];
        steps(ctx, c, xs(course), course.best, COLOURS[colourName(campaign)], dashOf(campaign), 2.2, c.x.map(end));
        course.best.forEach((best, at) => {
          const [x, y] = [c.x.map(xs(course)[at]), c.y.map(best)];
          ctx.fillStyle = ctx.strokeStyle = COLOURS[colourName(campaign)];
          symbol(ctx, SERIES[campaign % SERIES.length], x, y, 3.5);
          c.at(x, y, placeOf(campaign, course.number[at]), [`${C[campaign].name}, trial ${course.number[at]}`, `${ruler.objective} ${result(best)} after ${options.trials ? plural(course.trials[at], "trial") : duration(course.seconds[at])}`]);
        });
      }
    },
  });
  const axis = timed ? choice("against", [["", "device-seconds"], ["1", "trials"]], "", (on) => { options.trials = Boolean(on); chart.setZoom(null); }) : null;
  body.append(el("h3", { text: "Best so far" }), el("div", { class: "tools" }, axis, toggle("log compute", false, (on) => { options.log = on; chart.setZoom(null); }), chart.tools()), host, series(rows, "dash"));
}

// Trials that are measured unlike their campaign's base, by what differs.
function unranked(body, places) {
  const reasons = new Map();
  for (const place of places) if (T.why[place]) reasons.set(`${T.campaign[place]} ${T.why[place]}`, [...(reasons.get(`${T.campaign[place]} ${T.why[place]}`) || []), place]);
  if (!reasons.size) return;
  const rows = [...reasons.values()].sort((a, b) => b.length - a.length).slice(0, 100).map((group) => [C[T.campaign[group[0]]].name, { n: group.length },
    el("span", {}, group.slice(0, 12).flatMap((place, at) => [at ? ", " : "", link(place)]), group.length > 12 ? `, +${group.length - 12}` : ""), { class: "long", n: T.why[group[0]] }]);
  body.append(el("h3", { text: "Not ranked: measured unlike the base" }), table(["campaign", { n: "trials" }, "", "why"], rows));
}
