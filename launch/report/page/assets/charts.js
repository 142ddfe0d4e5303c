// Parallel coordinates, each axis against the metric, and how important each is.

function charted(host) {
  host.chart ??= echarts.init(host, null, { renderer: "canvas" });
  return host.chart;
}

const labelStyle = () => ({ color: variable("--quiet"), fontSize: 11.5, textBorderColor: variable("--paper"), textBorderWidth: 3 });
// Where lines run across a label, a halo leaves them between its letters.
const labelOnLines = (label) => ({ ...label, margin: 6, backgroundColor: variable("--paper"), padding: [1, 3], borderRadius: 2 });
const lineStyle = () => ({ lineStyle: { color: variable("--rule") } });

// Names can be long, and are drawn on a canvas, where markup is text. What tells two of them apart
// is often at their ends.
function cut(text, length = 22) {
  if (text.length <= length) return text;
  const before = Math.ceil((length - 1) / 2);
  return `${text.slice(0, before)}…${text.slice(text.length - (length - 1 - before))}`;
}

function axisOf(name, kind, values) {
  const common = { name: cut(name), axisLabel: labelStyle(), nameTextStyle: { ...labelStyle(), color: variable("--ink") }, axisLine: { show: true, lineStyle: { color: variable("--quiet"), width: 1 } }, axisTick: { show: true, lineStyle: { color: variable("--rule") } }, minorTick: { show: false } };
  if (kind === "choice") {
    const levels = [...new Map(values.map((value) => [asText(value), value])).values()];
    if (levels.every((value) => typeof value === "number")) levels.sort((one, other) => one - other);
    const named = (_, index) => cut(short(levels[index]), 16);
    return { ...common, type: "category", data: levels.map(asText), axisLabel: { ...labelStyle(), formatter: named } };
  }
  const formatted = { ...labelStyle(), formatter: short, hideOverlap: true };
  if (kind === "log") return { ...common, type: "log", axisLabel: formatted, min: Math.min(...values.filter(Number.isFinite)), max: Math.max(...values.filter(Number.isFinite)) };
  return { ...common, type: "value", scale: true, axisLabel: formatted, splitLine: lineStyle() };
}

const asCell = (value, kind) => (kind === "choice" ? asText(value) : value);
// As the table has it: the last values, or those of the best moment.
const metricTitle = () => (choice.kind === "last" ? choice.metric ?? "" : `${choice.metric}:${choice.greatest ? "max" : "min"}`);
const metricValue = (run) => valueOf(run, choice.metric, choice.kind, choice.greatest);

// Pixels from one axis to the next: its longest label ends before that.
function roomOfAnAxis() {
  const labels = RUNS.flatMap((run) => AXES.map((axis, place) => (axis.kind === "choice" ? cut(short(run.axes[place]), 16).length : 0)));
  return Math.max(96, 24 + 7 * labels.reduce((most, length) => Math.max(most, length), 0));
}

function axisAmongLines(place, name, kind, values) {
  const axis = axisOf(name, kind, values);
  return { dim: place, z: 10, ...axis, axisLabel: labelOnLines(axis.axisLabel) };
}

function drawParallel(changed) {
  const host = byId("parallel");
  if (byId("parallel-section").hidden) return;
  host.style.minWidth = `${roomOfAnAxis() * (AXES.length + 1)}px`; // more than that is scrolled
  const chart = charted(host);
  const runs = RUNS.filter((run) => Number.isFinite(metricValue(run)));
  host.runs = runs;
  const scale = scaleOf(choice.colour);
  const dims = AXES.map((axis, place) => axisAmongLines(place, axis.label, axis.kind, RUNS.map((run) => run.axes[place])));
  dims.push(axisAmongLines(AXES.length, metricTitle(), "number", []));
  // What the filter leaves out fades; what brushing leaves out, ECharts fades by itself.
  const faded = (run) => choice.brushed === null && !shown.has(run.index);
  const whole = runs.length > 200 ? 0.35 : 0.75;
  chart.setOption({
    animation: false,
    parallel: { left: 72, right: 72, top: 40, bottom: 26, parallelAxisDefault: { nameLocation: "end", nameGap: 16, areaSelectStyle: { width: 18, borderWidth: 1, borderColor: variable("--accent"), color: variable("--accent"), opacity: 0.25 } } },
    parallelAxis: dims,
    series: [{
      type: "parallel", smooth: 0.08, inactiveOpacity: 0.03, activeOpacity: Math.min(1, whole + 0.2), progressive: 0,
      lineStyle: { width: runs.length > 200 ? 1 : 1.8 },
      data: runs.map((run) => ({
        value: [...AXES.map((axis, place) => asCell(run.axes[place], axis.kind)), metricValue(run)],
        lineStyle: { color: scale.of(run), opacity: faded(run) ? 0.03 : whole },
      })),
    }],
  }, { replaceMerge: changed?.has("theme") || changed?.has("metric") || changed?.has("kind") || changed === undefined ? ["parallelAxis", "series"] : [] });
  if (host.isListening) return;
  host.isListening = true;
  chart.on("axisareaselected", () => {
    const series = chart.getModel().getSeriesByIndex(0);
    const inactive = series.getRawIndicesByActiveState("inactive");
    const active = series.getRawIndicesByActiveState("active");
    const isBrushed = inactive.length || active.length;
    change({ brushed: isBrushed ? new Set(active.map((place) => host.runs[place].index)) : null });
  });
}

