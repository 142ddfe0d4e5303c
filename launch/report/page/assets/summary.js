// The head of the page: states, hours, the best point, failures, where it came from.

function drawSummary() {
  byId("title").textContent = DATA.title;
  const made = new Date(DATA.made);
  const many = `${RUNS.length.toLocaleString("en")} experiment${RUNS.length === 1 ? "" : "s"}`;
  byId("subtitle").textContent = `${many}, as of ${made.toLocaleString("en-GB", { dateStyle: "long", timeStyle: "short" })}`
    + (DATA.is_over ? "" : " · not over yet: load the page again for news of a report that is written again");
  drawFailures();
  const facts = byId("provenance");
  for (const [label, text] of DATA.provenance) facts.append(make("dt", label), make("dd", text));
}

function drawStates() {
  const counts = new Map();
  for (const run of RUNS) counts.set(run.state, (counts.get(run.state) ?? 0) + 1);
  const bar = make("div", undefined, { class: "bar", "aria-hidden": "true" });
  const names = make("div", undefined, { class: "names" });
  for (const [state, count] of [...counts].sort((one, other) => other[1] - one[1])) {
    const part = make("span");
    part.style.cssText = `flex:${count};background:${stateColour(state)}`;
    bar.append(part);
    names.append(chip(`${count.toLocaleString("en")} ${state}`, stateColour(state), `state=${state}`));
  }
  byId("states").replaceChildren(bar, names);
}

// A colour and a word; a click shows only these, another one all again.
function chip(text, colour, filter) {
  const button = make("button", undefined, { class: "chip", type: "button", title: `show only ${filter}` });
  const square = make("i");
  square.style.background = colour;
  button.append(square, make("span", cut(text, 60)));
  button.addEventListener("click", () => change({ filter: choice.filter === filter ? "" : filter }));
  return button;
}

function bestRun(runs = RUNS) {
  let best = null;
  for (const run of runs) {
    const value = valueOf(run, choice.metric, choice.kind, choice.greatest);
    if (value === null || !Number.isFinite(value)) continue;
    const former = best && valueOf(best, choice.metric, choice.kind, choice.greatest);
    if (best === null || (choice.greatest ? value > former : value < former)) best = run;
  }
  return best;
}

const MOST_IN_CARD = 8;

function drawCards() {
  const sum = (key) => RUNS.reduce((total, run) => total + (run[key] ?? 0), 0);
  const ran = sum("hours"), repeated = sum("repeated"), gpus = sum("gpu_hours");
  const queued = RUNS.filter((run) => run.queued !== null);
  const share = repeated ? `${(100 * repeated / ran).toFixed(1)} % of the hours of ` : "";
  const attempts = sum("attempts"), best = bestRun();
  const cards = [];
  if (best) {
    const value = valueOf(best, choice.metric, choice.kind, choice.greatest);
    const facts = AXES.map((axis, place) => `${axis.label} ${short(best.axes[place])}`);
    if (facts.length > MOST_IN_CARD) facts.splice(MOST_IN_CARD, Infinity, `${facts.length - MOST_IN_CARD} more`);
    const axes = facts.join(", ");
    // Of other metrics nobody has said which way is better.
    const word = choice.metric === DATA.main ? "best" : choice.greatest ? "greatest" : "least";
    cards.push([`${word} ${choice.metric}`, short(value), AXES.length ? `${best.id}: ${axes}` : best.id]);
  }
  cards.push(["useful", hoursText(ran - repeated), gpus ? `${hoursText(gpus)} of GPUs in all` : "of wall time, over all experiments"]);
  cards.push(["repeated after a kill", hoursText(repeated), `${share}${attempts.toLocaleString("en")} attempt${attempts === 1 ? "" : "s"}`]);
  cards.push(queued.length
    ? ["waiting in the queue", hoursText(sum("queued")), `${hoursText(sum("queued") / queued.length)} on average`]
    : ["waiting in the queue", "–", "no record of a queue"]);
  byId("cards").replaceChildren(...cards.map(([label, text, more]) => {
    const card = make("div"), value = make("dd", text);
    value.append(make("small", more));
    card.append(make("dt", label), value);
    return card;
  }));
}

function drawFailures() {
  if (!DATA.failures.length) return;
  const host = byId("failures");
  host.append(make("h3", "What failed, and why"));
  for (const { cause, text, runs } of DATA.failures) {
    const details = make("details");
    details.append(make("summary", `${runs.length.toLocaleString("en")} × ${cause}`));
    details.append(make("p", runs.slice(0, 20).map((run) => RUNS[run].id).join(" ") + (runs.length > 20 ? " …" : ""), { class: "quiet" }));
    if (text) details.append(make("pre", text));
    host.append(details);
  }
}
