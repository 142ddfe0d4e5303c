// Curves: uPlot draws the frame, and one path a colour holds all curves of it.

const SPREAD = 160; // points of a mean over seeds

function smoothed(values, weight) {
  if (!weight) return values;
  let mean = 0, sure = 0;
  return values.map((value) => {
    if (!Number.isFinite(value)) return NaN;
    mean = mean * weight + value * (1 - weight);
    sure = sure * weight + 1 - weight;
    return mean / sure; // without the first values' weight in the zero that it began with
  });
}

async function prepared(runs, metric, colourOf) {
  const all = await curvesOf(metric);
  return runs.filter((run) => all[run.index]).map((run) => {
    const { steps, values } = all[run.index];
    return { run, colour: colourOf(run), xs: over(run, steps, choice.x), ys: smoothed(values, choice.smoothing) };
  });
}

// Curves that differ in nothing but the seed become one mean with its spread.
function overSeeds(curves) {
  const groups = new Map();
  for (const curve of curves) {
    const key = JSON.stringify(AXES.map((axis, place) => (axis.is_seed ? null : curve.run.axes[place])));
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(curve);
  }
  return [...groups.values()].map(meanOf);
}

function meanOf(group) {
  const low = Math.min(...group.map(({ xs }) => xs[0]));
  const high = Math.max(...group.map(({ xs }) => xs[xs.length - 1]));
  const xs = Array.from({ length: SPREAD }, (_, index) => low + (index / (SPREAD - 1)) * (high - low));
  const ys = [], lows = [], highs = [];
  for (const x of xs) {
    const values = group.map((curve) => at(curve, x)).filter(Number.isFinite);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    const deviation = values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : 0;
    ys.push(mean); lows.push(mean - deviation); highs.push(mean + deviation);
  }
  return { run: group[0].run, runs: group.map(({ run }) => run), colour: group[0].colour, xs, ys, lows, highs };
}

function placeOf(xs, x) {
  let low = 0, high = xs.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (xs[middle] <= x) low = middle; else high = middle;
  }
  return low;
}

// Straight between two points; nothing beyond the ends.
function at({ xs, ys }, x) {
  if (!xs.length || x < xs[0] || x > xs[xs.length - 1]) return NaN;
  const place = placeOf(xs, x);
  const width = xs[place + 1] - xs[place];
  return width > 0 ? ys[place] + ((x - xs[place]) / width) * (ys[place + 1] - ys[place]) : ys[place];
}

