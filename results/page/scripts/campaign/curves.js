// Learning curves, coloured by fate, with the rungs at which trials were judged.

function curvesSection() {
  if (!CURVES.length) return;
  const loss = CURVES.findIndex((curve) => curve.name === "loss");
  const options = { measure: Math.max(0, loss), tokens: false, logx: false, logy: false, stages: false, rungs: true };
  const body = section("curves");
  const host = el("div");
  const chart = lineChart(host, options, (place) => shown[place] && (options.stages || searched(place)));
  const tools = el("div", { class: "tools" });
  if (CURVES.length > 1) tools.append(choice("measure", CURVES.map((curve, at) => [String(at), curve.name]), String(options.measure), (at) => { options.measure = Number(at); chart.setZoom(null); hint(); }));
  if (Object.values(CURVES[0].of).every((found) => found[1].length)) tools.append(choice("against", [["", "steps"], ["1", "tokens"]], "", (on) => { options.tokens = Boolean(on); chart.setZoom(null); }));
  tools.append(toggle("log x", false, (on) => { options.logx = on; chart.setZoom(null); }), toggle("log y", false, (on) => { options.logy = on; chart.setZoom(null); }));
  if (T.stage.some((stage) => stage !== "search")) tools.append(toggle("with runs after the search", false, (on) => { options.stages = on; chart.redraw(); }));
  tools.append(...chart.tools().filter(Boolean));
  const hint = () => {
    const most = Math.max(...Object.values(CURVES[options.measure].of).map((found) => found[0].length));
    const stops = T.status.filter((status) => DATA.statuses[status] === "stopped").length;
    byId("curves").querySelector(".hint").textContent =
      `${CURVES[options.measure].name} of each trial, coloured by how it ended` + (DATA.rungs.length ? `; dashed lines are the rungs (${DATA.rungs.slice(0, 6).map(short).join(", ")}${DATA.rungs.length > 6 ? ", …" : ""} ${DATA.budget ? DATA.budget.unit : ""}) at which trials are judged` : "") +
      (most < 6 ? ". Only the values of its reports are kept of a trial, at most " + plural(most, "point") + "." : `. At most ${plural(most, "point")} a trial.`) + (stops ? " Why each stopped one was stopped is below." : "");
  };
  hint();
  body.append(tools, host, ...DATA.curve_notes.map((text) => el("p", { class: "note", text })));
  const stopped = T.number.map((_, place) => place).filter((place) => statusOf(place) === "stopped" && valueOf("reason", place));
  if (stopped.length) {
    const rows = stopped.slice(0, 300).map((place) => [link(place), { n: short(T.rung[place]) }, { n: result(T.last[place]) }, { n: result(valueOf("cutoff", place)) }, valueOf("reason", place)]);
    body.append(el("details", {}, el("summary", { text: `Why ${plural(stopped.length, "trial")} ${stopped.length === 1 ? "was" : "were"} stopped` }),
      table(["trial", { n: "at rung" }, { n: "its value" }, { n: "to beat" }, "the rung's comparison"], rows),
      stopped.length > 300 ? el("p", { class: "note", text: `${stopped.length - 300} more stand in the table of trials.` }) : null));
  }
}

// A chart of the curves of those trials that `of` lets pass; the page's and the one of a single trial.
function lineChart(host, options, of, extra = {}) {
  const data = () => CURVES[options.measure];
  const xs = (found) => (options.tokens && found[1].length ? found[1] : found[0]);
  const each = (does) => { for (const [key, found] of Object.entries(data().of)) if (of(Number(key))) does(Number(key), xs(found), found[2]); };
  return new Chart(host, {
    label: "Learning curves", height: 360, ...extra,
    axes: () => {
      const [allx, ends, ally] = [[], [], []];
      each((place, x, y) => { allx.push(x[0], x.at(-1)); for (const v of y) ally.push(v); ends.push(y.at(-1)); });
      const [low, high] = extent(ally, options.logy);
      const top = usual(ally);
      const x = extent(allx, options.logx, 0.02);
      return { x: { label: options.tokens ? "tokens" : "steps", low: options.logx ? x[0] : Math.min(0, x[0]), high: x[1], log: options.logx },
        y: { label: `${data().name}${data().unit ? ` (${data().unit})` : ""}`, low, high: Math.min(high, Math.max(top + (top - low) * 0.04, low * 1.0001)), log: options.logy && low > 0 } };
    },
    paint: (ctx, c) => {
      if (options.rungs && !options.tokens && DATA.budget && DATA.budget.unit === "steps") {
        ctx.setLineDash([4, 4]);
        for (const rung of DATA.rungs.slice(0, 12)) if (!options.logx || rung > 0) line(ctx, c.x.map(rung), c.box.top, c.x.map(rung), c.box.bottom, COLOURS.soft);
        ctx.setLineDash([]);
      }
      const late = [];
      each((place, x, y) => { if (place === WINNER || place === BASE || options.own === place) late.push([place, x, y]); else course(ctx, c, options, place, x, y); });
      for (const [place, x, y] of late) course(ctx, c, options, place, x, y, 2.6);
      ctx.globalAlpha = 1;
    },
    trace: (ctx, c, place) => {
      const found = data().of[place];
      if (!found || !of(place)) return;
      ctx.save();
      ctx.beginPath();
      ctx.rect(c.box.left, c.box.top, c.box.right - c.box.left, c.box.bottom - c.box.top);
      ctx.clip();
      path(ctx, c, options, xs(found), found[2]);
      ctx.strokeStyle = COLOURS.paper; ctx.lineWidth = 6; ctx.stroke();
      ctx.strokeStyle = colourOf(place); ctx.lineWidth = 3; ctx.stroke();
      ctx.restore();
    },
  });
}

// A value that is not finite is a gap.
function path(ctx, c, options, xs, ys) {
  ctx.beginPath();
  let drawing = false;
  for (let at = 0; at < xs.length; at++) {
    if (ys[at] === null) drawing = false;
    if (ys[at] === null || (options.logx && xs[at] <= 0) || (options.logy && ys[at] <= 0)) continue;
    if (drawing) ctx.lineTo(c.x.map(xs[at]), c.y.map(ys[at]));
    else ctx.moveTo(c.x.map(xs[at]), c.y.map(ys[at]));
    drawing = true;
  }
}

function course(ctx, c, options, place, xs, ys, width) {
  const on = options.own === undefined ? marked[place] : true;
  const many = DATA.trials.number.length > 300;
  ctx.globalAlpha = !on ? 0.1 : options.own !== undefined && options.own !== place ? 0.35 : width ? 1 : many ? 0.35 : 0.75;
  ctx.strokeStyle = ctx.fillStyle = colourOf(place);
  ctx.lineWidth = width || (many ? 1 : 1.5);
  if (xs.length > 1) { path(ctx, c, options, xs, ys); ctx.stroke(); }
  const every = Math.max(1, Math.floor(xs.length / (many ? 8 : 24)));
  for (let at = 0; at < xs.length; at++) {
    const last = at === xs.length - 1;
    if ((at % every && !last) || ys[at] === null || (options.logx && xs[at] <= 0) || (options.logy && ys[at] <= 0)) continue;
    const [px, py] = [c.x.map(xs[at]), c.y.map(ys[at])];
    if ((last && !many) || xs.length < 8) symbol(ctx, shapeOf(place), px, py, last ? (many ? 2 : 3.5) : 2);
    c.at(px, py, place, undefined, { vertex: !last, more: () => `${short(xs[at])} ${options.tokens ? "tokens" : "steps"}: ${short(ys[at])}` });
  }
}
