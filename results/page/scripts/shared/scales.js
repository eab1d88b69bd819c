// Scales: values to pixels and back, and where their ticks stand.

function linearScale(low, high, from, to) {
  const span = high - low || 1;
  return {
    map: (value) => from + ((value - low) / span) * (to - from),
    invert: (pixel) => low + ((pixel - from) / (to - from)) * span,
    ticks: (count) => linearTicks(low, high, count),
  };
}

function logScale(low, high, from, to) {
  const [a, b] = [Math.log(low), Math.log(high)];
  const span = b - a || 1;
  return {
    map: (value) => from + ((Math.log(value) - a) / span) * (to - from),
    invert: (pixel) => Math.exp(a + ((pixel - from) / (to - from)) * span),
    ticks: (count) => logTicks(low, high, count),
  };
}

function bandScale(labels, from, to, low, high) {
  const inner = linearScale(low ?? -0.5, high ?? labels.length - 0.5, from, to);
  return { ...inner, ticks: () => labels.map((_, at) => at) };
}

function linearTicks(low, high, count) {
  const span = high - low;
  if (!(span > 0)) return [low];
  const rough = span / Math.max(1, count);
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * [1, 2, 5, 10].find((factor) => factor * unit >= rough * 0.999);
  const found = [];
  for (let at = Math.ceil(low / step - 1e-9) * step; at <= high + step * 1e-9; at += step) found.push(Math.abs(at) < step * 1e-9 ? 0 : at);
  return found;
}

// Ticks of seconds at whole minutes, hours and days.
const TIMES = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];
function timeTicks(low, high, count) {
  const rough = (high - low) / Math.max(1, count);
  const step = TIMES.find((one) => one >= rough) || Math.ceil(rough / 86400) * 86400;
  const found = [];
  for (let at = Math.ceil(low / step) * step; at <= high; at += step) found.push(at);
  return found;
}

function logTicks(low, high, count) {
  const decades = Math.log10(high / low);
  if (decades < 0.7) return linearTicks(low, high, count);
  const factors = decades > count ? [1] : decades * 3 > count * 1.3 ? [1] : [1, 2, 5];
  const every = Math.max(1, Math.ceil(decades / count));
  const found = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    if (power % every) continue;
    for (const factor of factors) {
      const at = factor * 10 ** power;
      if (at >= low * 0.999 && at <= high * 1.001) found.push(at);
    }
  }
  return found.length > 1 ? found : linearTicks(low, high, count);
}

// Lowest and highest of what is a number, with a margin; [0, 1] of nothing.
function extent(values, log, margin = 0.04) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value === null || value === undefined || !Number.isFinite(value) || (log && value <= 0)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) return log ? [1, 10] : [0, 1];
  if (log) { const ratio = Math.max((high / low) ** margin, 1.02); return [low / ratio, high * ratio]; }
  const room = high > low ? (high - low) * margin : Math.abs(low) * 0.1 || 0.5;
  return [low - room, high + room];
}

// The highest value that a picture should give room to: one that diverged must not press all others flat.
function usual(values) {
  const sorted = values.filter((value) => Number.isFinite(value)).sort((a, b) => a - b);
  if (sorted.length < 8) return sorted.at(-1) ?? 1;
  const [middle, upper] = [sorted[Math.floor(sorted.length * 0.25)], sorted[Math.floor(sorted.length * 0.9)]];
  return Math.min(sorted.at(-1), upper + 1.5 * (upper - middle));
}
