// A table of trials, sorted by any column. A head: {name, of(place), n: number, long}, and text(value,
// place), node(place), or alike: what formats a column's values, with as many decimals in each cell.

function trialTable(body, heads, all, rowClass = (place) => (place === WINNER ? "best" : "")) {
  const state_ = { by: 0, down: false, rows: 25 };
  const texts = heads.map((one) => (one.alike ? inColumn(all.map(one.of), one.alike) : one.text));
  const head = el("tr");
  const rows = el("tbody");
  const more = el("button", { type: "button" });
  const left_ = el("p", { class: "note on-paper" });
  more.addEventListener("click", () => { state_.rows *= 4; fill(); });
  heads.forEach((column, at) => {
    const button = el("button", { type: "button", text: column.name });
    button.addEventListener("click", () => { state_.down = state_.by === at ? !state_.down : false; state_.by = at; fill(); });
    head.append(el("th", { class: column.n ? "n" : "", scope: "col" }, button));
  });
  function fill() {
    const column = heads[state_.by];
    const places = all.filter((place) => marked[place]);
    const keys = new Map(places.map((place) => [place, column.of(place)]));
    const compare = (a, b) => {
      const [p, q] = [keys.get(a), keys.get(b)];
      if (p === null || q === null) return (p === null) - (q === null) || a - b;
      return (p < q ? -1 : p > q ? 1 : a - b) * (state_.down ? -1 : 1);
    };
    places.sort(compare);
    [...head.children].forEach((cell, at) => cell.setAttribute("aria-sort", at === state_.by ? (state_.down ? "descending" : "ascending") : "none"));
    rows.replaceChildren(...places.slice(0, state_.rows).map((place) => el("tr", { class: rowClass(place), on: { pointerenter: () => hover(place), pointerleave: () => hover(-1) } },
      heads.map((one, at) => (one.node ? el("td", {}, one.node(place)) : el("td", { class: one.n ? "n" : one.long ? "long" : "", text: texts[at](one.of(place), place) }))))));
    more.hidden = places.length <= state_.rows;
    const left = (places.length - Math.min(places.length, state_.rows)).toLocaleString("en-US");
    more.textContent = `Show more (${left} left)`;
    left_.textContent = `${left} more are on the page itself.`;
    left_.hidden = more.hidden;
  }
  when("filter", fill);
  body.append(el("div", { class: "scrolls" }, el("table", {}, el("thead", {}, head), rows)), more, left_);
}
