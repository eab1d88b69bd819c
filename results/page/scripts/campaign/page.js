// Puts the page together, in the order of the questions that it answers.

function statusFilters() {
  const counts = DATA.statuses.map((_, at) => T.status.filter((status) => status === at).length);
  filters(DATA.statuses.map((status, at) => ({ id: status, text: `${status} ${counts[at].toLocaleString("en-US")}`, title: `Show or hide trials that are ${status}`,
    colour: status, shape: SHAPES[status] })).filter((_, at) => counts[at]));
}

beginTheme();
for (const make of [verdictSection, winnerSection, statusFilters, progressSection, frontSection, curvesSection, confirmationSection, replaySection, effectsSection,
  importanceSection, parallelSection, scatterSection, slotsSection, trialsSection, failuresSection, lists]) make();
refilter();
beginDrawer();
