// What the person has chosen, and who draws anew when that changes.

const choice = {
  metric: METRICS.includes(DATA.main) ? DATA.main : METRICS[0],
  kind: "last",
  greatest: DATA.greatest,
  colour: "state",
  x: "step",
  smoothing: 0,
  log: false,
  seeds: false,
  filter: "",
  brushed: null,
  focus: null,
};

const listeners = [];
let shown = new Set(RUNS.keys());

// Call `draw` whenever one of the keys changes; "shown" stands for the rows that are chosen.
function onChange(keys, draw) {
  listeners.push({ keys: new Set(keys), draw });
}

function change(values) {
  const changed = new Set(Object.keys(values).filter((key) => choice[key] !== values[key]));
  Object.assign(choice, values);
  if (changed.has("filter") || changed.has("brushed") || (choice.filter && (changed.has("metric") || changed.has("kind")))) {
    shown = new Set(RUNS.filter(isShown()).map((run) => run.index));
    changed.add("shown");
  }
  for (const { keys, draw } of listeners) {
    if ([...changed].some((key) => keys.has(key))) draw(changed);
  }
}

// `lr<1e-3 state=done word`: all must be true; a word may be in anything.
function isShown() {
  const words = choice.filter.match(/(?:"[^"]*"|[^\s"])+/g) ?? [];
  const tests = words.map(testOf);
  byId("filter").setAttribute("aria-invalid", String(tests.includes(null)));
  const good = tests.filter((test) => test !== null);
  return (run) => (choice.brushed === null || choice.brushed.has(run.index)) && good.every((test) => test(run));
}

function testOf(word) {
  const parts = word.match(/^("[^"]*"|[^<>=!~"]+)(<=|>=|!=|=|<|>|~)(.*)$/);
  if (!parts) {
    const text = word.replaceAll('"', "").toLowerCase();
    return (run) => everything(run).includes(text);
  }
  const name = parts[1].replaceAll('"', ""), sign = parts[2], wanted = parts[3].replaceAll('"', "");
  const of = columnOf(name);
  if (of === null) return null;
  return (run) => compared(of(run), sign, wanted);
}

function compared(value, sign, wanted) {
  if (value === null || value === undefined) return sign === "=" && ["–", "null"].includes(wanted);
  const number = Number(wanted);
  const isNumber = typeof value === "number" && wanted.trim() !== "" && !Number.isNaN(number);
  const [one, other] = isNumber && sign !== "~" ? [value, number] : [asText(value).toLowerCase(), wanted.toLowerCase()];
  switch (sign) {
    case "=": return one === other;
    case "!=": return one !== other;
    case "<": return one < other;
    case ">": return one > other;
    case "<=": return one <= other;
    case ">=": return one >= other;
    default: return one.includes(other);
  }
}

const FACTS = ["id", "name", "sweep", "state", "step", "attempts", "hours", "gpu_hours", "repeated", "queued", "cores_used", "memory_mb", "gpu_use", "gpu_memory_mb"];

function columnOf(name) {
  const axis = AXES.findIndex((each) => each.label === name || each.path === name);
  if (axis >= 0) return (run) => run.axes[axis];
  if (FACTS.includes(name)) return (run) => run[name];
  if (METRICS.includes(name)) return (run) => valueOf(run, name, choice.kind, choice.greatest);
  return null;
}

function everything(run) {
  run.text ??= [run.id, run.name, run.sweep, run.state, run.detail, ...run.axes.map(asText)].join(" ").toLowerCase();
  return run.text;
}

// Label and text of what tells a run from the others.
function describe(run) {
  const value = valueOf(run, choice.metric, choice.kind, choice.greatest);
  return [
    ...AXES.map((axis, place) => [axis.label, short(run.axes[place])]),
    ["state", run.state],
    ...(choice.metric ? [[choice.metric, short(value)]] : []),
  ];
}

const tipRows = (run, more = []) => rowsOfTip(run.id, [...describe(run), ...more]);

function rowsOfTip(title, facts) {
  const rows = make("div", undefined, { class: "tip-rows" });
  rows.append(make("strong", title));
  for (const [label, text] of facts) rows.append(make("span", label), make("span", text));
  return rows;
}
