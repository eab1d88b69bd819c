// Parallel coordinates: an axis a knob, the last one the result; a drag along an axis selects trials.

class Parallel extends Chart {
  constructor(host, axes) {
    super(host, { label: "Parallel coordinates of the knobs", height: 410, zooms: false, selects: false });
    this.list = axes;
    this.brushes = new Map();
  }

  places() {
    const [left, right] = [34, this.host.clientWidth - 50];
    return this.list.map((_, at) => left + (at * (right - left)) / Math.max(1, this.list.length - 1));
  }

  draw() {
    if (!this.list) return;
    this.dirty = false;
    const ctx = this.context(this.base);
    this.box = { left: 0, right: this.host.clientWidth, top: 78, bottom: this.height - 34 };
    this.xs = this.places();
    this.hits = [];
    const order = [];
    for (let place = 0; place < N; place++) if (shown[place] && searched(place)) order.push(place);
    order.sort((a, b) => marked[a] - marked[b] || (T.rank[b] ?? 1e9) - (T.rank[a] ?? 1e9));
    for (const place of order) {
      const strong = place === WINNER || place === BASE;
      ctx.globalAlpha = !marked[place] ? 0.05 : strong ? 1 : order.length > 300 ? 0.22 : 0.6;
      ctx.strokeStyle = marked[place] ? colourOf(place) : COLOURS.soft;
      ctx.lineWidth = strong ? 2.6 : 1.2;
      this.way(ctx, place);
      ctx.stroke();
      const end = this.list.findLastIndex((axis) => axis.at(place) !== null);
      if (end >= 0) this.at(this.xs[end], this.y(this.list[end].at(place)), place);
    }
    ctx.globalAlpha = 1;
    this.names(ctx);
    this.list.forEach((axis, at) => this.drawAxis(ctx, axis, this.xs[at]));
    this.drawOver();
  }

  y(part) { return this.box.bottom - part * (this.box.bottom - this.box.top); }

  // The height at which a trial's line crosses an axis: below it where the knob does not act; null without a result.
  crossing(at, place) {
    const part = this.list[at].at(place);
    return part !== null ? this.y(part) : this.list[at].last ? null : this.box.bottom + 12;
  }

  way(ctx, place) {
    ctx.beginPath();
    this.list.forEach((_, at) => {
      const y = this.crossing(at, place);
      if (y !== null) ctx.lineTo(this.xs[at], y);
    });
  }

  get room() { return this.xs.length > 1 ? this.xs[1] - this.xs[0] : 200; }

  // The names above the axes, the parts of a path in two lines; those of neighbours at two heights, so that each has room.
  names(ctx) {
    ctx.textAlign = "center";
    ctx.textBaseline = "alphabetic";
    const [wide, edge] = [this.room * 2 - 4, this.room + 32];  // the first and the last one begin and end at the border
    const last = this.list.length - 1;
    const write = (texts, y, colour) => {
      const [inner, outer] = [shortened(ctx, texts, wide), shortened(ctx, texts, edge)];
      ctx.fillStyle = colour;
      texts.forEach((_, at) => {
        const text = at === 0 || at === last ? outer[at] : inner[at];
        const half = ctx.measureText(text).width / 2 + 2;
        ctx.fillText(text, Math.min(Math.max(this.xs[at], half), this.box.right - half), y + (at % 2 ? 0 : 31));
      });
    };
    const paths = this.list.map((axis) => axis.name);
    const ends = paths.map((path) => path.lastIndexOf(".") + 1);
    write(paths.map((path, at) => path.slice(0, Math.max(0, ends[at] - 1))), 12, COLOURS.soft);
    write(paths.map((path, at) => path.slice(ends[at])), 25, COLOURS.ink);
    ctx.strokeStyle = COLOURS.grid;
    ctx.lineWidth = 1;
    this.xs.forEach((x, at) => { if (at % 2) line(ctx, x, 29, x, this.box.top, COLOURS.grid); });
  }

