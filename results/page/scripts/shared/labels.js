// Labels as a picture has room for them: never two that read alike.

function shortened(ctx, labels, width) {
  const fits = (text) => ctx.measureText(text).width <= width;
  // Left out is a part in the middle; `head` is the share of what stays that is the beginning.
  const elided = (text, head) => {
    if (fits(text)) return text;
    for (let kept = text.length - 1; kept > 1; kept--) {
      const front = Math.round(kept * head);
      const found = `${text.slice(0, front)}…${text.slice(text.length - kept + front)}`;
      if (fits(found)) return found;
    }
    return "…";
  };
  const tail = (text) => { // of a dotted path the last parts, which name the knob
    const parts = text.split(/\.(?=[A-Za-z_])/);
    return parts.map((_, at) => parts.slice(at).join(".")).find(fits) ?? elided(parts.at(-1), 0.6);
  };
  const ways = [tail, ...[0.5, 0.25, 0.75, 0, 1].map((head) => (text) => elided(text, head))];
  const found = new Map();
  let clash = [...new Set(labels.map(String))];
  for (const way of ways) {
    for (const label of clash) found.set(label, way(label));
    const seen = new Map();
    for (const text of found.values()) seen.set(text, (seen.get(text) || 0) + 1);
    clash = [...found.keys()].filter((label) => seen.get(found.get(label)) > 1);
    if (!clash.length) break;
  }
  clash.forEach((label, at) => found.set(label, `${at + 1}…`));
  return labels.map((label) => found.get(String(label)));
}

// Each label whole, or as its two lines [front, end] where it is a dotted path that one line does not hold.
function inTwoLines(ctx, labels, width) {
  const fits = (text) => ctx.measureText(text).width <= width;
  const parts = labels.map((label) => { const at = String(label).search(/\.(?=[A-Za-z_][^.]*$)/); return at < 0 || fits(label) ? null : [label.slice(0, at + 1), label.slice(at + 1)]; });
  const [fronts, ends, whole] = [parts.map((part) => part && part[0]), parts.map((part) => part && part[1]), shortened(ctx, labels, width)];
  const [short0, short1] = [fronts, ends].map((texts) => shortened(ctx, texts.map((text) => text ?? ""), width));
  return labels.map((_, at) => (parts[at] ? [short0[at], short1[at]] : whole[at]));
}
