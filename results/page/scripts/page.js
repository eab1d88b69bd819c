// Puts the page together, in the order of the questions that it answers.

function theme(name) {
  document.documentElement.dataset.theme = name;
  byId("theme").textContent = name === "dark" ? "Light" : "Dark";
  readColours();
  for (const does of listeners.theme) does();
}

function remembered() {
  try { return localStorage.getItem("theme"); } catch { return null; } // a page from a file may have none
}

const prefers = matchMedia("(prefers-color-scheme: dark)");
theme(remembered() || (prefers.matches ? "dark" : "light"));
prefers.addEventListener("change", () => { if (!remembered()) theme(prefers.matches ? "dark" : "light"); });
byId("theme").addEventListener("click", () => {
  const name = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  try { localStorage.setItem("theme", name); } catch { /* it lasts as long as the page */ }
  theme(name);
});

for (const make of [verdictSection, winnerSection, filters, progressSection, frontSection, curvesSection, confirmationSection, replaySection, effectsSection,
  importanceSection, parallelSection, scatterSection, slotsSection, trialsSection, failuresSection, lists]) make();
refilter();

byId("trial").addEventListener("close", leaveTrial);
byId("trial").addEventListener("click", (event) => { if (event.target === byId("trial")) byId("trial").close(); });
addEventListener("hashchange", fromAddress);
fromAddress();

let before = null;
addEventListener("beforeprint", () => {
  before = document.documentElement.dataset.theme;
  theme("light");
  for (const chart of charts) chart.draw();
});
addEventListener("afterprint", () => theme(before));
