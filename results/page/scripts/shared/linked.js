// What is shown and selected of the trials of a page, and who is told when that changes. Each page says what groups its
// trials (groupOf) and which texts a filter finds them by (textsOf).

const DATA = JSON.parse(byId("data").textContent);
const T = DATA.trials;
const N = T.number.length;

const state = {
  off: new Set(), // groups that are filtered out
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
  const texts = textsOf(place);
  return words.every((word) => texts.some((text) => text.toLowerCase().includes(word)));
}

function refilter() {
  const words = state.words.toLowerCase().split(/\s+/).filter(Boolean);
  const sets = [...state.sets.values()];
  for (let place = 0; place < N; place++) {
    shown[place] = !state.off.has(groupOf(place)) && matches(place, words) ? 1 : 0;
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
