// Puts the page together, in the order of the questions that it answers.

function statusFilters() {
  const count = (group) => T.number.filter((_, place) => groupOf(place) === group).length;
  const group = (id, text, title) => ({ id, text: `${text} ${count(id).toLocaleString("en-US")}`, title, colour: id, shape: SHAPES[id] });
  const groups = [...DATA.statuses.map((status) => group(status, status, `Show or hide trials of the search that are ${status}`)),
    ...Object.entries(STAGES).map(([stage, name]) => group(stage, `${name} runs`, `Show or hide the runs of the ${name}`))];
  filters(groups.filter((one) => count(one.id)));
}

beginTheme();
for (const make of [verdictSection, winnerSection, statusFilters, progressSection, frontSection, curvesSection, confirmationSection, transferSection, replaySection, effectsSection,
  importanceSection, parallelSection, scatterSection, slotsSection, trialsSection, failuresSection, lists]) make();
refilter();
beginDrawer();
