// Puts the page together, in the order of the questions that it answers.

function statusFilters() {
  const count = (group) => T.number.filter((_, place) => groupOf(place) === group).length;
  const all = (id) => (DATA.part && DATA.part.totals[id] > count(id) ? ` of ${DATA.part.totals[id].toLocaleString("en-US")}` : "");
  const group = (id, text, title) => ({ id, text: `${text} ${count(id).toLocaleString("en-US")}${all(id)}`, title, colour: id, shape: SHAPES[id] });
  const groups = [...DATA.statuses.map((status) => group(status, status, `Show or hide trials of the search that are ${status}`)),
    ...Object.entries(STAGES).map(([stage, name]) => group(stage, `${name} runs`, `Show or hide the runs of the ${name}`))];
  filters(groups.filter((one) => count(one.id)));
}

// What is said where not all trials are on the page: once in full, and at each picture and table of trials.
function partly() {
  if (!DATA.part) return;
  byId("facts").after(el("p", { class: "note", id: "part", text: DATA.part.said }));
  for (const id of ["progress", "front", "curves", "parallel", "scatter", "slots", "trials", "failures"]) {
    byId(id).querySelector(".body").prepend(el("p", { class: "note", text: DATA.part.in_short }));
  }
}

beginTheme();
for (const make of [verdictSection, winnerSection, statusFilters, progressSection, frontSection, curvesSection, confirmationSection, transferSection, replaySection, effectsSection,
  importanceSection, parallelSection, scatterSection, slotsSection, trialsSection, failuresSection, lists, partly]) make();
refilter();
beginDrawer();
