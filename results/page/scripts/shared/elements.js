// Elements and texts. Everything that comes from a campaign is set as text, never as HTML.

function el(tag, options, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(options || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") for (const [event, does] of Object.entries(value)) node.addEventListener(event, does);
    else if (name === "text") node.textContent = value;
    else if (name === "class") node.className = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

const byId = (id) => document.getElementById(id);

// The body of a section, which is shown with this.
function section(id, hint) {
  const whole = byId(id);
  whole.hidden = false;
  const said = whole.querySelector(".hint");
  if (said && hint !== undefined) said.textContent = hint;
  return whole.querySelector(".body");
}

function trimmed(text) {
  return text.includes(".") && !text.includes("e") ? text.replace(/\.?0+$/, "") : text;
}

// A number of any size in few characters.
function short(value) {
  if (value === null || value === undefined) return "–";
  if (typeof value !== "number") return String(value);
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e7) return value.toLocaleString("en-US");
  if (size >= 1e6) return value.toExponential(2).replace("e+", "e");
  return size < 1e-3 ? trimmed(value.toExponential(2).replace(/\.?0+e/, "e")) : trimmed(value.toPrecision(4));
}

const minus = (text) => text.replace("-", "−");
// 4 decimals, and 3 significant digits below 0.001, as in the text (terminal/short.py).
const decimals = (value) => {
  if (value === 0 || Math.abs(value) >= 1e-3) return value.toFixed(4);
  return Math.abs(value) < 1e-4 ? value.toExponential(2).replace(/\.?0+e/, "e") : String(Number(value.toPrecision(3)));
};
const result = (value) => (value === null || value === undefined ? "–" : minus(decimals(value)));
const signed = (value) =>
  value === null || value === undefined ? "–" : (value > 0 ? "+" : "") + minus(decimals(value));

// What formats the cells of a column alike, by as many decimals as its values take, as in the text (in_column there).
function inColumn(values, form) {
  let [largest, smallest] = [0, Infinity];
  for (const size of values.map(Math.abs)) {
    if (!Number.isFinite(size) || size === 0) continue;
    [largest, smallest] = [Math.max(largest, size), Math.min(smallest, size)];
  }
  if (!largest) [largest, smallest] = [1, 1];
  const ofLargest = largest >= 1e-3 ? 4 : 2 - Math.floor(Math.log10(largest));
  const places = Math.max(ofLargest, Math.min(-Math.floor(Math.log10(smallest)), 6));
  if (places > 9) return form;
  return (value) => (value === null || value === undefined ? "–" : (form === signed && value > 0 ? "+" : "") + minus(value.toFixed(places)));
}

function duration(seconds) {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  if (hours) return minutes ? `${hours} h ${minutes} min` : `${hours} h`;
  return whole % 60 ? `${minutes} min ${whole % 60} s` : `${minutes} min`;
}

const plural = (number, noun) => `${number.toLocaleString("en-US")} ${noun}${number === 1 ? "" : "s"}`;

// A value of a change, marked where the change has no effect in its trial.
const valueHere = (value, inert) => (inert ? `${short(value)} (changes nothing here)` : short(value));

// As many changes as a table has room for, and how many are left out.
const someOf = (changes, most) => changes.slice(0, most).join(", ") + (changes.length > most ? ` +${changes.length - most} more` : "");

function link(place, text) {
  return el("a", { href: `#${addressOf(place)}`, text: text ?? String(T.number[place]) });
}

// A table of rows of cells: a text, a node, or {n: number's text} for one that is set to the right.
function table(heads, rows, classes) {
  const cell = (tag, found) => {
    if (found instanceof Node) return el(tag, {}, found);
    if (found && typeof found === "object") return el(tag, { class: found.class || "n" }, found.node || String(found.n));
    return el(tag, { text: found ?? "–" });
  };
  const body = el("tbody", {}, rows.map((row, at) => el("tr", { class: classes && classes[at] }, row.map((c) => cell("td", c)))));
  return el("div", { class: "scrolls" }, el("table", {}, el("thead", {}, el("tr", {}, heads.map((h) => cell("th", h)))), body));
}

// A line to copy, which breaks between its options, not in them.
function command(line) {
  const button = el("button", { type: "button", text: "Copy" });
  const text = el("pre", { tabindex: "0" }, line.split(/ (?=--)/).flatMap((part, at) => [at ? " " : "", el("span", { text: part })]));
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(line);
    } catch {
      const range = document.createRange();  // a page from a file may not have the clipboard
      range.selectNodeContents(text);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      document.execCommand("copy");
    }
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
  return el("div", { class: "command" }, text, button);
}

function choice(label, options, chosen, does) {
  const list = el("select", { on: { change: () => does(list.value) } });
  for (const [value, text] of options) list.append(el("option", { value, text, selected: value === chosen }));
  return el("label", {}, label, list);
}

function toggle(text, pressed, does) {
  const button = el("button", { type: "button", text, "aria-pressed": String(pressed) });
  button.addEventListener("click", () => {
    const now = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(now));
    does(now);
  });
  return button;
}
