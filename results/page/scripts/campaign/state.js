// The trials of one campaign: their place, status, group, colour, and what is said of each.

const PLACE = new Map(T.number.map((number, place) => [number, place]));
const COLUMN = new Map(DATA.columns.map((column) => [column.name, column]));
const statusOf = (place) => DATA.statuses[T.status[place]];
const searched = (place) => T.stage[place] === "search";
const valueOf = (name, place) => {
  const column = COLUMN.get(name);
  return column === undefined ? null : column.values ? column.values[place] : column.value;
};

// The curves of a measure by place: [steps, tokens, values].
const CURVES = DATA.curves.measures.map((measure) => ({ ...measure,
  of: Object.fromEntries(Object.entries(measure.of).map(([place, [axis, values]]) => [place, [...DATA.curves.axes[axis], values]])) }));

// Groups that the filter knows: a trial of the search by how it ended, any other run by what it is for.
const STAGES = { confirm: "confirmation", ablate: "ablation" };
const ARMS = ["arm-0", "arm-1", "arm-2", "arm-3"]; // of candidates side by side: no colours of statuses
const MORE_COLOURS = [...DATA.statuses, ...Object.keys(STAGES), ...ARMS];
const isLater = (place) => !searched(place);
const isProposal = (place) => T.untrained[place]; // values that make no valid run: no trial, and no failure of one
const groupOf = (place) => (searched(place) ? statusOf(place) : T.stage[place]);
const addressOf = (place) => `trial-${T.number[place]}`;
const ADDRESSES = new Map(T.number.map((_, place) => [addressOf(place), place]));

function textsOf(place) {
  return [addressOf(place), String(T.number[place]), T.stage[place], ...DATA.changes.of[place].map(([path, value]) => `${DATA.changes.paths[path]}=${value}`)];
}

const WINNER = DATA.winner ? PLACE.get(DATA.winner.trial) ?? -1 : -1;
const BASE = T.is_base.findIndex((is, place) => is && searched(place));
const colourOf = (place) => (place === WINNER ? COLOURS.winner : place === BASE ? COLOURS.base : COLOURS[groupOf(place)]);

const SHAPES = { completed: "circle", stopped: "square", diverged: "triangle", crashed: "cross", infeasible: "diamond",
  plateaued: "dash", running: "ring", interrupted: "plus", confirm: "box", ablate: "frame" };
const shapeOf = (place) => (place === WINNER ? "star" : SHAPES[groupOf(place)]);

// A legend's items of these trials, by how they ended; as lines where `kind` says so.
function fates(places, kind) {
  const plain = places.filter((place) => place !== WINNER && place !== BASE);
  const groups = [...new Set(plain.map(groupOf))].sort((a, b) => MORE_COLOURS.indexOf(a) - MORE_COLOURS.indexOf(b));
  const items = groups.map((group) => [group, STAGES[group] || group, kind || SHAPES[group]]);
  if (BASE !== WINNER && places.includes(BASE)) items.push(["base", "the base", kind || SHAPES[groupOf(BASE)]]);
  if (WINNER >= 0 && places.includes(WINNER)) items.push(["winner", WINNER === BASE ? "the base, which is ahead" : DATA.winner.confirmed ? "the winner" : "the best so far", kind || "star"]);
  return items;
}

// What a stopped trial's value does not say: its rate was still to fall.
const cutText = (place) => (T.cut[place] === null ? "" : `its schedule had not finished: ${short(T.rung[place])} of ${short(T.cut[place])} ${valueOf("budget_unit", place)}`);

// What a tooltip says of a trial.
function told(place) {
  const lines = [`Trial ${T.number[place]}${T.is_base[place] ? " (the base)" : place === WINNER ? " (the winner)" : ""}: ${statusOf(place)}`];
  const value = T.value[place] ?? T.last[place];
  if (value !== null) lines.push(`${DATA.objective} ${result(value)}${T.versus[place] !== null && !T.is_base[place] ? `, ${signed(T.versus[place])} vs base` : ""}`);
  if (!searched(place)) lines.push(`${T.stage[place]} run, seed ${valueOf("seed", place)}`);
  const reason = valueOf("reason", place);
  if (reason) lines.push(reason.length > 160 ? `${reason.slice(0, 160)}…` : reason);
  if (cutText(place)) lines.push(cutText(place));
  return lines;
}
