// One knob against the result, like with like: the values at the end, or those of all trials at one rung.

function scatterSection() {
  const knobs = DATA.knobs.filter((knob) => knob.values.some((v) => v !== null));
  const ended = T.value.some((value, place) => value !== null && searched(place));
  if (!knobs.length || !(ended || DATA.at_rungs.length)) return;
  const body = section("scatter");
  const options = { knob: knobs.find((knob) => knob.path === (DATA.first_knobs || [])[0]) || knobs[0], at: ended ? "end" : "0", log: null, logy: false };
  const host = el("div");
  const after = (at) => `after ${short(DATA.at_rungs[at].rung)} ${DATA.budget ? DATA.budget.unit : ""}`;
  const y = (place) => (options.at === "end" ? T.value[place] : DATA.at_rungs[options.at].values[place]);
  const log = () => options.knob.kind === "number" && (options.log ?? options.knob.log) && options.knob.values.every((v) => v === null || v > 0);
  const jitter = (place) => (((place * 0.6180339887) % 1) - 0.5) * 0.5;  // neighbours lie far apart
  const seen = () => T.number.map((_, place) => place).filter((place) => searched(place) && shown[place] && options.knob.values[place] !== null && y(place) !== null);
  // The base's line has room, unless it would press all points flat.
  const baseFits = () => {
    if (BASE < 0 || y(BASE) === null) return false;
    const points = seen().map(y);
    const [low, top] = [Math.min(...points), usual(points)];
    return points.length < 3 || (y(BASE) <= top + 3 * (top - low) && y(BASE) >= low - 3 * (top - low));
  };
  const chart = new Chart(host, {
    label: "A knob against the result", height: 340,
    axes: () => {
      const knob = options.knob;
      const points = seen().map(y);
      const ys = baseFits() ? [...points, y(BASE)] : points;
      const [low, high] = extent(ys, options.logy, 0.06);
      const range = extent([...knob.values, knob.low, knob.high], log(), 0.03);
      const x = knob.kind === "category" ? { labels: knob.labels } : { low: range[0], high: range[1], log: log() };
      const top = baseFits() ? Math.max(usual(points), y(BASE)) : usual(points);
      return { x: { ...x, label: knob.path }, y: { label: options.at === "end" ? `${DATA.objective} at the end` : `${DATA.on_the_way} ${after(options.at)}`, low, high: Math.min(high, top + (top - low) * 0.06 || high), log: options.logy && low > 0 } };
    },
    paint: (ctx, c) => {
      if (baseFits()) { ctx.setLineDash([4, 4]); line(ctx, c.box.left, c.y.map(y(BASE)), c.box.right, c.y.map(y(BASE)), COLOURS.base); ctx.setLineDash([]); }
      const places = seen().sort((a, b) => marked[a] - marked[b] || (a === WINNER) - (b === WINNER));
      for (const place of places) {
        const value = options.knob.values[place];
        const px = c.x.map(options.knob.kind === "category" ? value + jitter(place) : value);
        const py = c.y.map(y(place));
        ctx.globalAlpha = !marked[place] ? 0.12 : N > 400 ? 0.6 : 0.9;
        ctx.fillStyle = ctx.strokeStyle = colourOf(place);
        symbol(ctx, shapeOf(place), px, py, place === WINNER || place === BASE ? 6 : N > 400 ? 3 : 4.5);
        c.at(px, py, place, [...told(place), `${options.knob.path} ${options.knob.kind === "category" ? options.knob.labels[value] : short(value)}`]);
      }
      ctx.globalAlpha = 1;
    },
  });
  const hint = () => { byId("scatter").querySelector(".hint").textContent = [...asked(options.knob), ...counted(), baseLine()].filter(Boolean).join(" "); };
  // How many of the search's trials are points, and why the others are not.
  const counted = () => {
    const knob = options.knob;
    const all = T.number.map((_, place) => place).filter((place) => searched(place) && !isProposal(place));
    const own = all.filter((place) => knob.values[place] !== null);
    const valued = own.filter((place) => y(place) !== null);
    const earlier = DATA.at_rungs.some((rung) => own.filter((place) => rung.values[place] !== null).length > valued.length);
    const without = own.length - valued.length;
    const where = `${without === 1 ? "has" : "have"} no value ${options.at === "end" ? "at the end" : "there"}`;
    return [
      own.length < all.length && `${all.length - own.length} of ${plural(all.length, "trial")} are without it and left out.`,
      without && `${without} of ${own.length < all.length ? `the other ${own.length}` : plural(own.length, "trial")} ${where}${options.at === "end" && earlier ? ": compare earlier, where more of them have a value" : ""}.`,
      valued.length < all.length && `${plural(valued.length, "trial")} ${valued.length === 1 ? "is" : "are"} drawn.`];
  };
  const baseLine = () => {
    if (BASE < 0) return "";
    if (y(BASE) === null) return options.at === "end" ? "The base has no value at the end." : "The base has no value there.";
    return baseFits() ? "The dashed line is the base." : `The base, ${result(y(BASE))}, lies far ${y(BASE) > usual(seen().map(y)) ? "above" : "below"} all points, outside of the picture.`;
  };
  const again = () => { chart.zoom = null; hint(); chart.redraw(); };
  const logs = toggle("log x", Boolean(log()), (on) => { options.log = on; again(); });
  const tools = el("div", { class: "tools" },
    choice("knob", knobs.map((knob) => [knob.path, knob.path]), options.knob.path, (path) => { options.knob = knobs.find((knob) => knob.path === path); options.log = null; logs.setAttribute("aria-pressed", String(Boolean(log()))); again(); }),
    DATA.at_rungs.length ? choice("compare", [["end", "at the end"], ...DATA.at_rungs.map((one, at) => [String(at), after(at)])], options.at, (at) => { options.at = at; again(); }) : null,
    logs, toggle("log y", false, (on) => { options.logy = on; again(); }), chart.tools());
  when("filter", hint);  // which also comes first when the page is put together
  body.append(tools, host);
}

