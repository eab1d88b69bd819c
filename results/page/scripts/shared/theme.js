// Light or dark, as the reader or their system says; light on paper.

function theme(name) {
  document.documentElement.dataset.theme = name;
  byId("theme").textContent = name === "dark" ? "Light" : "Dark";
  readColours();
  for (const does of listeners.theme) does();
}

function remembered() {
  try { return localStorage.getItem("theme"); } catch { return null; } // a page from a file may have none
}

function beginTheme() {
  const prefers = matchMedia("(prefers-color-scheme: dark)");
  theme(remembered() || (prefers.matches ? "dark" : "light"));
  prefers.addEventListener("change", () => { if (!remembered()) theme(prefers.matches ? "dark" : "light"); });
  byId("theme").addEventListener("click", () => {
    const name = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    try { localStorage.setItem("theme", name); } catch { /* it lasts as long as the page */ }
    theme(name);
  });
  let undo = () => {};
  addEventListener("beforeprint", () => { undo(); undo = onPaper(); });
  addEventListener("afterprint", () => { undo(); undo = () => {}; });
}

const MOST_ROWS_ON_PAPER = 60;

// Light, as narrow as a sheet before the pictures are drawn, and with short closed parts open; returns what undoes it.
function onPaper() {
  const before = document.documentElement.dataset.theme;
  document.documentElement.classList.add("paper");
  const opened = [...document.querySelectorAll("main details:not([open])")].filter((part) => part.querySelectorAll("tr").length <= MOST_ROWS_ON_PAPER && !part.querySelector(".tools"));
  for (const part of opened) part.open = true;
  theme("light");
  for (const chart of charts) chart.draw();
  return () => {
    document.documentElement.classList.remove("paper");
    for (const part of opened) part.open = false;
    theme(before);
  };
}
