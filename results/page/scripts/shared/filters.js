// The bar that filters trials in every picture at once, and is their legend. A group: {id, text, title, colour, shape}.
// Runs after the search (isLater, which each page has) and proposals that were never trained (isProposal) are no trials,
// and are counted apart.

function filters(groups) {
  const bar = byId("bar");
  for (const group of groups) {
    const mark = el("canvas", { width: 28, height: 28 });
    const chip = el("button", { type: "button", class: "chip", "aria-pressed": "true", "data-group": group.id, title: group.title }, mark, el("span", { text: group.text }));
    chip.addEventListener("click", () => {
      if (state.off.delete(group.id)) chip.setAttribute("aria-pressed", "true");
      else { state.off.add(group.id); chip.setAttribute("aria-pressed", "false"); }
      refilter();
    });
    const draw = () => {
      const ctx = mark.getContext("2d");
      ctx.clearRect(0, 0, 28, 28);
      ctx.fillStyle = ctx.strokeStyle = COLOURS[group.colour];
      symbol(ctx, group.shape, 14, 14, 8);
    };
    when("theme", draw);
    draw();
    bar.append(chip);
  }
  const words = el("input", { type: "search", placeholder: "filter: 17, schedule=Tidal", "aria-label": "Filter trials by number or change" });
  let waiting = 0;
  words.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => { state.words = words.value; refilter(); }, N > 500 ? 120 : 0);
  });
  const clear = el("button", { type: "button", text: "Clear selection", hidden: true });
  clear.addEventListener("click", () => { state.sets.clear(); for (const does of cleared) does(); refilter(); });
  const count = el("span", { id: "count" });
  bar.append(words, clear, count);
  const say = () => {
    clear.hidden = state.sets.size === 0;
    const kindOf = (place) => (isLater(place) ? "run" : isProposal(place) ? "proposal" : "trial");
    const said = (noun, after = "") => {
      const own = T.number.map((_, place) => place).filter((place) => kindOf(place) === noun);
      const [all, seen] = [own.length, own.filter((place) => shown[place]).length];
      if (!all && noun !== "trial") return "";
      return seen === all ? plural(all, noun) + after : `${seen.toLocaleString("en-US")} of ${plural(all, noun)}${after} shown`;
    };
    const chosen = state.sets.size ? `${marked.reduce((a, b) => a + b, 0).toLocaleString("en-US")} selected of ` : "";
    count.textContent = chosen + [said("trial"), said("proposal", " infeasible before training"), said("run", " after the search")].filter(Boolean).join(", ");
  };
  when("filter", say);
}

const cleared = []; // what to do besides when the selection is cleared