  drawAxis(ctx, axis, x) {
    line(ctx, x, this.box.top, x, this.box.bottom, COLOURS.soft, 1);
    ctx.textBaseline = "alphabetic";
    ctx.fillStyle = COLOURS.soft;
    const ticks = shortened(ctx, axis.ticks.map(([, text]) => text), this.room - 10);
    for (const [at, [part]] of axis.ticks.entries()) {
      const said = ticks[at];
      const [left, wide, y] = [Boolean(axis.last), ctx.measureText(said).width, this.y(part)];
      ctx.textAlign = "left";
      ctx.fillStyle = COLOURS.paper;
      ctx.fillRect(left ? x - wide - 7 : x + 3, y - 7, wide + 4, 14);  // so that no line strikes it through
      ctx.fillStyle = COLOURS.soft;
      ctx.fillText(said, left ? x - wide - 5 : x + 5, y + 4);
    }
    if (axis.gaps) { ctx.textAlign = "center"; (this.room > 70 ? ["does not act"] : ["does", "not act"]).forEach((text, row) => ctx.fillText(text, Math.max(x, 34), this.box.bottom + 25 + (this.room > 70 ? 0 : row * 11 - 3))); }
    const brush = this.brushes.get(axis.name);
    if (brush) { ctx.fillStyle = COLOURS.focus; ctx.globalAlpha = 0.3; ctx.fillRect(x - 9, this.y(brush[1]), 18, this.y(brush[0]) - this.y(brush[1])); ctx.globalAlpha = 1; }
  }

  drawOver() {
    if (!this.xs) return;
    const ctx = this.context(this.over);
    if (state.hover >= 0 && searched(state.hover)) {
      this.way(ctx, state.hover);
      ctx.strokeStyle = COLOURS.paper; ctx.lineWidth = 6; ctx.stroke();
      ctx.strokeStyle = colourOf(state.hover); ctx.lineWidth = 3; ctx.stroke();
    }
    if (this.drag && this.drag.axis !== undefined && this.drag.moved) {
      ctx.fillStyle = COLOURS.focus;
      ctx.globalAlpha = 0.35;
      ctx.fillRect(this.xs[this.drag.axis] - 9, Math.min(this.drag.y0, this.drag.y1), 18, Math.abs(this.drag.y1 - this.drag.y0));
      ctx.globalAlpha = 1;
    }
  }

  nearest(x, y) {
    if (!this.xs) return -1;
    const right = this.xs.findIndex((at) => at >= x);
    if (right < 0) return super.nearest(x, y);
    const [a, b] = [Math.max(0, right - 1), right];
    let [best, found] = [10, -1];
    this.hits.forEach((hit, at) => {
      if (!marked[hit.place]) return;
      const [p, q] = [this.crossing(a, hit.place), this.crossing(b, hit.place)];
      if (p === null || q === null) return;
      const part = b === a ? 0 : (x - this.xs[a]) / (this.xs[b] - this.xs[a]);
      const far = Math.abs(p + part * (q - p) - y);
      if (far < best) [best, found] = [far, at];
    });
    return found;
  }

  axisAt(x) {
    const room = this.xs.length > 1 ? (this.xs[1] - this.xs[0]) / 2 : 40;
    return this.xs.findIndex((at) => Math.abs(at - x) <= Math.min(14, room));
  }

  listen() {
    super.listen();
    this.host.addEventListener("pointerdown", (event) => {
      const axis = this.xs ? this.axisAt(this.point(event)[0]) : -1;
      if (this.drag && axis >= 0) { this.drag.axis = axis; this.host.setPointerCapture(event.pointerId); }
    });
  }

  drop(event) {
    const drag = this.drag;
    const axis = drag && this.list[drag.axis];
    if (!axis || (!drag.moved && !this.brushes.has(axis.name))) return super.drop(event);
    this.drag = null;
    const part = (y) => (this.box.bottom - y) / (this.box.bottom - this.box.top);
    this.brush(axis, drag.moved ? [part(Math.max(drag.y0, drag.y1)), part(Math.min(drag.y0, drag.y1))] : null);
  }

  // Select the trials whose part of an axis lies between two, or all again.
  brush(axis, range) {
    if (range === null) this.brushes.delete(axis.name);
    else this.brushes.set(axis.name, range);
    const places = [];
    if (range) for (let place = 0; place < N; place++) { const at = axis.at(place); if (at !== null && at >= range[0] && at <= range[1] && searched(place)) places.push(place); }
    select(`axis ${axis.name}`, range ? places : null);
  }
}

