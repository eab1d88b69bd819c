// Stairs, bands and legends.

function steps(ctx, c, xs, ys, colour, dash, width, end = c.box.right) {
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.setLineDash(dash);
  ctx.beginPath();
  let before = null;
  xs.forEach((x, at) => {
    if (ys[at] === null) return;
    const [px, py] = [c.x.map(x), c.y.map(ys[at])];
    if (before === null) ctx.moveTo(px, py);
    else { ctx.lineTo(px, before); ctx.lineTo(px, py); }
    before = py;
  });
  if (before !== null) ctx.lineTo(end, before);
  ctx.stroke();
  ctx.setLineDash([]);
}

// Between two stairs.
function band(ctx, c, xs, lows, highs, colour, end = c.box.right) {
  const known = xs.map((_, at) => at).filter((at) => lows[at] !== null && highs[at] !== null);
  if (known.length < 2) return;
  ctx.fillStyle = colour;
  ctx.beginPath();
  const edge = (ends, at) => c.y.map(ends[at]);
  known.forEach((at, number) => {
    if (number) ctx.lineTo(c.x.map(xs[at]), edge(highs, known[number - 1]));
    ctx.lineTo(c.x.map(xs[at]), edge(highs, at));
  });
  ctx.lineTo(end, edge(highs, known.at(-1)));
  ctx.lineTo(end, edge(lows, known.at(-1)));
  known.reverse().forEach((at, number) => {
    ctx.lineTo(c.x.map(xs[at]), edge(lows, at));
    if (number < known.length - 1) ctx.lineTo(c.x.map(xs[at]), edge(lows, known[number + 1]));
  });
  ctx.fill();
}

// What lines and points mean: [colour, text, line | dash | area | a symbol, its dashes].
function legend(items) {
  return el("div", { class: "tools legend" }, items.map(([colour, text, kind, dash = [9, 7]]) => {
    const mark = el("canvas", { width: 48, height: 28 });
    mark.style.width = "24px";
    mark.style.height = "14px";
    const draw = () => {
      const ctx = mark.getContext("2d");
      ctx.clearRect(0, 0, 48, 28);
      ctx.fillStyle = ctx.strokeStyle = COLOURS[colour];
      if (kind === "line" || kind === "dash") { ctx.setLineDash(kind === "dash" ? dash : []); line(ctx, 2, 14, 46, 14, COLOURS[colour], 4); }
      else if (kind === "area") ctx.fillRect(2, 4, 44, 20);
      else symbol(ctx, kind, 24, 14, 8);
    };
    when("theme", draw);
    draw();
    return el("label", {}, mark, text);
  }));
}
