// Learning curves, coloured by fate, with the rungs at which trials were judged. Noisy ones are drawn as their running
// median (smoothing.py), the winner and the base with their own values behind it.

let smoothing = true;

// The median of the window around each point; towards the ends it narrows on both sides alike, so that the first point and
// the last one are the curve's own.
function runningMedian(values, window) {
  const half = window >> 1;
  const sorted = [];
  const place = (value) => { let [low, high] = [0, sorted.length]; while (low < high) { const at = (low + high) >> 1; if (sorted[at] < value) low = at + 1; else high = at; } return low; };
  const known = (value) => value !== null && value !== undefined;
  let [from, to] = [0, 0];
  return values.map((_, at) => {
    const reach = Math.min(half, at, values.length - 1 - at);
    for (; to <= at + reach; to++) if (known(values[to])) sorted.splice(place(values[to]), 0, values[to]);
    for (; from < at - reach; from++) if (known(values[from])) sorted.splice(place(values[from]), 1);
    const many = sorted.length;
    return many ? (sorted[(many - 1) >> 1] + sorted[many >> 1]) / 2 : null;
  });
}

// The values of a trial as they are drawn.
const smoothed = CURVES.map(() => new Map());
function drawnValues(measure, place) {
  const { of, window } = CURVES[measure];
  if (!window || !smoothing) return of[place][2];
  if (!smoothed[measure].has(place)) smoothed[measure].set(place, runningMedian(of[place][2], window));
  return smoothed[measure].get(place);
}

function curvesSection() {
  if (!CURVES.length) return;
  const options = { measure: Math.max(0, CURVES.findIndex((curve) => curve.name === DATA.on_the_way)), tokens: false, logx: false, logy: false, stages: false, rungs: true };
  const body = section("curves");
  const host = el("div");
  const chart = lineChart(host, options, (place) => shown[place] && (options.stages || searched(place)));
  const tools = el("div", { class: "tools" });
  const smooth = toggle("smooth", smoothing, (on) => { smoothing = on; chart.redraw(); hint(); });
  smooth.hidden = !CURVES[options.measure].window;
  if (CURVES.length > 1) tools.append(choice("measure", CURVES.map((curve, at) => [String(at), curve.name]), String(options.measure), (at) => { options.measure = Number(at); smooth.hidden = !CURVES[options.measure].window; chart.setZoom(null); hint(); }));
  if (Object.values(CURVES[0].of).every((found) => found[1].length)) tools.append(choice("against", [["", "steps"], ["1", "tokens"]], "", (on) => { options.tokens = Boolean(on); chart.setZoom(null); }));
  tools.append(smooth, toggle("log x", false, (on) => { options.logx = on; chart.setZoom(null); }), toggle("log y", false, (on) => { options.logy = on; chart.setZoom(null); }));
  if (T.stage.some((stage) => stage !== "search")) tools.append(toggle("with runs after the search", false, (on) => { options.stages = on; chart.redraw(); }));
  tools.append(...chart.tools().filter(Boolean));
  const hint = () => {
    const most = Math.max(...Object.values(CURVES[options.measure].of).map((found) => found[0].length));
    const stops = T.status.filter((status) => DATA.statuses[status] === "stopped").length;
    byId("curves").querySelector(".hint").textContent =
      `Each trial's ${CURVES[options.measure].name}, coloured by how it ended` + (DATA.rungs.length ? `; dashed lines are the rungs (${DATA.rungs.slice(0, 6).map(short).join(", ")}${DATA.rungs.length > 6 ? ", …" : ""} ${DATA.budget ? DATA.budget.unit : ""}) at which trials are judged` : "") +
      (most < 6 ? ". Only the values of its reports are kept of a trial, at most " + plural(most, "point") + "." : `. At most ${plural(most, "point")} a trial.`) + (!CURVES[options.measure].window ? "" : smoothing ? ` A line is the running median of ${CURVES[options.measure].window} points; faint are the winner's and the base's own values.` : " Single values, not smoothed.") +
      (stops ? " Why each stopped one was stopped is below." : "");
  };
  hint();
  const drawn = Object.keys(CURVES[options.measure].of).map(Number).filter(searched);
  body.append(tools, host, legend(fates(drawn, "line")), ...[DATA.stopping, ...DATA.curve_notes].filter(Boolean).map((text) => el("p", { class: "note", text })));
  const stopped = T.number.map((_, place) => place).filter((place) => statusOf(place) === "stopped" && valueOf("reason", place));
  if (stopped.length) {
    const cut = stopped.filter((place) => T.cut[place] !== null).length;
    const rows = stopped.slice(0, 300).map((place) => [link(place), { n: short(T.rung[place]) }, { n: result(T.last[place]) }, { n: result(valueOf("cutoff", place)) }, valueOf("reason", place)]);
    body.append(el("details", {}, el("summary", { text: `Why ${plural(stopped.length, "trial")} ${stopped.length === 1 ? "was" : "were"} stopped` }),
      table(["trial", { n: "at rung" }, { n: "its value" }, { n: "to beat" }, "the rung's comparison"], rows),
      cut ? el("p", { class: "note", text: `${cut === stopped.length ? (cut === 1 ? "Its schedule" : "Their schedules") : `The schedules of ${cut}`} had not finished there: a rate that is still high hides what a trial would have come to at its end.` }) : null,
      stopped.length > 300 ? el("p", { class: "note", text: `${stopped.length - 300} more stand in the table of trials.` }) : null));
  }
}

// A chart of the curves of those trials that `of` lets pass; the page's and the one of a single trial.
function lineChart(host, options, of, extra = {}) {
  const data = () => CURVES[options.measure];
  const xs = (found) => (options.tokens && found[1].length ? found[1] : found[0]);
  const each = (does) => { for (const [key, found] of Object.entries(data().of)) if (of(Number(key))) does(Number(key), xs(found), drawnValues(options.measure, Number(key))); };
  return new Chart(host, {
    label: "Learning curves", height: 360, outsider: ["curve", "end"], ...extra,
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
      if (data().window && smoothing) for (const [place, x] of late) faint(ctx, c, options, place, x);
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
      path(ctx, c, options, xs(found), drawnValues(options.measure, place));
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

// A trial's own values, behind what is drawn of them.
function faint(ctx, c, options, place, xs) {
  path(ctx, c, options, xs, CURVES[options.measure].of[place][2]);
  ctx.globalAlpha = options.own === undefined && !marked[place] ? 0.05 : 0.25;
  ctx.strokeStyle = colourOf(place);
  ctx.lineWidth = 1;
  ctx.stroke();
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
    if (last && options.logy && ys[at] !== null && ys[at] <= 0) c.at(NaN, NaN, place);
    if ((at % every && !last) || ys[at] === null || (options.logx && xs[at] <= 0) || (options.logy && ys[at] <= 0)) continue;
    const [px, py] = [c.x.map(xs[at]), c.y.map(ys[at])];
    if ((last && !many) || xs.length < 8) symbol(ctx, shapeOf(place), px, py, last ? (many ? 2 : 3.5) : 2);
    c.at(px, py, place, undefined, { vertex: !last, more: () => pointText(options, place, at, xs[at], ys[at]) });
  }
}

function pointText(options, place, at, x, y) {
  const own = CURVES[options.measure].of[place][2][at];
  return `${short(x)} ${options.tokens ? "tokens" : "steps"}: ${short(own)}${own === y ? "" : `, smoothed ${short(y)}`}`;
}
