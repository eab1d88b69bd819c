// Puts the page together, in the order of the questions that it answers.

function campaignFilters() {
  filters(C.map((one, campaign) => ({ id: campaign, text: `${one.name} ${PLACES_OF[campaign].length.toLocaleString("en-US")}`, title: `Show or hide the trials of ${one.name}`,
    colour: colourName(campaign), shape: SERIES[campaign % SERIES.length] })));
}

function commandsSection() {
  if (!DATA.commands.length) return;
  const body = section("reproduce");
  for (const [label, line] of DATA.commands) body.append(el("p", { class: "hint", text: label }), command(line));
}

beginTheme();
for (const make of [sideSection, campaignFilters, boardsSection, winnersSection, noiseSection, knobsSection, commandsSection]) make();
refilter();
beginDrawer();
