// What the drawer says of a trial of one of the campaigns.

const titleOf = (place) => `Trial ${T.number[place]} of ${C[T.campaign[place]].name}${T.is_base[place] ? ", its base" : WINNERS.has(place) ? ", its winner" : ""}`;

function trialParts(place) {
  const rows = changesOf(place).map(([path, base, value, inert]) => {
    const knob = DATA.knobs.find((one) => one.path === path);
    return [el("code", { text: path }), short(base), valueHere(value, inert), knob ? knob.texts[T.campaign[place]] : ""];
  });
  const winner = DATA.winners[T.campaign[place]];
  return [
    ...told(place).slice(1).map((text) => el("p", { text })),
    T.name[place] ? el("p", { text: `The recorded run ${T.name[place]}, trained again.` }) : null,
    T.seed[place] === null ? null : el("p", { text: `Seed ${T.seed[place]}.` }),
    el("h3", { text: "Changed from its base" }),
    rows.length ? table(["knob", "base", "here", "range asked"], rows) : el("p", { class: "note", text: "Nothing: it is the base config." }),
    WINNERS.has(place) && winner.command ? command(winner.command) : null,
    el("p", { class: "note", text: `Its curves and its whole row are on the page of ${C[T.campaign[place]].name}, which python -m results.report writes.` }),
  ].filter(Boolean);
}
