// The page put together: controls, themes, and what is drawn when.

function option(select, value, text) {
  byId(select).append(make("option", text, { value }));
}

function fillControls() {
  METRICS.filter((name) => DATA.curves[name]).forEach((name) => option("metric", name, name));
  option("kind", "last", "last");
  option("kind", "best", DATA.greatest ? "greatest" : "least");
  AXES.forEach((axis, place) => option("colour", `axis:${place}`, axis.label));
  option("colour", "value", "the metric's value");
  option("colour", "state", "state");
  if (new Set(RUNS.map((run) => run.sweep)).size > 1) option("colour", "sweep", "sweep");
  const first = AXES.findIndex((axis) => !axis.is_seed);
  const ranked = DATA.importance[choice.metric]?.effects ?? [];
  const top = [...ranked].sort((one, other) => other.share - one.share)[0]?.axis;
  const place = AXES.findIndex((axis) => axis.path === top);
  choice.colour = place >= 0 ? `axis:${place}` : first >= 0 ? `axis:${first}` : "state";
  byId("seeds-label").hidden = !AXES.some((axis) => axis.is_seed);
}

function connect() {
  for (const key of ["metric", "kind", "colour", "x"]) {
    byId(key).value = choice[key];
    byId(key).addEventListener("change", (event) => change({ [key]: event.target.value }));
  }
  for (const key of ["log", "seeds"]) byId(key).addEventListener("change", (event) => change({ [key]: event.target.checked }));
  byId("smoothing").addEventListener("input", (event) => change({ smoothing: Number(event.target.value) }));
  byId("filter").addEventListener("input", (event) => change({ filter: event.target.value }));
  byId("controls").addEventListener("submit", (event) => event.preventDefault());
  byId("clear").addEventListener("click", () => { change({ filter: "" }); clearBrush(); });
  byId("zoom").addEventListener("click", () => drawCurves());
  byId("curves").addEventListener("keydown", curvesByKey);
  byId("curves").addEventListener("blur", hideTip);
  byId("table").addEventListener("keydown", tableByKey);
  byId("csv").addEventListener("click", saveCsv);
  for (const id of ["one", "other", "same"]) byId(id).addEventListener("change", () => drawCompare());
  byId("theme").addEventListener("click", () => setTheme(theme() === "dark" ? "light" : "dark"));
}

const preferred = () => (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");

function setTheme(name) {
  if (theme() === name) return;
  document.documentElement.dataset.theme = name;
  change({ theme: name });
}

function drawCount() {
  const isCut = shown.size < RUNS.length;
  byId("count").textContent = isCut ? `${shown.size.toLocaleString("en")} of ${RUNS.length.toLocaleString("en")}` : "";
  byId("clear").hidden = !isCut;
  if (byId("filter").value !== choice.filter) byId("filter").value = choice.filter;
}

function listen() {
  onChange(["theme", "metric", "kind", "colour", "x", "smoothing", "log", "seeds", "shown"], drawCurves);
  onChange(["theme", "metric", "kind", "colour"], drawLegend);
  onChange(["focus"], () => { drawFocus(); markRows(); if (choice.focus !== null) { byId("one").value = String(choice.focus); drawCompare(); } });
  onChange(["theme", "metric", "kind"], drawCards);
  onChange(["theme"], drawStates);
  onChange(["theme", "metric", "kind", "colour", "filter"], drawParallel);
  onChange(["metric"], drawImportance);
  onChange(["theme", "metric", "kind", "colour", "shown"], drawScatters);
  onChange(["shown"], filterTable);
  onChange(["metric"], drawTable); // its colours are the page's: paper can't wait for another one
  onChange(["theme", "metric", "x", "smoothing", "log"], drawCompare);
  onChange(["shown", "filter"], drawCount);
}

function followSize() {
  let waiting = 0;
  new ResizeObserver(() => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      for (const id of ["curves", "pair"]) {
        const host = byId(id), box = host.getBoundingClientRect();
        if (host.plot && host.plot.width !== box.width) host.plot.setSize({ width: box.width, height: box.height });
      }
      [byId("parallel"), ...byId("scatters").children].forEach((host) => host.chart?.resize());
      drawFocus();
    }, 120);
  }).observe(document.body);
}

// Paper is light, whatever the screen is, and nothing on it can be opened or turned.
function followPrinter() {
  let former = null, closed = [];
  addEventListener("beforeprint", () => {
    former = theme();
    closed = [...byId("failures").querySelectorAll("details:not([open])")];
    closed.forEach((details) => { details.open = true; });
    tableOnPaper(true);
    setTheme("light");
  });
  addEventListener("afterprint", () => {
    setTheme(former);
    tableOnPaper(false);
    closed.forEach((details) => { details.open = false; });
  });
}

// What needs axes, results, or a second run to say anything.
function hideEmpty() {
  const isBare = !AXES.length || !RUNS.some((run) => run.last.some(Number.isFinite));
  for (const [name, isEmpty] of [["parallel", isBare], ["axes", isBare], ["compare", RUNS.length < 2]]) {
    byId(`${name}-section`).hidden = isEmpty;
    document.querySelector(`nav a[href="#${name}-section"]`).hidden = isEmpty;
  }
  if (!METRICS.length) document.documentElement.dataset.bare = "";
}

async function start() {
  document.documentElement.dataset.theme = preferred();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => setTheme(preferred()));
  hideEmpty();
  fillControls();
  connect();
  listen();
  drawSummary();
  drawStates();
  drawCards();
  drawLegend();
  await drawCurves();
  drawParallel();
  drawImportance();
  drawScatters();
  drawTable();
  fillCompare();
  await drawCompare();
  drawPictures();
  followSize();
  followPrinter();
  // For whoever measures: all is drawn, after so many milliseconds.
  document.documentElement.dataset.drawn = String(Math.round(performance.now()));
}

start();
