// The table: sorted by a click, cut by the filter and by brushing, exact.

let table = null;
let rowsAPage = 25;
const MOST_ON_PAPER = 1000;

function numbersFirst(one, other, _a, _b, _column, direction) {
  const missing = (value) => value === null || value === undefined || Number.isNaN(value);
  if (missing(one) || missing(other)) {
    const order = missing(one) - missing(other);
    return direction === "asc" ? order : -order; // what is missing is last, either way
  }
  if (typeof one === "number" && typeof other === "number") return one - other;
  return asText(one).localeCompare(asText(other), "en", { numeric: true });
}

const titled = (text) => () => make("span", text, { title: text });

function textCell(cell) {
  const value = cell.getValue();
  return make("span", short(value), { title: asText(value) });
}

function stateCell(cell) {
  const span = make("span"), dot = make("span", undefined, { class: "dot" });
  dot.style.background = `var(${stateVariable(cell.getValue())})`;
  span.append(dot, cell.getValue());
  span.title = cell.getData().detail;
  return span;
}

// Those of what a run took that any run has.
function facts(named) {
  return named.filter(([name]) => RUNS.some((run) => run[name]))
    .map(([field, title]) => ({ field, title, of: (run) => run[field], number: true }));
}

// Field, title, and a run's value: also the columns of the CSV.
function columnsOf() {
  const several = new Set(RUNS.map((run) => run.sweep)).size > 1;
  const main = METRICS.indexOf(choice.metric);
  const others = METRICS.filter((name) => name !== choice.metric);
  return [
    { field: "id", title: "id", of: (run) => run.id, frozen: innerWidth > 700 },
    ...(several ? [{ field: "sweep", title: "sweep", of: (run) => run.sweep }] : []),
    ...(AXES.length ? [] : [{ field: "name", title: "name", of: (run) => run.name }]),
    { field: "state", title: "state", of: (run) => run.state, formatter: stateCell },
    ...AXES.map((axis, place) => ({ field: `a${place}`, title: axis.label, path: axis.path, of: (run) => run.axes[place] })),
    ...(main < 0 ? [] : [
      { field: "last", title: choice.metric, of: (run) => run.last[main], number: true },
      { field: "best", title: `${choice.metric}:${choice.greatest ? "max" : "min"}`, of: (run) => (choice.greatest ? run.greatest : run.least)[main], number: true },
    ]),
    { field: "hours", title: "hours", of: (run) => run.hours, number: true },
    ...facts([["gpu_hours", "GPU hours"], ["repeated", "repeated (h)"], ["queued", "queued (h)"]]),
    { field: "attempts", title: "attempts", of: (run) => run.attempts, number: true },
    ...facts([["cores_used", "cores used"], ["memory_mb", "memory (MB)"], ["gpu_use", "GPU use (%)"], ["gpu_memory_mb", "GPU memory (MB)"]]),
    ...others.map((name) => ({ field: `m${METRICS.indexOf(name)}`, title: name, of: (run) => run.last[METRICS.indexOf(name)], number: true })),
  ];
}

function rowsOf(columns) {
  return RUNS.map((run) => Object.fromEntries([
    ["index", run.index], ["detail", run.detail], ...columns.map(({ field, of }) => [field, of(run)]),
  ]));
}

function drawTable() {
  const columns = columnsOf();
  table?.destroy();
  table = new tabulator.Tabulator(byId("table"), {
    data: rowsOf(columns), index: "index", layout: "fitData", nestedFieldSeparator: false,
    pagination: "local", paginationSize: rowsAPage, paginationButtonCount: 3, resizableColumns: false,
    placeholder: "", headerSortTristate: true,
    columns: columns.map(({ field, title, frozen, number, formatter }) => ({
      field, title, frozen, titleFormatter: titled(title), formatter: formatter ?? textCell,
      sorter: numbersFirst, hozAlign: number ? "right" : "left", headerHozAlign: number ? "right" : "left",
      minWidth: 60, maxWidth: 320,
    })),
    rowFormatter: (row) => { markRow(row); row.getElement().tabIndex = 0; },
  });
  table.on("tableBuilt", () => filterTable());
  table.on("rowClick", (_event, row) => mark(row.getData().index));
  keepFocus();
}

// Tabulator takes its rows off the page and puts them back whenever its size changes, and
// with them the keyboard's place.
function keepFocus() {
  let row = null;
  table.on("renderStarted", () => { row = table.getRows("visible").find((each) => each.getElement() === document.activeElement); });
  table.on("renderComplete", () => { row?.getElement().focus({ preventScroll: true }); row = null; });
}

// Paper has no pages to turn.
function tableOnPaper(isPrinting) {
  rowsAPage = isPrinting ? Math.min(RUNS.length, MOST_ON_PAPER) : 25;
  if (table?.initialized) table.setPageSize(rowsAPage);
}

const mark = (index) => change({ focus: choice.focus === index ? null : index });

function filterTable() {
  if (!table?.initialized) return;
  table.setFilter((data) => shown.has(data.index));
}

const markRow = (row) => row.getElement().classList.toggle("marked", row.getData().index === choice.focus);

// Nothing is formatted anew: that would take the rows off the page for a moment, and the focus away.
function markRows() {
  table?.getRows("visible").forEach(markRow);
}

function tableByKey(event) {
  const row = event.target.closest?.(".tabulator-row");
  if (!row || !["Enter", " ", "ArrowDown", "ArrowUp"].includes(event.key)) return;
  event.preventDefault();
  if (event.key === "ArrowDown") row.nextElementSibling?.focus();
  else if (event.key === "ArrowUp") row.previousElementSibling?.focus();
  else table.getRows("visible").filter((each) => each.getElement() === row).forEach((each) => mark(each.getData().index));
}

function csvText() {
  const columns = columnsOf();
  const cell = (value) => {
    const text = value === null || value === undefined ? "" : asText(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const runs = table.getRows("active").map((row) => RUNS[row.getData().index]);
  return [columns.map(({ path, title }) => path ?? title), ...runs.map((run) => columns.map(({ of }) => of(run)))]
    .map((row) => `${row.map(cell).join(",")}\n`).join("");
}

function saveCsv() {
  const link = make("a", undefined, { href: URL.createObjectURL(new Blob([csvText()], { type: "text/csv" })), download: "results.csv" });
  link.click();
  URL.revokeObjectURL(link.href);
}
