// The box beside the pointer.

function showTip(lines, x, y) {
  const tip = byId("tip");
  tip.replaceChildren(...lines.map((text) => el("div", { text })));
  tip.hidden = false;
  const [width, height] = [tip.offsetWidth, tip.offsetHeight];
  tip.style.left = `${Math.max(6, Math.min(x + 14, innerWidth - width - 6))}px`;
  tip.style.top = `${y + 18 + height > innerHeight ? Math.max(6, y - height - 12) : y + 18}px`;
}

function hideTip() { byId("tip").hidden = true; }
