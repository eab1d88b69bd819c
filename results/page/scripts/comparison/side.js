// The campaigns side by side: what each is, and what keeps some from being ranked together.

function sideSection() {
  byId("sentence").classList.add("open");
  byId("about").textContent = `${plural(C.length, "campaign")} side by side`;
  if (DATA.unlike.length) {
    section("unlike").append(table(["what differs", "in one", "in the other"], DATA.unlike.map(([field, one, value, other, otherValue]) => [el("code", { text: field }), ...[[one, value], [other, otherValue]].map(([name, found]) => el("div", {}, el("div", { class: "alike", text: name }), el("div", { text: found })))])));
  }
  const asks = C.some((one) => one.question) ? [["question", C.map((one) => one.question || null)]] : [];
  const rows = [...asks, ...DATA.about].filter(([, values]) => values.some((value) => value !== null));
  const sides = table(["", ...C.map((one) => one.name)], rows.map(([label, values]) => {
    const alike = new Set(values.map(String)).size === 1;
    return [label, ...values.map((value) => el("span", { class: alike ? "alike" : "", text: typeof value === "number" ? numberOf(label, value) : value ?? "–" }))];
  }));
  sides.firstChild.style.minWidth = `${6 * (C.length + 1)}rem`; // two fit on a phone, more are scrolled to
  section("side").append(sides, el("p", { class: "note", text: "Grey is what all of them have alike." }));
}

const numberOf = (label, value) => (["the base", "the lowest"].includes(label) ? result(value) : label === "seed of the search" ? String(value) : short(value));