// A knob as an axis: at(place) is where a trial lies on it, from 0 to 1, null where the knob does not act.
function knobAxis(knob) {
  if (knob.kind === "category") {
    const last = Math.max(1, knob.labels.length - 1);
    return { name: knob.path, gaps: knob.values.some((v) => v === null), at: (place) => (knob.values[place] === null ? null : 0.04 + (0.92 * knob.values[place]) / last),
      ticks: knob.labels.map((label, at) => [0.04 + (0.92 * at) / last, label]) };
  }
  const log = knob.log && knob.values.every((v) => v === null || v > 0);
  const known = knob.values.filter((v) => v !== null);
  const low = Math.min(knob.low ?? Infinity, ...known);
  const high = Math.max(knob.high ?? -Infinity, ...known);
  const scale = log ? logScale(low, high, 0, 1) : linearScale(low, high, 0, 1);
  return { name: knob.path, gaps: knob.values.some((v) => v === null), at: (place) => (knob.values[place] === null ? null : scale.map(knob.values[place])),
    ticks: [...new Set([low, ...scale.ticks(4).filter((t) => scale.map(t) > 0.1 && scale.map(t) < 0.9), high])].map((tick) => [scale.map(tick), short(tick)]) };
}

function resultAxis() {
  const values = T.value.map((value, place) => (searched(place) ? value ?? T.last[place] : null));
  const [low] = extent(values, false, 0);
  const high = usual(values.filter((v) => v !== null));
  const scale = linearScale(low, high, 0.02, 0.98);
  return { name: DATA.objective, last: true, high, above: values.filter((v) => v !== null && v > high).length, at: (place) => (values[place] === null ? null : Math.min(1, scale.map(values[place]))),
    ticks: scale.ticks(6).map((tick) => [scale.map(tick), short(tick)]) };
}

function parallelSection() {
  const knobs = DATA.knobs.filter((knob) => knob.values.filter((v) => v !== null).length > 1 && new Set(knob.values).size > 1);
  const known = T.value.some((value, place) => searched(place) && (value ?? T.last[place]) !== null);
  if (N < 2 || knobs.length < (known ? 1 : 2)) return;
  const body = section("parallel");
  const wide = 60; // pixels of an axis; as many as the screen has room for are drawn at first
  const most = Math.max(3, Math.floor(body.clientWidth / wide) - 1);
  const first = DATA.first_knobs ? DATA.first_knobs.filter((path) => knobs.some((knob) => knob.path === path)) : knobs.slice(0, 12).map((knob) => knob.path);
  const chosen = new Set(first.slice(0, most));
  const host = el("div");
  const axes = () => [...knobs.filter((knob) => chosen.has(knob.path)).map(knobAxis), ...(known ? [resultAxis()] : [])];
  const inner = el("div", {}, host);
  const fit = () => { host.style.minWidth = `${Math.max(240, (chosen.size + 1) * wide)}px`; };
  fit();
  const chart = new Parallel(host, axes());
  cleared.push(() => { chart.brushes.clear(); });
  const list = el("details", {}, el("summary", { text: `Knobs shown: ${chosen.size} of ${knobs.length}` }));
  list.append(el("div", { class: "tools" }, knobs.map((knob) => {
    const box = el("input", { type: "checkbox", checked: chosen.has(knob.path) });
    box.addEventListener("change", () => {
      if (box.checked) chosen.add(knob.path);
      else { chosen.delete(knob.path); chart.brush({ name: knob.path }, null); }
      list.firstChild.textContent = `Knobs shown: ${chosen.size} of ${knobs.length}`;
      chart.list = axes();
      fit();
      chart.redraw();
    });
    return el("label", {}, box, el("span", { class: "path", text: knob.path }));
  })));
  const touch = matchMedia("(any-pointer: coarse)").matches ? toggle("select on axes by touch", false, (on) => { host.style.touchAction = on ? "none" : ""; }) : null;
  const drawn = T.number.map((_, place) => place).filter(searched);
  const { above, high } = known ? resultAxis() : { above: 0 };
  const cut = known && drawn.some((place) => T.value[place] === null && T.last[place] !== null);
  body.append(el("div", { class: "tools" }, touch), el("div", { class: "wide" }, inner), legend(fates(drawn, "line")),
    cut ? el("p", { class: "note", text: `On the axis of ${DATA.objective} a trial without a value at the end stands at its last one.` }) : "",
    drawn.some(isProposal) ? el("p", { class: "note", text: "Proposals infeasible before training have lines too, without a result." }) : "",
    above ? el("p", { class: "note", text: `${plural(above, "trial")} above ${short(high)} ${above === 1 ? "stands" : "stand"} at the top of that axis.` }) : "", list);
}
