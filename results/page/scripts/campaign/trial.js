// What the drawer says of a trial: its config as a difference to the base, its curves, its row.

const titleOf = (place) => `Trial ${T.number[place]}${T.is_base[place] ? ", the base" : place === WINNER ? ", the winner" : ""}: ${statusOf(place)}`;

const FIRST_CURVES = 3; // in a trial's drawer before "more": its score, its loss, its gradients

function trialParts(place) {
  const parts = [el("p", {}, told(place).slice(1, 2).join(" ") || "It has no value.")];
  const reason = valueOf("reason", place);
  if (reason) parts.push(el("p", { class: "reason", text: `${statusOf(place) === "stopped" ? "Stopped at " : "Why: "}${reason}${cutText(place) ? `; ${cutText(place)}` : ""}` }));
  const family = relatives(place);
  if (family.length) parts.push(el("p", {}, "Other runs of this config: ", family.flatMap((other, at) => [at ? ", " : "", link(other), ` (seed ${valueOf("seed", other)}, ${T.value[other] === null ? statusOf(other) : result(T.value[other])})`]), "."));
  const rows = changeRows(place);
  parts.push(el("h3", { text: "Changed from the base" }), rows.length ? changesTable("knob", rows) : el("p", { class: "note", text: "Nothing: it is the base config." }));
  const own = CURVES.map((curve, measure) => ({ curve, measure })).filter(({ curve }) => curve.of[place]);
  own.slice(0, FIRST_CURVES).forEach((one) => parts.push(...curveParts(one, place)));
  if (own.length) parts.push(legend([["winner", "winner", "line"], ["base", "base", "line"]]));
  if (own.length > FIRST_CURVES) parts.push(moreCurves(own.slice(FIRST_CURVES), place));
  const row = DATA.columns.map((column) => ({ ...column, found: column.values ? column.values[place] : column.value })).filter((column) => column.found !== null);
  parts.push(el("h3", { text: "Its row" }), table(["column", "value", "unit", "meaning"], row.map((column) => [el("code", { text: column.name }), { class: "long", n: typeof column.found === "number" ? String(column.found) : String(column.found) }, column.unit, column.meaning])));
  return parts;
}

// The heading and chart of one measure of a trial, beside the winner and the base.
function curveParts({ curve, measure }, place) {
  const host = el("div");
  lineChart(host, { measure, tokens: false, logx: false, logy: false, own: place, rungs: true }, (other) => other === place || other === WINNER || other === BASE, { height: 240, selects: false });
  return [el("h3", { text: curve.name + (curve.window && smoothing ? `: running median of ${curve.window} points` : "") }), host];
}

// The measures that few look at, drawn when they are opened.
function moreCurves(own, place) {
  const kinds = [...new Set(own.map(({ curve }) => curve.name.split(".")[0]))].join(", ");
  const details = el("details", {}, el("summary", { text: `${own.length} more: ${kinds}` }));
  details.addEventListener("toggle", () => {
    if (details.open && details.childElementCount === 1) own.forEach((one) => details.append(...curveParts(one, place)));
  });
  return details;
}

// Runs of the same config on other seeds.
function relatives(place) {
  const [key, arm] = [valueOf("key", place), valueOf("arm", place)];
  const family = arm || key;
  return T.number.map((_, other) => other).filter((other) => other !== place && family && (valueOf("arm", other) === family || valueOf("key", other) === family));
}
