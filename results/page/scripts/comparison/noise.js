// How far two runs of one config lie apart in each campaign, by the seed alone.

function noiseSection() {
  const body = section("noise", DATA.noise.length ? "The standard deviation of a single run with its 95 % interval, by the source that tells it. Runs that differ by less than the last column are not told apart." : "Unknown in all of them, for want of runs of one config on several seeds.");
  if (!DATA.noise.length) return;
  const host = el("div");
  intervals(host, DATA.noise.map((row) => ({ name: `${C[row.campaign].name}: ${row.source}`, middle: row.sd, low: row.low, high: row.high, place: -1, colour: colourName(row.campaign), shape: SERIES[row.campaign % SERIES.length],
    lines: [`${C[row.campaign].name}: SD ${result(row.sd)}`, `95 %: ${result(row.low)} to ${result(row.high)}`, `${row.source} (${row.size})`] })),
    { label: "Noise of a run in each campaign", axis: "standard deviation of a run", floor: 0 });
  body.append(host, table(["campaign", { n: "SD" }, { n: "95 % interval" }, { n: "degrees of freedom" }, "from", { n: "told apart from" }], DATA.noise.map((row) => [C[row.campaign].name, { n: result(row.sd) }, { n: `${result(row.low)} .. ${result(row.high)}` }, { n: row.degrees ?? "–" }, `${row.source} (${row.size})`, { n: result(row.smallest) }])));
  const without = C.filter((_, campaign) => !DATA.noise.some((row) => row.campaign === campaign)).map((one) => one.name);
  if (without.length) body.append(el("p", { class: "note", text: `Unknown in ${without.join(", ")}: no config was run there on two seeds.` }));
}
