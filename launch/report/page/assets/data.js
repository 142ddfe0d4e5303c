// The page's data: runs, axes, and curves that are unpacked when they are first drawn.

const DATA = JSON.parse(document.getElementById("data").textContent);
const { runs: RUNS, axes: AXES, metrics: METRICS } = DATA;
RUNS.forEach((run, index) => { run.index = index; });

// JSON has no words for them.
const NO_NUMBERS = { nan: NaN, inf: Infinity, "-inf": -Infinity };
for (const run of RUNS) {
  for (const key of ["last", "least", "greatest"]) run[key] = run[key].map((value) => NO_NUMBERS[value] ?? value);
}

const LARGEST = 65534;
const unpacked = new Map();

async function bytesOf(text) {
  const packed = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// Bytes came least significant first, all curves together; numbers as differences, a curve each.
function undone(bytes, size, counts) {
  const total = bytes.length / size, limit = 256 ** size;
  const numbers = new Float64Array(total);
  let place = 0;
  for (const count of counts) {
    let number = 0;
    for (let index = 0; index < count; index++, place++) {
      let difference = 0;
      for (let plane = size - 1; plane >= 0; plane--) {
        difference = difference * 256 + bytes[plane * total + place];
      }
      number = (number + difference) % limit;
      numbers[place] = number;
    }
  }
  return numbers;
}

async function unpack({ counts, lows, highs, steps, values }) {
  const [stepBytes, valueBytes] = await Promise.all([bytesOf(steps), bytesOf(values)]);
  const allSteps = undone(stepBytes, 4, counts), allValues = undone(valueBytes, 2, counts);
  let start = 0;
  return counts.map((count, run) => {
    const low = lows[run], high = highs[run];
    const part = allValues.subarray(start, start + count);
    const mapped = part.map((number) => (
      number > LARGEST ? NaN : low + (number / LARGEST) * high - (number / LARGEST) * low));
    const curve = count ? { steps: allSteps.subarray(start, start + count), values: mapped } : null;
    start += count;
    return curve;
  });
}

// The curves of a metric, one a run or null; a promise, the same one each time.
function curvesOf(metric) {
  if (!unpacked.has(metric)) {
    const packed = DATA.curves[metric];
    unpacked.set(metric, packed ? unpack(packed) : Promise.resolve(RUNS.map(() => null)));
  }
  return unpacked.get(metric);
}

// Steps of a run as steps, epochs or hours of training.
function over(run, steps, kind) {
  if (kind === "step") return steps;
  const [knots, epochs, hours] = run.clock;
  const to = kind === "epoch" ? epochs : hours;
  let place = 1;
  return steps.map((step) => {
    while (place < knots.length - 1 && knots[place] < step) place++;
    if (knots.length < 2) return to[0] ?? 0;
    const width = knots[place] - knots[place - 1];
    const share = width ? (step - knots[place - 1]) / width : 1;
    return to[place - 1] + share * (to[place] - to[place - 1]);
  });
}

function valueOf(run, metric, kind, greatest) {
  const place = METRICS.indexOf(metric);
  if (place < 0) return null;
  return kind === "last" ? run.last[place] : (greatest ? run.greatest : run.least)[place];
}

// Text of any value of an axis.
function asText(value) {
  if (value === null || value === undefined) return "–";
  if (typeof value === "number" && !Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function short(value) {
  if (value === "") return '""';
  if (!Number.isFinite(value)) return asText(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) {
    return value.toExponential(3).replace(/\.?0+e/, "e").replace("e+", "e");
  }
  return String(Number(value.toPrecision(4)));
}

function hoursText(hours) {
  if (hours === null || hours === undefined) return "–";
  if (hours < 1 / 60) return `${(hours * 3600).toFixed(0)} s`;
  if (hours < 1) return `${(hours * 60).toFixed(0)} min`;
  return `${hours < 100 ? hours.toFixed(1) : Math.round(hours).toLocaleString("en")} h`;
}

// So few numbers are levels of a grid, and stand side by side like choices.
const FEW = 8;

// What an axis is: levels and choices, numbers, or numbers over magnitudes.
function kindOf(values) {
  const known = values.filter((value) => value !== null && value !== undefined);
  const distinct = new Set(known.map(asText));
  if (!known.length || known.some((value) => typeof value !== "number") || distinct.size <= FEW) {
    return "choice";
  }
  const low = Math.min(...known), high = Math.max(...known);
  return low > 0 && high / low >= 50 ? "log" : "number";
}
AXES.forEach((axis, place) => { axis.kind = kindOf(RUNS.map((run) => run.axes[place])); });

// Elements; whatever comes from data goes in as text, never as markup.
function make(tag, text, attributes = {}) {
  const element = document.createElement(tag);
  if (text !== undefined && text !== null) element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}
const byId = (id) => document.getElementById(id);
