// The trials of several campaigns: their place, campaign, colour, and what is said of each.

const C = DATA.campaigns;
const COLOURS_OF_SERIES = 8;
const SERIES = ["circle", "square", "triangle", "diamond", "cross", "ring", "plus"];
const DASHES = [[], [7, 4], [2, 3], [9, 3, 2, 3]];
const MORE_COLOURS = Array.from({ length: COLOURS_OF_SERIES }, (_, at) => `series-${at}`);

// Campaigns are told apart by colour, symbol and dashes together.
const colourName = (campaign) => `series-${campaign % COLOURS_OF_SERIES}`;
const colourOf = (place) => COLOURS[colourName(T.campaign[place])];
const shapeOf = (place) => SERIES[T.campaign[place] % SERIES.length];
const dashOf = (campaign) => DASHES[campaign % DASHES.length];

const groupOf = (place) => T.campaign[place];
const isLater = () => false; // only trials of searches and replays are here,
const isProposal = () => false; // and only those that completed
const addressOf = (place) => `trial-${T.campaign[place] + 1}-${T.number[place]}`;
const ADDRESSES = new Map(T.number.map((_, place) => [addressOf(place), place]));
const placeOf = (campaign, number) => ADDRESSES.get(`trial-${campaign + 1}-${number}`) ?? -1;
const PLACES_OF = C.map((_, campaign) => T.number.map((_, place) => place).filter((place) => T.campaign[place] === campaign));
const WINNERS = new Set(DATA.winners.map((winner, campaign) => (winner ? placeOf(campaign, winner.trial) : -1)));

// What a trial changes: [path, the base's value, its value, whether that has no effect there].
function changesOf(place) {
  const own = DATA.changes[T.campaign[place]];
  const at = place - PLACES_OF[T.campaign[place]][0];
  return own.of[at].map(([path, value]) => [own.paths[path], own.base[path], value, own.inert[at].includes(path)]);
}

const textsOf = (place) => [String(T.number[place]), C[T.campaign[place]].name, T.name[place] || "", ...changesOf(place).map(([path, , value]) => `${path}=${value}`)];

function changed(place, most = 4) {
  if (T.is_base[place]) return "(the base config)";
  const found = changesOf(place).map(([path, , value]) => `${path}=${short(value)}`);
  return (T.name[place] ? `${T.name[place]}: ` : "") + someOf(found, most);
}

// What a tooltip says of a trial.
function told(place) {
  const lines = [`Trial ${T.number[place]} of ${C[T.campaign[place]].name}${T.is_base[place] ? " (its base)" : WINNERS.has(place) ? " (its winner)" : ""}`];
  lines.push(`${DATA.rulers[T.ruler[place]].objective} ${result(T.value[place])}${T.versus[place] !== null ? `, ${signed(T.versus[place])} vs its base` : ""}`);
  if (T.rank[place] !== null) lines.push(`rank ${T.rank[place]} on its ruler`);
  if (T.why[place]) lines.push(`not ranked: ${T.why[place]}`);
  return lines;
}

const series = (campaigns, kind) => legend(campaigns.map((campaign) => [colourName(campaign), C[campaign].name, kind || SERIES[campaign % SERIES.length], dashOf(campaign)]));
