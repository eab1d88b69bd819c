// Slots over time: a bar a trial, in the lane of the place where it ran.

function slotsSection() {
  const slots = DATA.slots;
  if (!slots) return;
  const sums = slots.sums;
  const busy = sums.reduce((a, b) => a + b, 0);
  const idle = Math.max(0, slots.seconds * slots.lanes.length - busy);
  const share = (seconds) => `${((100 * seconds) / Math.max(1e-9, busy + idle)).toFixed(1)} %`;
  const said = slots.parts.map((part, at) => (sums[at] > 0 ? `${part} ${share(sums[at])}` : "")).filter(Boolean).join(", ");
  const body = section("slots", `From ${slots.start}, ${duration(slots.seconds)} on ${plural(slots.lanes.length, "slot")}: ${said}, idle ${share(idle)}. Dark is training, light is all else. Bars go from a run's start to its end by the driver's clock; the seconds of a trial elsewhere here are by its worker's, from the start of its work.`);
  const host = el("div");
  const chart = new Chart(host, {
    label: "Slots over time", height: Math.min(900, 70 + 34 * slots.lanes.length), margin: { left: 62, right: 14, top: 10, bottom: 42 },
    axes: () => ({ x: { label: "time since the first start", low: 0, high: slots.seconds, format: duration, time: true }, y: { labels: slots.lanes, down: true } }),
    paint: (ctx, c) => {
      const thick = Math.max(3, Math.min(24, (c.box.bottom - c.box.top) / slots.lanes.length - 6));
      for (const [place, lane, start, end, parts] of slots.bars) {
        if (!shown[place]) continue;
        const [x0, x1, y] = [c.x.map(start), c.x.map(end), c.y.map(lane) - thick / 2];
        ctx.fillStyle = colourOf(place);
        ctx.globalAlpha = marked[place] ? 0.4 : 0.08;
        ctx.fillRect(x0, y, Math.max(1, x1 - x0 - 0.7), thick);
        ctx.globalAlpha = marked[place] ? 0.95 : 0.12;
        const setup = parts[slots.parts.indexOf("set-up")] || 0;
        const from = c.x.map(start + setup);
        ctx.fillRect(from, y, Math.max(0.5, c.x.map(start + setup + parts[slots.parts.indexOf("training")]) - from - 0.7), thick);
        if (x1 - x0 > 26 && thick > 12) { ctx.globalAlpha = 1; ctx.fillStyle = COLOURS.paper; ctx.textAlign = "center"; ctx.textBaseline = "middle"; ctx.fillText(String(T.number[place]), (x0 + x1) / 2, y + thick / 2); }
        c.at((x0 + x1) / 2, y + thick / 2, place, [...told(place).slice(0, 2), slots.parts.map((part, at) => (parts[at] ? `${part} ${duration(parts[at])}` : "")).filter(Boolean).join(", ")]);
        const made = c.hits.at(-1);
        if (made && made.place === place) Object.assign(made, { x0, x1, y0: y, y1: y + thick });
      }
      ctx.globalAlpha = 1;
    },
  });
  chart.nearest = (x, y) => chart.hits.findIndex((hit) => x >= hit.x0 - 1 && x <= hit.x1 + 1 && y >= hit.y0 - 3 && y <= hit.y1 + 3);
  body.append(el("div", { class: "tools" }, chart.tools()), host);
}
