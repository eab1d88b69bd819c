// The best of a search at a larger scale: values of both scales against each other, and their ranks side by side.

function transferSection() {
  const found = DATA.transfer;
  if (!found) return;
  const body = section("transfer", found.lines.join(" "));
  const placeOf = (row) => PLACE.get(row[found.linked]) ?? -1;
  const nameOf = (row) => (row.is_base ? "the base" : `trial ${row.search_trial}`);
  const rows = found.rows.filter((row) => row.search_value !== null && row.value !== null);
  if (rows.length > 1) {
    const host = el("div");
    new Chart(host, {
      label: "The search's values against those at the larger scale", height: 320, selects: false,
      axes: () => {
        const [x, y] = [extent(rows.map((row) => row.search_value), false, 0.08), extent(rows.map((row) => row.value), false, 0.08)];
        return { x: { label: `${DATA.objective} at scale ${found.there}`, low: x[0], high: x[1] }, y: { label: `${DATA.objective} at scale ${found.here}`, low: y[0], high: y[1] } };
      },
      paint: (ctx, c) => {
        for (const row of rows) {
          const [px, py] = [c.x.map(row.search_value), c.y.map(row.value)];
          ctx.fillStyle = ctx.strokeStyle = row.is_base ? COLOURS.ink : COLOURS.completed;
          symbol(ctx, row.is_base ? "diamond" : "circle", px, py, 5);
          c.at(px, py, placeOf(row), [nameOf(row), `${result(row.search_value)} (rank ${row.search_rank}) at scale ${found.there}`, `${result(row.value)} (rank ${row.rank}) at scale ${found.here}`]);
        }
      },
    });
    body.append(host);
  }
  body.append(table(["in the search", { n: "rank" }, { n: found.there }, { n: "vs base" }, { n: "rank" }, { n: found.here }, { n: "vs base" }, { n: "on fresh seeds" }, "verdict"],
    found.rows.map((row) => [placeOf(row) < 0 ? nameOf(row) : link(placeOf(row), nameOf(row)), { n: row.search_rank ?? "–" }, { n: result(row.search_value) }, { n: signed(row.search_versus_base) },
      { n: row.rank ?? "–" }, { n: result(row.value) }, { n: signed(row.versus_base) }, { n: row.low === null ? "–" : `${signed(row.difference)} (${signed(row.low)} .. ${signed(row.high)})` }, row.verdict || "–"])));
  if (found.where) body.append(el("p", { class: "note", text: found.where }));
}
