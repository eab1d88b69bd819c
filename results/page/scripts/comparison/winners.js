// The winner of each campaign against its own base, with its command and what it changes.

function winnersSection() {
  const known = DATA.winners.map((winner, campaign) => ({ ...winner, campaign, place: winner ? placeOf(campaign, winner.trial) : -1 })).filter((winner) => winner.trial !== undefined);
  if (!known.length) return;
  const body = section("winners", "Each against the base of its own campaign: in the search, single runs of one seed, and on fresh seeds, pairs with the base and the 95 % interval, where a confirmation tried it.");
  const tried = (winner) => winner.difference !== null;
  const judged = known.filter((winner) => tried(winner) || winner.versus_base !== null);
  if (judged.length) {
    const host = el("div");
    intervals(host, judged.map((winner) => ({ name: C[winner.campaign].name, middle: tried(winner) ? winner.difference : winner.versus_base, low: winner.low, high: winner.high, place: winner.place,
      colour: winner.confirmed ? "winner" : "soft", shape: tried(winner) ? "diamond" : "ring",
      lines: [`Trial ${winner.trial} of ${C[winner.campaign].name}: ${tried(winner) ? `${signed(winner.difference)} vs its base, on fresh seeds` : `${signed(winner.versus_base)} vs its base, single runs`}`, ...(winner.low === null ? [] : [`95 %: ${signed(winner.low)} to ${signed(winner.high)}`]), winner.said] })),
      { label: "Winners against their bases", axis: "minus its own base (left is better)" });
    body.append(host, legend([["winner", "confirmed on fresh seeds", "diamond"], ["soft", "tried there, not confirmed", "diamond"], ["soft", "single runs of the search", "ring"]]));
  }
  body.append(table(["campaign", "trial", { n: "value" }, { n: "vs its base, single runs" }, { n: "on fresh seeds" }, { n: "95 % interval" }, "verdict"], known.map((winner) => [C[winner.campaign].name, winner.place < 0 ? String(winner.trial) : link(winner.place),
    { n: result(winner.value) }, { n: signed(winner.versus_base) }, { n: signed(winner.difference) }, { n: winner.low === null ? "–" : `${signed(winner.low)} .. ${signed(winner.high)}` }, winner.said])));
  changesBeside(body, known);
  for (const winner of known) if (winner.command) body.append(el("p", { class: "hint", text: `${C[winner.campaign].name}: ${winner.command_heading}` }), command(winner.command));
}

// What any of the winners changes, a row a knob.
function changesBeside(body, known) {
  const placed = known.filter((winner) => winner.place >= 0);
  const all = placed.map((winner) => new Map(changesOf(winner.place).map(([path, , value, inert]) => [path, valueHere(value, inert)])));
  const paths = [...new Set(all.flatMap((found) => [...found.keys()]))];
  if (!paths.length) return;
  const list = table(["changed from its base", ...placed.map((winner) => C[winner.campaign].name)], paths.map((path) => [el("code", { text: path }), ...all.map((found) => (found.has(path) ? found.get(path) : "–"))]));
  body.append(el("details", { open: paths.length <= 12 }, el("summary", { text: `What they change: ${plural(paths.length, "knob")}` }), list));
}