// The range that a knob was asked in, and where it acts.
function asked(knob) {
  const acts = knob.when.map((one) => `${one.path} is ${one.labels.join(" or ")}`).join(" and ");
  return [knob.domain && `Asked: ${knob.domain}${knob.why ? ` (${knob.why})` : ""}.`, acts && `It acts only where ${acts}.`];
}

function frontSection() {
  const front = DATA.front;
  if (!front) return;
  const body = section("front", `The line joins the trials that no other one beats in both ${DATA.objective} and ${front.name}; both are better when lower.`);
  const host = el("div");
  const options = { log: false };
  const places = T.number.map((_, place) => place).filter((place) => searched(place) && T.value[place] !== null && front.costs[place] !== null);
  const chart = new Chart(host, {
    label: "Front of two objectives", height: 340,
    axes: () => {
      const x = extent(places.map((place) => front.costs[place]), options.log);
      const ys = places.map((place) => T.value[place]);
      const [low, high] = extent(ys);
      return { x: { label: front.name, low: x[0], high: x[1], log: options.log }, y: { label: DATA.objective, low, high: Math.min(high, usual(ys) + (usual(ys) - low) * 0.05 || high) } };
    },
    paint: (ctx, c) => {
      const on = places.filter((place) => front.on[place]).sort((a, b) => front.costs[a] - front.costs[b]);
      steps(ctx, c, on.map((place) => front.costs[place]), on.map((place) => T.value[place]), COLOURS.winner, [], 2);
      for (const place of places) {
        if (!shown[place]) continue;
        const [px, py] = [c.x.map(front.costs[place]), c.y.map(T.value[place])];
        ctx.globalAlpha = marked[place] ? 1 : 0.12;
        ctx.fillStyle = ctx.strokeStyle = front.on[place] ? COLOURS.winner : colourOf(place);
        symbol(ctx, front.on[place] ? "star" : shapeOf(place), px, py, 4.5);
        c.at(px, py, place, [...told(place), `${front.name} ${short(front.costs[place])}`]);
      }
      ctx.globalAlpha = 1;
    },
  });
  body.append(el("div", { class: "tools" }, toggle("log x", false, (on) => { options.log = on; chart.setZoom(null); }), chart.tools()), host);
  const on = places.filter((place) => front.on[place]).sort((a, b) => T.value[a] - T.value[b]);
  body.append(table(["trial", { n: DATA.objective }, { n: front.name }, "changed from the base"], on.map((place) => [link(place), { n: result(T.value[place]) }, { n: short(front.costs[place]) }, changed(place)])));
}
