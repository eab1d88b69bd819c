// One picture on two canvases: the lower one is drawn when something changes, the upper one follows the pointer.
//
// axes(): {x, y}, each {label, low, high, log, labels, format}. paint(ctx, c) draws with c.x.map, c.y.map, and says by
// c.at(px, py, place, lines) where what can be hovered is. What of that lies outside of the axes is said below the picture.

const charts = [];

class Chart {
  constructor(host, options) {
    Object.assign(this, { height: 300, margin: { left: 62, right: 14, top: 10, bottom: 42 }, zooms: true, selects: true }, options);
    this.host = host;
    host.classList.add("chart");
    if (this.zooms) host.classList.add("drags");
    host.tabIndex = 0;
    host.setAttribute("role", "application");
    host.setAttribute("aria-label", `${this.label}. Arrow keys go from trial to trial, Enter opens one, plus and minus zoom, 0 shows all.`);
    [this.base, this.over] = [el("canvas"), el("canvas")];
    host.append(this.base, this.over);
    this.zoom = null;
    this.mode = "zoom";
    this.hits = [];
    this.outside = [];
    this.cursor = -1;
    this.dirty = true;
    this.visible = false;
    this.listen();
    new ResizeObserver(() => this.redraw()).observe(host);
    new IntersectionObserver((seen) => { this.visible = seen.at(-1).isIntersecting; if (this.visible && this.dirty) this.redraw(); }, { rootMargin: "120px" }).observe(host);
    charts.push(this);
    this.resize();
  }

  resize() { this.host.style.height = `${this.height}px`; }

  // Buttons for what a drag does, for zooming without one, and for showing all again.
  tools() {
    const mode = el("button", { type: "button", text: "Drag: zoom", title: "What dragging over the picture does" });
    mode.addEventListener("click", () => { this.mode = this.mode === "zoom" ? "select" : "zoom"; mode.textContent = `Drag: ${this.mode}`; });
    this.all = el("button", { type: "button", text: "Show all", hidden: true, on: { click: () => this.setZoom(null) } });
    const zoom = (text, name, factor) => el("button", { type: "button", class: "zoom", text, "aria-label": `${name}: ${this.label}`, title: name, on: { click: () => this.zoomBy(factor) } });
    return [this.selects ? mode : null, ...(this.zooms ? [zoom("+", "Zoom in", 0.7), zoom("−", "Zoom out", 1 / 0.7)] : []), this.all];
  }

  setZoom(zoom) {
    this.zoom = zoom;
    if (this.all) this.all.hidden = zoom === null;
    this.redraw();
  }

