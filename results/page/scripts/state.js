// The data, what of them is shown and selected, and who is told when that changes.

const DATA = JSON.parse(byId("data").textContent);
const T = DATA.trials;
const N = T.number.length;
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

const state = {
  off: new Set(), // statuses that are filtered out
  words: "", // what the text filter says
  sets: new Map(), // who selected -> the places of trials; a trial is selected that is in all of them
  hover: -1,
};
const shown = new Uint8Array(N); // passes the filters
const marked = new Uint8Array(N); // shown, and selected where anything is
const listeners = { filter: [], hover: [], theme: [] };
const when = (event, does) => listeners[event].push(does);

function matches(place, words) {
  if (!words.length) return true;
  const texts = [`trial-${T.number[place]}`, String(T.number[place]), T.stage[place], ...DATA.changes.of[place].map(
    ([path, value]) => `${DATA.changes.paths[path]}=${value}`)];
  return words.every((word) => texts.some((text) => text.toLowerCase().includes(word)));
}

function refilter() {
  const words = state.words.toLowerCase().split(/\s+/).filter(Boolean);
  const sets = [...state.sets.values()];
  for (let place = 0; place < N; place++) {
    shown[place] = !state.off.has(statusOf(place)) && matches(place, words) ? 1 : 0;
    marked[place] = shown[place] && sets.every((set) => set.has(place)) ? 1 : 0;
  }
  for (const does of listeners.filter) does();
}

function select(who, places) {
  if (places === null) state.sets.delete(who);
  else state.sets.set(who, new Set(places));
  refilter();
}

function hover(place) {
  if (place === state.hover) return;
  state.hover = place;
  for (const does of listeners.hover) does();
}

// --- colours ---

let COLOURS = {};
function readColours() {
  const style = getComputedStyle(document.documentElement);
  const names = ["paper", "sheet", "line", "grid", "ink", "soft", "faint", "winner", "base", "band", "good", "bad", "warn", "focus"];
  COLOURS = Object.fromEntries([...names, ...DATA.statuses].map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

const WINNER = DATA.winner ? PLACE.get(DATA.winner.trial) ?? -1 : -1;
const BASE = T.is_base.findIndex((is, place) => is && searched(place));
const colourOf = (place) => (place === WINNER ? COLOURS.winner : place === BASE ? COLOURS.base : COLOURS[statusOf(place)]);

const SHAPES = { completed: "circle", stopped: "square", diverged: "triangle", crashed: "cross", infeasible: "diamond",
  plateaued: "dash", running: "ring", interrupted: "plus" };
const shapeOf = (place) => (place === WINNER ? "star" : SHAPES[statusOf(place)]);

function symbol(ctx, shape, x, y, size) {
  ctx.beginPath();
  if (shape === "circle" || shape === "ring") ctx.arc(x, y, size, 0, 2 * Math.PI);
  else if (shape === "square") ctx.rect(x - size * 0.85, y - size * 0.85, size * 1.7, size * 1.7);
  else if (shape === "triangle") { ctx.moveTo(x, y - size * 1.2); ctx.lineTo(x + size * 1.1, y + size * 0.9); ctx.lineTo(x - size * 1.1, y + size * 0.9); ctx.closePath(); }
  else if (shape === "diamond") { ctx.moveTo(x, y - size * 1.3); ctx.lineTo(x + size * 1.3, y); ctx.lineTo(x, y + size * 1.3); ctx.lineTo(x - size * 1.3, y); ctx.closePath(); }
  else if (shape === "star") {
    for (let k = 0; k < 10; k++) {
      const [r, a] = [k % 2 ? size * 0.75 : size * 1.75, (k * Math.PI) / 5 - Math.PI / 2];
      ctx.lineTo(x + r * Math.cos(a), y + r * Math.sin(a));
    }
    ctx.closePath();
  } else {
    const d = size;
    if (shape === "cross") { ctx.moveTo(x - d, y - d); ctx.lineTo(x + d, y + d); ctx.moveTo(x - d, y + d); ctx.lineTo(x + d, y - d); }
    else { ctx.moveTo(x - d * 1.2, y); ctx.lineTo(x + d * 1.2, y); if (shape === "plus") { ctx.moveTo(x, y - d * 1.2); ctx.lineTo(x, y + d * 1.2); } }
    ctx.lineWidth = 2; ctx.stroke(); return;
  }
  if (shape === "ring") { ctx.lineWidth = 2; ctx.stroke(); } else ctx.fill();
}

// What a tooltip says of a trial.
function told(place) {
  const lines = [`Trial ${T.number[place]}${T.is_base[place] ? " (the base)" : place === WINNER ? " (the winner)" : ""}: ${statusOf(place)}`];
  const value = T.value[place] ?? T.last[place];
  if (value !== null) lines.push(`${DATA.objective} ${result(value)}${T.versus[place] !== null && !T.is_base[place] ? `, ${signed(T.versus[place])} vs base` : ""}`);
  if (!searched(place)) lines.push(`${T.stage[place]} run, seed ${valueOf("seed", place)}`);
  const reason = valueOf("reason", place);
  if (reason) lines.push(reason.length > 160 ? `${reason.slice(0, 160)}…` : reason);
  return lines;
}
