// The charts of all rooms, and the same as tables.
import { clock, degrees, fixed, moment, say, shown, write } from "./words.js";
import { isControlUp, state } from "./state.js";
import { cards } from "./rooms.js";
import { draw } from "./chart.js";

export async function loadHistory() {
  if (document.hidden || state.status === null || state.lost !== null) return;
  const wanted = state.span;
  try {
    const response = await fetch(`history?span=${wanted}`);
    if (!response.ok || wanted !== state.span) return;
    state.history = await response.json();
    showCharts();
  } catch {
    // The stream says that there is no connection.
  }
}

for (const button of document.querySelectorAll("button[data-span]")) {
  button.addEventListener("click", () => {
    state.span = button.dataset.span;
    for (const other of document.querySelectorAll("button[data-span]")) other.setAttribute("aria-pressed", String(other === button));
    loadHistory();
  });
}

const known = (values) => values.filter((value) => value !== null);

// From when on there are readings, if not for the whole period.
function period(data) {
  const start = data.start + data.step;
  if (data.since !== null && data.since > start) return say("Since {time}", { time: moment(data.since) });
  return state.span === "hour" ? say("Last hour") : say("Last 24 hours");
}

// A minimum is a reading's, not that of a step's mean.
function summaryOf(data) {
  const [low, high, shares] = [known(data.low), known(data.high), known(data.pump)];
  if (low.length === 0) return say("No readings in this time.");
  const text = say("{low} to {high}", { low: degrees(Math.min(...low)), high: degrees(Math.max(...high)) });
  if (shares.length === 0) return text;
  const share = Math.round(100 * shares.reduce((sum, one) => sum + one, 0) / shares.length);
  return text + say(", heat pump on {share}\u{a0}%", { share });
}

function dataOf(room) {
  const { history } = state, empty = Array(history.count).fill(null), found = history.rooms.find((one) => one.room === room.room);
  const temperature = found?.temperature ?? empty;
  return { ...history, temperature, low: found?.low ?? temperature, high: found?.high ?? temperature,
    pump: found?.pump ?? empty, since: fixed(found?.since) };
}

export function showCharts() {
  const { history, status } = state;
  if (history === null || status === null) return;
  const now = Date.now() / 1000;
  for (const room of status.rooms) {
    const card = cards.get(room.room);
    if (!card) continue;
    const data = dataOf(room), caption = card.querySelector(".caption");
    const text = `${period(data)}: ${summaryOf(data)}` + (history.isComplete ? "" : ` ${say("(still reading the journal)")}`);
    write(caption, text);
    draw(card.querySelector(".chart"), data, {
      low: fixed(room.onBelow), high: fixed(room.offAbove), now, span: state.span,
      temperature: room.stale || !isControlUp() ? null : fixed(room.temperature), label: `${shown(room.room)}. ${text}`,
      caption: (hint) => write(caption, hint ?? text),
    });
    if (card.querySelector("details.numbers").open) showTable(card, data);
  }
}

// Twelve rows for an hour, 24 for a day, newest first. A row begins with its first reading, not before it.
function showTable(card, data) {
  const size = state.span === "hour" ? 30 : 12, rows = [];
  for (let end = data.count; end > 0; end -= size) {
    const from = Math.max(0, end - size), mean = (values) => {
      const some = known(values.slice(from, end));
      return some.length === 0 ? null : some.reduce((sum, value) => sum + value, 0) / some.length;
    };
    const [temperature, pump] = [mean(data.temperature), mean(data.pump)];
    if (temperature === null && pump === null) continue;
    const begin = Math.max(data.start + data.step * from, data.since ?? 0);
    const low = known(data.low.slice(from, end)), high = known(data.high.slice(from, end));
    const row = document.createElement("tr");
    for (const text of [clock(begin), temperature === null ? "–" : degrees(temperature),
      low.length === 0 ? "–" : degrees(Math.min(...low)), high.length === 0 ? "–" : degrees(Math.max(...high)),
      pump === null ? "–" : `${Math.round(pump * 100)} %`]) {
      const cell = document.createElement("td");
      cell.textContent = text;
      row.append(cell);
    }
    rows.push(row);
  }
  card.querySelector("tbody").replaceChildren(...rows);
}