function extent(lists, isLog) {
  let low = Infinity, high = -Infinity;
  for (const list of lists) {
    for (const value of list) {
      if (!Number.isFinite(value) || (isLog && value <= 0)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return low <= high ? [low, high] : null;
}

// A scale's value as a pixel of the canvas.
function mapping(plot, key, isLog) {
  const { min, max } = plot.scales[key], { left, top, width, height } = plot.bbox;
  const on = isLog ? Math.log : (value) => value;
  const low = on(min), wide = on(max) - low || 1;
  return key === "x" ? (value) => left + ((on(value) - low) / wide) * width
    : (value) => top + height - ((on(value) - low) / wide) * height;
}

// No more than a first, a least, a greatest and a last point for each column of pixels.
function trace(path, xs, ys, toX, toY) {
  let column = NaN, low = 0, high = 0, last = 0, isOpen = false, isAlone = false;
  const finish = () => {
    if (low !== high) { path.lineTo(column, low); path.lineTo(column, high); path.lineTo(column, last); }
    else if (isAlone) dot(path, column, low); // no line leads to it
  };
  for (let index = 0; index < xs.length; index++) {
    const y = toY(ys[index]);
    if (!Number.isFinite(y)) { if (isOpen) finish(); isOpen = false; column = NaN; continue; }
    const x = Math.round(toX(xs[index]));
    if (isOpen && x === column) {
      if (y < low) low = y;
      if (y > high) high = y;
      last = y;
      continue;
    }
    if (isOpen) {
      isAlone = false;
      finish();
      path.lineTo(x, y);
    } else {
      isAlone = true;
      path.moveTo(x, y);
    }
    column = x; low = high = last = y; isOpen = true;
  }
  if (isOpen) finish();
}

function dot(path, x, y) {
  const radius = 2 * devicePixelRatio;
  path.moveTo(x + radius, y);
  path.arc(x, y, radius, 0, 2 * Math.PI);
}

function traceBand(path, { xs, lows, highs }, toX, toY, isLog) {
  // Below zero there is nothing on a logarithmic scale; the line's own end will do.
  const bottom = lows.map((value) => (isLog && value <= 0 ? NaN : value));
  const good = xs.map((_, index) => index).filter((index) => Number.isFinite(bottom[index]) && Number.isFinite(highs[index]));
  good.forEach((index, place) => path[place ? "lineTo" : "moveTo"](toX(xs[index]), toY(highs[index])));
  good.reverse().forEach((index) => path.lineTo(toX(xs[index]), toY(bottom[index])));
  if (good.length) path.closePath();
}

const NAMES = { step: "steps", epoch: "epochs", hour: "hours of training" };

const ROUNDS = 8;

// One path a colour, of many curves in a few rounds, so that no colour hides the others.
function layersOf(curves) {
  const layers = new Map();
  curves.forEach((curve, index) => {
    const round = curves.length > 60 ? (index * 7919) % ROUNDS : 0, key = `${round} ${curve.colour}`;
    if (!layers.has(key)) layers.set(key, { round, colour: curve.colour, members: [] });
    layers.get(key).members.push(curve);
  });
  return [...layers.values()].sort((one, other) => one.round - other.round);
}

// Between two lines of the grid; uPlot itself knows none beyond 1e32.
function stepsBetween([low, high]) {
  const most = Math.floor(Math.log10(high - low));
  if (most < 31 || !Number.isFinite(most)) return {};
  const powers = Array.from({ length: 16 }, (_, index) => 10 ** (most - 15 + index));
  return { incrs: powers.flatMap((power) => [power, 2 * power, 5 * power]) };
}

function whyNothing(curves, isLog) {
  if (!METRICS.length) return `no metric ${DATA.is_over ? "was logged" : "has been logged yet"}`;
  return `no ${curves.length ? isLog ? "value above 0" : "finite value" : "run with values"} of ${choice.metric}`;
}

// Draws curves into `host`; returns the plot, or null where there is nothing to draw.
function plotCurves(host, curves, { isLog, onHover, onZoom, width }) {
  host.plot?.destroy();
  host.plot = null;
  const xRange = extent(curves.map(({ xs }) => xs), false);
  const yRange = extent(curves.flatMap(({ ys, lows = [], highs = [] }) => [ys, lows, highs]), isLog);
  if (!xRange || !yRange) {
    host.replaceChildren(make("div", `nothing to draw: ${whyNothing(curves, isLog)}`, { class: "nothing" }));
    return null;
  }
  host.replaceChildren();
  const ink = variable("--quiet"), rule = variable("--rule");
  const axis = { stroke: ink, grid: { stroke: rule, width: 1 }, ticks: { stroke: rule, width: 1 }, font: "12px system-ui, sans-serif", labelFont: "12px system-ui, sans-serif" };
  const series = layersOf(curves).map(({ colour, members }) => ({
    stroke: curves.length > 60 ? `color-mix(in srgb, ${colour} 55%, transparent)` : colour, fill: `color-mix(in srgb, ${colour} 16%, transparent)`, width, points: { show: false },
    facets: [{ scale: "x", auto: true }, { scale: "y", auto: true }],
    paths: (plot) => {
      const toX = mapping(plot, "x", false), toY = mapping(plot, "y", isLog);
      const stroke = new Path2D(), band = new Path2D();
      for (const curve of members) {
        trace(stroke, curve.xs, curve.ys, toX, toY);
        if (curve.lows) traceBand(band, curve, toX, toY, isLog);
      }
      return { stroke, fill: members.some(({ lows }) => lows) ? band : null, clip: null, band: null, gaps: null, flags: 0 };
    },
  }));
  const box = host.getBoundingClientRect();
  const plot = new uPlot({
    mode: 2, width: box.width, height: box.height, padding: [10, 20, 0, 0],
    legend: { show: false },
    cursor: { points: { show: false }, drag: { x: true, y: true, uni: 20 } },
    scales: { x: { time: false, range: padded(xRange, false) }, y: { distr: isLog ? 3 : 1, range: padded(yRange, isLog) } },
    axes: [{ ...axis, label: NAMES[choice.x], labelSize: 22, size: 36 }, { ...axis, ...(isLog ? {} : stepsBetween(yRange)), label: cut(choice.metric, 48), labelSize: 20, size: 64, values: (_, splits) => splits.map((value) => (value === null ? "" : short(value))) }],
    series: [{}, ...series],
    hooks: { setScale: [(self) => onZoom?.(self)] },
  }, [null, ...series.map(() => [xRange, yRange])], host);
  host.plot = plot;
  host.curves = curves;
  host.isLog = isLog;
  if (onHover) hoverable(host, plot, curves, isLog, onHover);
  return plot;
}

// The whole range with a little room, or the part that somebody zoomed to.
function padded([low, high], isLog) {
  const room = isLog ? (high / low) ** 0.03 : (high - low) * 0.03 || Math.abs(high) * 0.1 || 1;
  const whole = isLog ? [low / (room > 1 ? room : 1.5), high * (room > 1 ? room : 1.5)] : [low - room, high + room];
  return (_, min, max) => (min === null || (min <= low && max >= high) ? whole : [min, max]);
}

function hoverable(host, plot, curves, isLog, onHover) {
  const over = plot.over;
  over.addEventListener("mousemove", (event) => {
    const area = over.getBoundingClientRect();
    onHover(nearest(plot, curves, isLog, event.clientX - area.left, event.clientY - area.top), event);
  });
  over.addEventListener("mouseleave", () => onHover(null));
}

// The curve that passes a point within 30 pixels, and where it does.
function nearest(plot, curves, isLog, left, top) {
  const ratio = plot.bbox.width / plot.over.clientWidth;
  const toY = mapping(plot, "y", isLog), x = plot.posToVal(left, "x");
  let best = null, distance = 30;
  for (const curve of curves) {
    const value = at(curve, curve.xs.length === 1 ? curve.xs[0] : x), away = Math.abs((toY(value) - plot.bbox.top) / ratio - top);
    if (away < distance) { distance = away; best = { curve, x, value }; }
  }
  return best;
}

// A layer above the plot with one curve, thick.
function highlight(host, curve) {
  const { plot, isLog } = host;
  if (!plot) return;
  const canvas = host.layer ?? make("canvas", undefined, { class: "over", "aria-hidden": "true" });
  host.layer = canvas;
  if (canvas.parentNode !== plot.root) plot.root.append(canvas);
  const source = plot.ctx.canvas;
  canvas.width = source.width; canvas.height = source.height;
  canvas.style.cssText = `width:${source.clientWidth}px;height:${source.clientHeight}px`;
  if (!curve) return;
  const context = canvas.getContext("2d"), { left, top, width, height } = plot.bbox;
  context.beginPath();
  context.rect(left, top, width, height);
  context.clip();
  const path = new Path2D();
  trace(path, curve.xs, curve.ys, mapping(plot, "x", false), mapping(plot, "y", isLog));
  context.lineJoin = "round";
  const ratio = source.width / source.clientWidth;
  for (const [colour, thick] of [[variable("--paper"), 6], [curve.colour, 3]]) {
    context.strokeStyle = colour;
    context.lineWidth = thick * ratio;
    context.stroke(path);
  }
}

function lineWidth(count) {
  return count > 200 ? 0.6 : count > 40 ? 1 : 1.7;
}

let curvesDrawn = 0;

async function drawCurves() {
  const mine = ++curvesDrawn, host = byId("curves"), scale = scaleOf(choice.colour);
  let curves = await prepared(RUNS.filter((run) => shown.has(run.index)), choice.metric, scale.of);
  if (mine !== curvesDrawn) return; // something else was chosen meanwhile
  if (choice.seeds) curves = overSeeds(curves);
  const zoom = byId("zoom");
  const plot = plotCurves(host, curves, {
    isLog: choice.log, width: lineWidth(curves.length), onHover: hovered,
    onZoom: (self) => { zoom.hidden = self.over === undefined || !isZoomed(self, curves); },
  });
  zoom.hidden = true;
  host.setAttribute("aria-label", `${choice.metric ?? "no metric"} of ${curves.length} ${choice.seeds ? "groups" : "experiments"} over ${NAMES[choice.x]}`);
  if (plot) plot.over.addEventListener("click", () => { if (host.pointed) change({ focus: host.pointed.run.index }); });
  drawFocus();
}

function isZoomed(plot, curves) {
  const whole = extent(curves.map(({ xs }) => xs), false);
  const { min, max } = plot.scales.x;
  return whole !== null && (min > whole[0] || max < whole[1]);
}

function hovered(found, event) {
  const host = byId("curves");
  host.pointed = found?.curve ?? null;
  highlight(host, host.pointed ?? focused(host));
  if (!found) { hideTip(); return; }
  const { curve, x, value } = found;
  const where = [[`at ${short(x)} ${NAMES[choice.x]}`, short(value)]];
  showTip(tipOf(curve, where), event.clientX, event.clientY);
}

// Of a mean over seeds: what its runs have in common.
function tipOf({ run, runs }, more = []) {
  if (!runs) return tipRows(run, more);
  const axes = AXES.map((axis, place) => [axis, place]).filter(([axis]) => !axis.is_seed);
  const common = axes.map(([axis, place]) => [axis.label, short(run.axes[place])]);
  return rowsOfTip(`mean of ${runs.length}`, [...common, ...more]);
}

function focused(host) {
  return host.curves?.find(({ run, runs }) => run.index === choice.focus || runs?.some((each) => each.index === choice.focus));
}

function drawFocus() {
  const host = byId("curves");
  highlight(host, choice.focus === null ? null : focused(host));
}

// ← and → go through the curves by their value, Enter keeps one, Escape lets it go.
function curvesByKey(event) {
  const host = byId("curves"), curves = host.curves ?? [];
  if (event.key === "Escape") { change({ focus: null }); hideTip(); return; }
  if (!["ArrowLeft", "ArrowRight", "Enter"].includes(event.key) || !curves.length) return;
  event.preventDefault();
  if (event.key === "Enter") { if (host.pointed) change({ focus: host.pointed.run.index }); return; }
  const order = [...curves].sort((one, other) => last(one) - last(other));
  const place = order.indexOf(host.pointed ?? focused(host));
  const curve = order[(place + (event.key === "ArrowRight" ? 1 : -1) + order.length) % order.length];
  host.pointed = curve;
  highlight(host, curve);
  const box = host.getBoundingClientRect();
  showTip(tipOf(curve), box.left + 90, box.top + 30);
}

const last = ({ ys }) => ys[ys.length - 1];

function drawLegend() {
  const scale = scaleOf(choice.colour), host = byId("legend");
  host.replaceChildren(make("span", scale.name === "value" ? choice.metric : scale.name, { class: "name" }));
  if (scale.entries) {
    const entries = scale.entries.slice(0, 24);
    host.append(...entries.map(({ label, colour, filter }) => chip(label, colour, filter)));
    if (scale.entries.length > entries.length) host.append(make("span", `and ${scale.entries.length - entries.length} more`, { class: "quiet" }));
    return;
  }
  const bar = make("span", undefined, { class: "ramp" });
  bar.style.background = `linear-gradient(90deg, ${[0, 0.2, 0.4, 0.6, 0.8, 1].map(ramp).join(",")})`;
  host.append(make("span", short(scale.low)), bar, make("span", short(scale.high)));
}

function showTip(content, left, top) {
  const tip = byId("tip");
  tip.replaceChildren(content);
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(4, left + box.width + 24 > innerWidth ? left - box.width - 16 : left + 16)}px`;
  tip.style.top = `${Math.max(4, Math.min(top + 12, innerHeight - box.height - 8))}px`;
}
const hideTip = () => { byId("tip").hidden = true; };
