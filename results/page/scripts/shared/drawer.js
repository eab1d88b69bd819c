// A trial in a drawer, opened by its address: #trial-17. Each page says what stands in it (titleOf, trialParts).

function openTrial(place) {
  if (place < 0) return;
  const hash = `#${addressOf(place)}`;
  if (location.hash === hash) showTrial(place);
  else location.hash = hash;
}

function fromAddress() {
  const place = ADDRESSES.get(location.hash.slice(1));
  if (place !== undefined) showTrial(place);
  else if (byId("trial").open) byId("trial").close();
}

function leaveTrial() {
  if (/^#trial-/.test(location.hash)) history.replaceState(null, "", location.pathname + location.search);
}

function showTrial(place) {
  const dialog = byId("trial");
  hideTip();
  for (const chart of [...charts]) if (dialog.contains(chart.host)) charts.splice(charts.indexOf(chart), 1);
  const step = (by) => el("button", { type: "button", text: by < 0 ? "‹ Previous" : "Next ›", disabled: place + by < 0 || place + by >= N, on: { click: () => openTrial(place + by) } });
  const close = el("button", { type: "button", text: "Close", on: { click: () => dialog.close() } });
  dialog.replaceChildren(el("div", { class: "head" }, el("h2", { id: "trial-title", tabindex: "-1", autofocus: true, text: titleOf(place) }), step(-1), step(1), close), ...trialParts(place));
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
}

function beginDrawer() {
  byId("trial").addEventListener("close", leaveTrial);
  byId("trial").addEventListener("click", (event) => { if (event.target === byId("trial")) byId("trial").close(); });
  addEventListener("hashchange", fromAddress);
  fromAddress();
}
