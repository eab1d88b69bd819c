// Colours of the style sheet, and the symbols that trials are drawn as.

let COLOURS = {};
function readColours() {
  const style = getComputedStyle(document.documentElement);
  const names = ["paper", "sheet", "line", "grid", "ink", "soft", "faint", "winner", "base", "band", "good", "bad", "warn", "focus"];
  COLOURS = Object.fromEntries([...names, ...MORE_COLOURS].map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

function symbol(ctx, shape, x, y, size) {
  ctx.beginPath();
  if (shape === "circle" || shape === "ring") ctx.arc(x, y, size, 0, 2 * Math.PI);
  else if (shape === "box") ctx.rect(x - size * 0.8, y - size * 0.8, size * 1.6, size * 1.6);
  else if (shape === "square") ctx.rect(x - size * 0.85, y - size * 0.85, size * 1.7, size * 1.7);
  else if (shape === "triangle") { ctx.moveTo(x, y - size * 1.2); ctx.lineTo(x + size * 1.1, y + size * 0.9); ctx.lineTo(x - size * 1.1, y + size * 0.9); ctx.closePath(); }
  else if (shape === "diamond" || shape === "frame") { ctx.moveTo(x, y - size * 1.3); ctx.lineTo(x + size * 1.3, y); ctx.lineTo(x, y + size * 1.3); ctx.lineTo(x - size * 1.3, y); ctx.closePath(); }
  else if (shape === "star") {
    for (let k = 0; k < 10; k++) {
      const [r, a] = [k % 2 ? size * 0.75 : size * 1.75, (k * Math.PI) / 5 - Math.PI / 2];
      ctx.lineTo(x + r * Math.cos(a), y + r * Math.sin(a));
    }
    ctx.closePath();
  } else {
    const d = size;
    if (shape === "cross") { ctx.moveTo(x - d, y - d); ctx.lineTo(x + d, y + d); ctx.moveTo(x - d, y + d); ctx.lineTo(x + d, y - d); }
    else { ctx.moveTo(x - d * 1.2, y); ctx.lineTo(x + d * 1.2, y); if (shape === "plus") { ctx.moveTo(x, y - d * 1.2); ctx.lineTo(x, y + d * 1.2); } }
    ctx.lineWidth = 2; ctx.stroke(); return;
  }
  if (shape === "ring" || shape === "box" || shape === "frame") { ctx.lineWidth = 2; ctx.stroke(); } else ctx.fill();
}