// Take back all ranges that were dragged.
function clearBrush() {
  const host = byId("parallel");
  host.chart?.dispose();
  host.chart = undefined;
  host.isListening = false;
  change({ brushed: null });
  drawParallel();
}

function drawImportance() {
  const host = byId("importance"), found = DATA.importance[choice.metric];
  if (!found) {
    host.replaceChildren(make("p", "Too few results to say which axes matter.", { class: "quiet hint" }));
    return;
  }
  const isExact = found.method === "ANOVA";
  const what = isExact ? `Share of the variance of ${choice.metric} that each axis explains by itself (ANOVA of the full grid` : `How far the best tenth by ${choice.metric} differs from all on each axis (PED-ANOVA, shares of the sum`;
  const rest = isExact ? 1 - found.effects.reduce((sum, each) => sum + each.share, 0) : 0;
  const rows = [...found.effects].sort((one, other) => other.share - one.share).map((effect) => {
    const axis = AXES.find(({ path }) => path === effect.axis);
    return bar(axis?.label ?? effect.axis, effect.share, effect.is_noise ? (effect.p === null ? "may be noise" : "noise") : "", effect.p);
  });
  if (rest > 0.005) rows.push(bar("interactions, chance", rest, "", null, true));
  host.replaceChildren(make("p", `${what}; last values, n\u00a0=\u00a0${found.n.toLocaleString("en")})`, { class: "quiet note" }), ...rows);
}

function bar(name, share, remark, p, isRest = false) {
  const row = make("div", undefined, { class: `effect${remark || isRest ? " noise" : ""}` });
  const track = make("span", undefined, { class: "track", "aria-hidden": "true" }), part = make("i");
  part.style.width = `${100 * Math.max(0, Math.min(1, share))}%`;
  track.append(part);
  const said = p === null || p === undefined ? "" : p < 0.001 ? "p < 0.001" : `p = ${Number(p.toPrecision(2))}`;
  const percent = `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
  row.append(make("span", name, { title: name }), track, make("span", percent), make("span", [remark, said].filter(Boolean).join(", ")));
  return row;
}

const MOST_SCATTERS = 12;

function drawScatters() {
  const host = byId("scatters");
  if (byId("axes-section").hidden) return;
  const effects = DATA.importance[choice.metric]?.effects ?? [];
  const rank = (axis) => effects.find((each) => each.axis === axis.path)?.share ?? -1;
  const order = [...AXES.keys()].sort((one, other) => rank(AXES[other]) - rank(AXES[one])).slice(0, MOST_SCATTERS);
  while (host.children.length > order.length) { host.lastChild.chart?.dispose(); host.lastChild.remove(); }
  while (host.children.length < order.length) host.append(make("div", undefined, { class: "scatter", role: "img" }));
  const runs = RUNS.filter((run) => shown.has(run.index) && Number.isFinite(metricValue(run)));
  const scale = scaleOf(choice.colour);
  order.forEach((place, index) => drawScatter(host.children[index], place, runs, scale));
}

function drawScatter(host, place, runs, scale) {
  const axis = AXES[place], chart = charted(host);
  host.setAttribute("aria-label", `${choice.metric} against ${axis.label}`);
  const levels = new Map();
  for (const run of runs) {
    const key = asText(run.axes[place]);
    if (!levels.has(key)) levels.set(key, []);
    levels.get(key).push(run);
  }
  const means = levels.size <= 12 && levels.size < runs.length ? [...levels.values()].map((members) => [
    asCell(members[0].axes[place], axis.kind), members.reduce((sum, run) => sum + metricValue(run), 0) / members.length,
  ]) : [];
  const yAxis = axisOf(metricTitle(), "number", []);
  chart.setOption({
    animation: false,
    grid: { left: 58, right: 14, top: 28, bottom: 42 },
    tooltip: { trigger: "item", confine: true, backgroundColor: variable("--paper"), borderColor: variable("--rule"), formatter: ({ data }) => (data.run === undefined ? make("span", "mean") : tipRows(RUNS[data.run])) },
    xAxis: { ...axisOf(axis.label, axis.kind, RUNS.map((run) => run.axes[place])), nameLocation: "middle", nameGap: 26, splitLine: { show: false } },
    yAxis: { ...yAxis, nameTextStyle: { ...yAxis.nameTextStyle, align: "left", padding: [0, 0, 0, -52] }, nameGap: 10, axisLine: { show: false }, axisTick: { show: false } },
    series: [
      { type: "scatter", symbolSize: runs.length > 200 ? 5 : 8, data: runs.map((run) => ({ run: run.index, value: [asCell(run.axes[place], axis.kind), metricValue(run)], itemStyle: { color: scale.of(run), opacity: runs.length > 200 ? 0.55 : 0.85 } })) },
      { type: "scatter", symbol: "rect", symbolSize: [26, 2], data: means.map((value) => ({ value, itemStyle: { color: variable("--ink") } })) },
    ],
  }, true);
  chart.off("click");
  chart.on("click", ({ data }) => { if (data.run !== undefined) change({ focus: data.run }); });
}
