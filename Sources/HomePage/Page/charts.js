// The charts of all rooms, and the same as tables.
import { byId, date, decimal, degrees, fixed, fromCelsius, moment, say, shown, stamp, write } from "./words.js";
import { isControlUp, state } from "./state.js";
import { cards, nameOf } from "./rooms.js";
import { draw } from "./chart.js";

// What a period is called, and how often it is worth asking for it anew.
const periods = {
  hour: { name: "Last hour", every: 5 }, day: { name: "Last 24 hours", every: 5 }, week: { name: "Last 7 days", every: 60 },
  month: { name: "Last 31 days", every: 300 }, year: { name: "Last 12 months", every: 300 },
};
let loaded = { span: null, at: 0 };

export async function loadHistory() {
  if (document.hidden || state.status === null || state.lost !== null) return;
  const wanted = state.span, now = performance.now() / 1000;
  if (loaded.span === wanted && now - loaded.at < periods[wanted].every - 1) return;
  try {
    const response = await fetch(`history?span=${wanted}`);
    if (!response.ok || wanted !== state.span) return;
    state.history = await response.json();
    loaded = { span: wanted, at: now };
    showCharts();
  } catch {
    // The stream says that there is no connection.
  }
}

const spans = document.querySelectorAll("button[data-span]");
for (const button of spans) {
  button.addEventListener("click", () => {
    state.span = button.dataset.span;
    for (const other of spans) other.setAttribute("aria-pressed", String(other === button));
    byId("csv").href = `history.csv?span=${state.span}`;
    loadHistory();
  });
}

const known = (values) => values.filter((value) => value !== null);

// From when on there are readings, if not for the whole period.
function period(data) {
  const start = data.start + data.step;
  if (data.since !== null && data.since > start) return say("Since {time}", { time: moment(data.since) });
  return say(periods[state.span].name);
}

// How long the pump ran: as a share of the time up to a day, beyond that hours and starts of an average day.
function pumpText(data) {
  const shares = known(data.pump);
  if (shares.length === 0) return "";
  const share = shares.reduce((sum, one) => sum + one, 0) / shares.length, starts = known(data.starts);
  if (starts.length === 0) return say(", heat pump on {share}\u{a0}%", { share: Math.round(100 * share) });
  const days = starts.length * data.step / 86400, count = starts.reduce((sum, one) => sum + one, 0);
  return say(", heat pump on {hours}\u{a0}h and started {starts}\u{a0}times a day",
    { hours: decimal(24 * share), starts: days < 1 ? count : decimal(count / days) });
}

// A minimum is a reading's, not that of a step's mean.
function summaryOf(data) {
  const [low, high, mean] = [known(data.low), known(data.high), known(data.temperature)];
  if (low.length === 0) return say("No readings in this time.");
  const text = say("{low} to {high}", { low: degrees(Math.min(...low)), high: degrees(Math.max(...high)) });
  const middle = say(", mean {mean}", { mean: degrees(mean.reduce((sum, one) => sum + one, 0) / mean.length) });
  return text + middle + pumpText(data) + outdoorText();
}

// The same for every room: the house has one temperature outdoors, or none.
function outdoorText() {
  const [low, high] = ["low", "high"].map((name) => known(state.history.outdoor?.[name] ?? []).map(fromCelsius));
  if (low.length === 0) return "";
  return say(", outdoors {low} to {high}", { low: degrees(Math.min(...low)), high: degrees(Math.max(...high)) });
}

function dataOf(room) {
  const { history } = state, empty = Array(history.count).fill(null), found = history.rooms.find((one) => one.room === room.room);
  const inUnit = (values) => values.map(fromCelsius), temperature = inUnit(found?.temperature ?? empty);
  return { ...history, temperature, low: inUnit(found?.low ?? empty), high: inUnit(found?.high ?? empty),
    outdoor: history.outdoor ? inUnit(history.outdoor.temperature) : null, pump: found?.pump ?? empty, starts: found?.starts ?? [], since: fixed(found?.since) };
}

export function showCharts() {
  const { history, status } = state;
  if (history === null || status === null) return;
  const now = Date.now() / 1000;
  byId("legend-outdoor").hidden = !history.outdoor;
  for (const room of status.rooms) {
    const card = cards.get(room.room);
    if (!card) continue;
    const data = dataOf(room), caption = card.querySelector(".caption");
    const text = `${period(data)}: ${summaryOf(data)}` + (history.isComplete ? "" : ` ${say("(still reading the journal)")}`);
    write(caption, text);
    draw(card.querySelector(".chart"), data, {
      low: fixed(room.onBelow), high: fixed(room.offAbove), now, span: state.span,
      temperature: room.stale || !isControlUp() ? null : fixed(room.temperature), label: `${nameOf(room)}. ${text}`,
      caption: (hint) => write(caption, hint ?? text),
    });
    if (card.querySelector("details.numbers").open) showTable(card, data);
  }
}

// Twelve rows for an hour, 24 for a day, one for each day beyond, newest first. A row begins with its first reading.
function showTable(card, data) {
  const size = state.span === "hour" ? 30 : state.span === "day" ? 12 : Math.round(86400 / data.step), rows = [];
  for (let end = data.count; end > 0; end -= size) {
    const from = Math.max(0, end - size), mean = (values) => {
      const some = known(values.slice(from, end));
      return some.length === 0 ? null : some.reduce((sum, value) => sum + value, 0) / some.length;
    };
    const [temperature, pump, outdoor] = [mean(data.temperature), mean(data.pump), mean(data.outdoor ?? [])];
    if (temperature === null && pump === null) continue;
    const begin = Math.max(data.start + data.step * from, data.since ?? 0);
    const low = known(data.low.slice(from, end)), high = known(data.high.slice(from, end));
    const row = document.createElement("tr");
    for (const text of [data.step * size < 86400 ? stamp(begin, state.span) : date(begin), temperature === null ? "–" : degrees(temperature),
      low.length === 0 ? "–" : degrees(Math.min(...low)), high.length === 0 ? "–" : degrees(Math.max(...high)),
      pump === null ? "–" : `${Math.round(pump * 100)} %`,
      ...(data.outdoor ? [outdoor === null ? "–" : degrees(outdoor)] : [])]) {
      const cell = document.createElement("td");
      cell.textContent = text;
      row.append(cell);
    }
    rows.push(row);
  }
  card.querySelector("th.outdoor").hidden = !data.outdoor;
  card.querySelector("tbody").replaceChildren(...rows);
}