  // Draw when the next frame comes what is on the screen, and the rest later.
  redraw() {
    this.dirty = true;
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => { this.asked = false; if (this.visible) this.draw(); else drawLater(); });
  }

  context(canvas) {
    const [width, height, ratio] = [this.host.clientWidth, this.host.clientHeight, Math.min(3, window.devicePixelRatio || 1)];
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const ctx = canvas.getContext("2d");
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.clearRect(0, 0, width, height);
    ctx.font = '12px system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif';
    return ctx;
  }

  draw() {
    this.dirty = false;
    const [width, height] = [this.host.clientWidth, this.host.clientHeight];
    if (width < 20) return;
    const { x, y } = this.axes();
    const margin = this.margin;
    const ctx = this.context(this.base);
    const left = y.labels ? Math.min(Math.max(40, 12 + Math.max(...y.labels.map((label) => ctx.measureText(label).width))), width * 0.34) : margin.left;
    this.box = { left, top: margin.top, right: width - margin.right, bottom: height - margin.bottom };
    const [zx, zy] = this.zoom || [null, null];
    this.x = this.scale(x, this.box.left, this.box.right, zx);
    this.y = this.scale(y, this.box.bottom, this.box.top, zy);
    this.hits = [];
    this.outside = [];
    this.drawAxes(ctx, x, y);
    ctx.save();
    ctx.beginPath();
    ctx.rect(this.box.left - 1, this.box.top - 6, this.box.right - this.box.left + 8, this.box.bottom - this.box.top + 7);
    ctx.clip();
    this.paint(ctx, this);
    ctx.restore();
    this.drawOver();
    this.sayOutside(x, y);
  }

  // How many points the axes leave out; nothing where a person chose by a zoom what is seen.
  sayOutside(x, y) {
    const valueAt = (side, pixel) => {
      const [axis, scale] = side === "above" || side === "below" ? [y, this.y] : [x, this.x];
      return axis.labels ? null : (axis.format || short)(scale.invert(pixel));
    };
    const said = this.zoom ? "" : outsideInWords(this.box, this.outside, valueAt, this.outsider).join(" ");
    if (said && !this.note) this.host.after(this.note = el("p", { class: "note outside" }));
    if (this.note) { this.note.textContent = said; this.note.hidden = !said; }
  }

  scale(axis, from, to, zoom) {
    const [low, high] = zoom || [axis.low, axis.high];
    if (axis.labels) return axis.down ? bandScale(axis.labels, to, from, ...(zoom || [])) : bandScale(axis.labels, from, to, ...(zoom || []));
    const scale = axis.log ? logScale(low, high, from, to) : linearScale(low, high, from, to);
    return axis.time ? { ...scale, ticks: (count) => timeTicks(low, high, count) } : scale;
  }

  drawAxes(ctx, x, y) {
    const { left, right, top, bottom } = this.box;
    ctx.lineWidth = 1;
    ctx.textBaseline = "middle";
    ctx.textAlign = "right";
    const names = y.labels && (Math.abs(this.y.map(1) - this.y.map(0)) >= 25 ? inTwoLines : shortened)(ctx, y.labels, left - 10);
    for (const tick of this.y.ticks(Math.max(3, Math.round((bottom - top) / 44)))) {
      const at = Math.round(this.y.map(tick)) + 0.5;
      if (at < top - 1 || at > bottom + 1) continue;
      line(ctx, left, at, right, at, COLOURS.grid);
      ctx.fillStyle = COLOURS.soft;
      const said = names ? names[tick] : fitted(ctx, (y.format || short)(tick), left - 10);
      [said].flat().forEach((text, row, all) => ctx.fillText(text, left - 7, at + (row - (all.length - 1) / 2) * 12));
    }
    ctx.textBaseline = "top";
    ctx.textAlign = "center";
    let free = -Infinity;
    const room = x.labels ? Math.max((right - left) / x.labels.length - 6, 24) : 200;
    const choices = x.labels && shortened(ctx, x.labels, room);
    for (const tick of this.x.ticks(Math.max(2, Math.round((right - left) / 85)))) {
      const at = Math.round(this.x.map(tick)) + 0.5;
      if (at < left - 1 || at > right + 1) continue;
      line(ctx, at, top, at, bottom, COLOURS.grid);
      const text = choices ? choices[tick] : fitted(ctx, (x.format || short)(tick), room);
      const half = ctx.measureText(text).width / 2;
      if (at - half < free + 4) continue;
      free = at + half;
      ctx.fillStyle = COLOURS.soft;
      ctx.fillText(text, Math.min(Math.max(at, half), this.host.clientWidth - half), bottom + 6);
    }
    line(ctx, left, bottom + 0.5, right, bottom + 0.5, COLOURS.line);
    ctx.fillStyle = COLOURS.ink;
    ctx.textBaseline = "bottom";
    ctx.fillText(fitted(ctx, x.label || "", right - left), (left + right) / 2, this.host.clientHeight - 2);
    if (y.label && !y.labels) {
      ctx.save();
      ctx.translate(12, (top + bottom) / 2);
      ctx.rotate(-Math.PI / 2);
      ctx.fillText(fitted(ctx, y.label, bottom - top), 0, 4);
      ctx.restore();
    }
  }

  at(x, y, place, lines, more) {
    if (!sideOf(this.box, x, y)) this.hits.push({ x, y, place, lines, ...more });
    else if (!more || !more.vertex) this.outside.push([x, y]);
  }

  drawOver() {
    const ctx = this.context(this.over);
    if (state.hover >= 0 && this.trace) this.trace(ctx, this, state.hover);
    if (state.hover >= 0) {
      ctx.strokeStyle = COLOURS.ink;
      ctx.lineWidth = 2;
      for (const hit of this.hits) if (hit.place === state.hover && !hit.vertex) { ctx.beginPath(); ctx.arc(hit.x, hit.y, 7, 0, 2 * Math.PI); ctx.stroke(); }
    }
    const hit = this.hits[this.cursor];
    if (hit && document.activeElement === this.host) { ctx.strokeStyle = COLOURS.focus; ctx.lineWidth = 3; ctx.beginPath(); ctx.arc(hit.x, hit.y, 10, 0, 2 * Math.PI); ctx.stroke(); }
    if (this.drag && this.drag.moved) {
      const { x0, y0, x1, y1 } = this.drag;
      ctx.fillStyle = COLOURS.band;
      ctx.strokeStyle = COLOURS.focus;
      ctx.lineWidth = 1;
      ctx.fillRect(x0, y0, x1 - x0, y1 - y0);
      ctx.strokeRect(x0, y0, x1 - x0, y1 - y0);
    }
  }

  nearest(x, y, reach = 24) {
    let [best, found] = [reach * reach, -1];
    this.hits.forEach((hit, at) => {
      const far = (hit.x - x) ** 2 + (hit.y - y) ** 2;
      if (far < best) [best, found] = [far, at];
    });
    return found;
  }

  point(event) {
    const box = this.host.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  show(at, event) {
    const hit = this.hits[at];
    hover(hit ? hit.place : -1);
    if (!hit) return hideTip();
    const box = this.host.getBoundingClientRect();
    showTip([...(hit.lines || told(hit.place)), ...(hit.more ? [hit.more()] : [])], event ? event.clientX : box.left + hit.x, event ? event.clientY : box.top + hit.y);
  }

  listen() {
    const host = this.host;
    host.addEventListener("pointermove", (event) => {
      const [x, y] = this.point(event);
      if (!this.drag) return this.show(this.nearest(x, y), event);
      Object.assign(this.drag, { x1: x, y1: y });
      if (Math.hypot(x - this.drag.x0, y - this.drag.y0) > 6) this.drag.moved = true;
      this.drawOver();
    });
    host.addEventListener("pointerleave", () => { if (!this.drag) this.show(-1); });
    host.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      const [x, y] = this.point(event);
      this.drag = { x0: x, y0: y, x1: x, y1: y, moved: false, touch: event.pointerType === "touch", shift: event.shiftKey };
      if (event.pointerType !== "touch" && this.zooms) host.setPointerCapture(event.pointerId);
    });
    host.addEventListener("pointerup", (event) => this.drop(event));
    host.addEventListener("pointercancel", () => { this.drag = null; });
    host.addEventListener("dblclick", () => this.setZoom(null));
    host.addEventListener("keydown", (event) => this.key(event));
    host.addEventListener("blur", () => { this.cursor = -1; hideTip(); this.drawOver(); });
  }

  drop(event) {
    const drag = this.drag;
    this.drag = null;
    if (!drag) return;
    if (!drag.moved) {
      const hit = this.hits[this.nearest(drag.x1, drag.y1)];
      if (hit && hit.place >= 0 && (!drag.touch || this.tapped === hit.place)) openTrial(hit.place);
      this.tapped = hit ? hit.place : -1;  // a second tap opens, the first one tells
      return;
    }
    const [x0, x1] = [Math.min(drag.x0, drag.x1), Math.max(drag.x0, drag.x1)];
    const [y0, y1] = [Math.min(drag.y0, drag.y1), Math.max(drag.y0, drag.y1)];
    if ((this.mode === "select" || drag.shift) && this.selects) {
      const inside = this.hits.filter((hit) => hit.x >= x0 && hit.x <= x1 && hit.y >= y0 && hit.y <= y1 && hit.place >= 0);
      select("drag", inside.length ? inside.map((hit) => hit.place) : null);
    } else if (this.zooms) {
      // A finger that moves up or down scrolls the page; one that begins sideways is ours, and not as exact as a mouse.
      const ends = (scale, a, b) => [scale.invert(a), scale.invert(b)].sort((p, q) => p - q);
      this.setZoom([x1 - x0 > 8 ? ends(this.x, x0, x1) : null, y1 - y0 > (drag.touch ? 40 : 8) ? ends(this.y, y0, y1) : null]);
    }
    this.drawOver();
  }

  key(event) {
    const moves = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
    if (moves[event.key] && this.hits.length) {
      const order = this.hits.map((_, at) => at).sort((a, b) => this.hits[a].x - this.hits[b].x || this.hits[a].y - this.hits[b].y);
      const now = order.indexOf(this.cursor);
      this.cursor = order[(now + moves[event.key] + order.length) % order.length] ?? order[0];
      this.show(this.cursor);
      this.drawOver();
    } else if (event.key === "Enter" && this.hits[this.cursor]) openTrial(this.hits[this.cursor].place);
    else if (event.key === "+" || event.key === "-") this.zoomBy(event.key === "+" ? 0.7 : 1 / 0.7);
    else if (event.key === "0") this.setZoom(null);
    else if (event.key === "Escape") select("drag", null);
    else return;
    event.preventDefault();
  }

  zoomBy(factor) {
    if (!this.box || !this.zooms) return;
    const around = (scale, a, b) => { const [m, h] = [(a + b) / 2, ((b - a) / 2) * factor]; return [scale.invert(m - h), scale.invert(m + h)].sort((p, q) => p - q); };
    this.setZoom([around(this.x, this.box.left, this.box.right), around(this.y, this.box.bottom, this.box.top)]);
  }
}

// What is off the screen is drawn when the browser has nothing else to do, a picture at a time: a screenshot of the whole
// page has all of them, and the page still opens at once.
let drawsLater = false;
function drawLater() {
  if (drawsLater) return;
  drawsLater = true;
  const idle = window.requestIdleCallback || ((does) => setTimeout(does, 50));
  idle(() => {
    drawsLater = false;
    const next = charts.find((chart) => chart.dirty && chart.host.isConnected);
    if (!next) return;
    next.draw();
    drawLater();
  }, { timeout: 400 });
}

function line(ctx, x0, y0, x1, y1, colour, width = 1) {
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.beginPath();
  ctx.moveTo(x0, y0);
  ctx.lineTo(x1, y1);
  ctx.stroke();
}

function fitted(ctx, text, width) {
  text = String(text);
  if (ctx.measureText(text).width <= width) return text;
  while (text.length > 1 && ctx.measureText(`${text}…`).width > width) text = text.slice(0, -1);
  return `${text}…`;
}

when("filter", () => charts.forEach((chart) => chart.redraw()));
when("hover", () => charts.forEach((chart) => { if (chart.visible && chart.box) chart.drawOver(); }));
when("theme", () => charts.forEach((chart) => chart.redraw()));
