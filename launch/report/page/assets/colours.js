// Colours: of states, of choices, of numbers; and those of the page in its theme.

const CHOICES = {
  light: ["#1f6fb4", "#d9661f", "#2f9468", "#b5478f", "#8a6d1c", "#5b57b8", "#c43c3c", "#4a8fa0", "#7a7a7a", "#9a5b2b"],
  dark: ["#64aef0", "#f39a57", "#5fc796", "#e38bc4", "#d3b44f", "#9d99f2", "#f0807c", "#79c4d4", "#b4b4b4", "#d09a6a"],
};
const VIRIDIS = [[68, 1, 84], [72, 40, 120], [62, 74, 137], [49, 104, 142], [38, 130, 142], [31, 158, 137], [53, 183, 121], [110, 206, 88], [181, 222, 43], [253, 231, 37]];
const STATES = {
  done: "--done", running: "--running", stopping: "--running", failed: "--failed", lost: "--failed",
  stopped: "--stopped", cancelled: "--stopped", requeued: "--waiting", pending: "--waiting", new: "--waiting",
};
const BINS = 24;

const theme = () => document.documentElement.dataset.theme;
const variable = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const stateVariable = (state) => STATES[state] ?? "--waiting";
const stateColour = (state) => variable(stateVariable(state));

// On paper the yellow end can't be seen, on black the violet one.
function ramp(share) {
  const [from, to] = theme() === "dark" ? [0.22, 1] : [0, 0.88];
  const place = (from + share * (to - from)) * (VIRIDIS.length - 1);
  const below = Math.min(VIRIDIS.length - 2, Math.floor(place)), part = place - below;
  const mixed = VIRIDIS[below].map((each, index) => Math.round(each + part * (VIRIDIS[below + 1][index] - each)));
  return `rgb(${mixed.join(",")})`;
}

// {of(run), entries: [{label, colour, filter}]} or, of many numbers, {of(run), low, high}.
function scaleOf(by) {
  const values = RUNS.map((run) => colourValue(run, by));
  const name = by.startsWith("axis:") ? AXES[Number(by.slice(5))].label : by;
  const distinct = [...new Map(values.map((value) => [asText(value), value])).values()];
  if (by === "state") {
    return { name, of: (run) => stateColour(run.state), entries: distinct.map((state) => ({ label: state, colour: stateColour(state), filter: `state=${state}` })) };
  }
  if (kindOf(values) !== "choice") return continuous(name, values, by);
  const numeric = distinct.every((value) => typeof value === "number");
  if (numeric) distinct.sort((one, other) => one - other);
  const palette = CHOICES[theme()];
  const shade = (index) => (numeric && distinct.length > 2 ? ramp(index / (distinct.length - 1)) : palette[index % palette.length]);
  const colours = new Map(distinct.map((value, index) => [asText(value), shade(index)]));
  return {
    name,
    of: (run) => colours.get(asText(colourValue(run, by))),
    entries: distinct.map((value) => ({ label: short(value), colour: colours.get(asText(value)), filter: `${quoted(name)}=${quoted(asText(value))}` })),
  };
}

function continuous(name, values, by) {
  const known = values.filter((value) => Number.isFinite(value));
  const low = Math.min(...known), high = Math.max(...known);
  const isLog = kindOf(values) === "log";
  const on = (value) => (isLog ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low));
  return {
    name, low, high,
    of: (run) => {
      const value = colourValue(run, by);
      return Number.isFinite(value) ? ramp(Math.round(on(value) * BINS) / BINS) : variable("--waiting");
    },
  };
}

function colourValue(run, by) {
  if (by === "state") return run.state;
  if (by === "sweep") return run.sweep;
  if (by === "value") return valueOf(run, choice.metric, choice.kind, choice.greatest);
  return run.axes[Number(by.slice(5))];
}

const quoted = (text) => (/[\s<>=!~"]/.test(text) ? `"${text.replaceAll('"', "")}"` : text);
