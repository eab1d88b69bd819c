// A row a name: its value with an interval, beside zero and a band.

function intervals(host, rows, options) {
  return new Chart(host, {
    label: options.label, height: 54 + Math.max(2, rows.length) * 26, selects: false, margin: { left: 62, right: 16, top: 8, bottom: 42 },
    axes: () => {
      const [low, high] = extent([0, ...rows.flatMap((row) => [row.middle, row.low, row.high]), ...(options.band ? [options.band, -options.band] : [])], false, 0.05);
      return { x: { label: options.axis, low: options.floor ?? low, high }, y: { labels: rows.map((row) => row.name), down: true } };
    },
    paint: (ctx, c) => {
      if (options.band) { ctx.fillStyle = COLOURS.band; ctx.fillRect(c.x.map(-options.band), c.box.top, c.x.map(options.band) - c.x.map(-options.band), c.box.bottom - c.box.top); }
      line(ctx, c.x.map(0), c.box.top, c.x.map(0), c.box.bottom, COLOURS.ink, 1);
      rows.forEach((row, at) => {
        const y = c.y.map(at);
        const colour = COLOURS[row.colour] || COLOURS.soft;
        ctx.globalAlpha = row.place >= 0 && !marked[row.place] ? 0.25 : 1;
        if (options.bars && row.middle !== null) { ctx.fillStyle = colour; ctx.globalAlpha *= 0.55; ctx.fillRect(c.x.map(0), y - 7, c.x.map(row.middle) - c.x.map(0), 14); ctx.globalAlpha = 1; }
        if (row.low !== null && row.low !== undefined) line(ctx, c.x.map(row.low), y, c.x.map(row.high), y, options.bars ? COLOURS.ink : colour, 2);
        if (row.middle !== null) { ctx.fillStyle = colour; ctx.strokeStyle = colour; if (!options.bars) symbol(ctx, row.shape || "circle", c.x.map(row.middle), y, 5); c.at(c.x.map(row.middle), y, row.place ?? -1, row.lines); }
        ctx.globalAlpha = 1;
      });
    },
  });
}
