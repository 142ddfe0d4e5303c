// Two points side by side: what differs in their configs, and their curves.

function fillCompare() {
  const order = [...RUNS].sort((one, other) => rankOf(one) - rankOf(other));
  for (const [id, index] of [["one", 0], ["other", Math.min(1, order.length - 1)]]) {
    const select = byId(id);
    select.replaceChildren(...order.map((run) => make("option", `${run.id}  ${AXES.map((axis, place) => `${axis.label}=${short(run.axes[place])}`).join(" ") || run.name}`, { value: run.index })));
    if (order.length) select.value = String(order[index].index);
  }
}

function rankOf(run) {
  const value = metricValue(run);
  if (value === null || !Number.isFinite(value)) return Infinity;
  return choice.greatest ? -value : value;
}

const configOf = (run, path) => {
  const own = DATA.config.own[run.index];
  return path in own ? own[path] : DATA.config.shared[path];
};

const environmentOf = (run) => DATA.environments.kinds[DATA.environments.places[run.index]];

async function drawCompare() {
  if (byId("compare-section").hidden) return;
  const pair = [byId("one"), byId("other")].map((select) => RUNS[Number(select.value)]);
  if (pair.some((run) => run === undefined)) return;
  const [one, other] = pair, everything = byId("same").checked;
  const body = [];
  const add = (label, a, b) => {
    const differs = !Object.is(a, b);
    if (!differs && !everything) return;
    const row = make("tr", undefined, { class: differs ? "differs" : "same" });
    const cell = (value) => make("td", short(value ?? null), { title: asText(value) });
    row.append(make("th", label, { scope: "row" }), cell(a), cell(b));
    body.push(row);
  };
  for (const path of Object.keys(DATA.config.shared)) add(path, configOf(one, path), configOf(other, path));
  const [here, there] = pair.map(environmentOf);
  for (const key of new Set([...Object.keys(here), ...Object.keys(there)])) add(key, here[key], there[key]);
  for (const key of ["state", "step", "attempts"]) add(key, one[key], other[key]);
  add("hours", hoursText(one.hours), hoursText(other.hours));
  METRICS.forEach((name, place) => add(name, one.last[place], other.last[place]));
  const palette = CHOICES[theme()], head = make("tr");
  head.append(make("th", ""), ...pair.map((run, index) => {
    const cell = make("th", undefined, { scope: "col" }), dot = make("span", undefined, { class: "dot" });
    dot.style.background = palette[index];
    cell.append(dot, run.id);
    return cell;
  }));
  byId("differences").replaceChildren(head, ...body);
  const chosen = one === other ? [one] : pair;
  const curves = await prepared(chosen, choice.metric, (run) => palette[pair.indexOf(run)]);
  plotCurves(byId("pair"), curves, { isLog: choice.log, width: 2 });
}

function drawPictures() {
  const { kinds, left_out: leftOut } = DATA.pictures;
  if (!Object.keys(kinds).length) return;
  byId("pictures-section").hidden = false;
  document.querySelector('nav a[href="#pictures-section"]').hidden = false;
  const host = byId("pictures");
  for (const [kind, urls] of Object.entries(kinds)) {
    const strip = make("div", undefined, { class: "strip" });
    for (const [id, url] of Object.entries(urls)) {
      const figure = make("figure"), run = RUNS.find((each) => each.id === id);
      figure.append(make("img", undefined, { src: url, loading: "lazy", alt: `${kind} of ${id}` }));
      figure.append(make("figcaption", [id, ...AXES.map((axis, place) => `${axis.label} ${short(run.axes[place])}`)].join(", ")));
      strip.append(figure);
    }
    host.append(make("h3", kind), strip);
  }
  if (leftOut) host.append(make("p", `${leftOut.toLocaleString("en")} more pictures are in the run directories.`, { class: "quiet hint" }));
}
