// What a picture does not show of what was to be drawn in it, in words: told by the picture itself, which alone knows
// where its axes ended when it was drawn.

// How far a point may lie beyond the axes and still be seen, in pixels.
const SEEN = { left: 3, right: 6, top: 6, bottom: 3 };

// The side of a box on which a point lies; null inside, "nowhere" where its scale has no place for it (0 on a logarithmic one).
function sideOf(box, x, y) {
  if (!Number.isFinite(x) || !Number.isFinite(y)) return "nowhere";
  if (y < box.top - SEEN.top) return "above";
  if (y > box.bottom + SEEN.bottom) return "below";
  if (x < box.left - SEEN.left) return "left of";
  return x > box.right + SEEN.right ? "right of" : null;
}

// A sentence a side of a box on which some of the points [x, y] lie, in pixels. ``valueAt``: what an axis
// says at a pixel of a side, null where it names choices.
function outsideInWords(box, points, valueAt, [noun, verb] = ["point", "lie"]) {
  const on = new Map();
  for (const [x, y] of points) {
    const side = sideOf(box, x, y);
    if (!side) continue;
    if (!on.has(side)) on.set(side, []);
    on.get(side).push(side === "above" || side === "below" ? y : x);
  }
  return [...on].map(([side, pixels]) => {
    const one = pixels.length === 1;
    const who = `${plural(pixels.length, noun)} ${verb}${one ? "s" : ""}`;
    if (side === "nowhere") return `${who} where a logarithmic axis has no place.`;
    const value = valueAt(side, side === "above" || side === "left of" ? Math.min(...pixels) : Math.max(...pixels));
    const far = { above: "as high as", below: "as low as", "left of": "as far as", "right of": "as far as" }[side];
    return `${who} ${side} the picture${value === null ? "" : `, ${one ? "at" : far} ${value}`}.`;
  });
}
