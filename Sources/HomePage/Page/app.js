// The stream of statuses, and what is shown when it falls silent.
import { exactClock, say, shown, write, byId, announce, useUnit } from "./words.js";
import { state } from "./state.js";
import { showSummary, showAlarms } from "./summary.js";
import { showRooms } from "./rooms.js";
import { showHouse } from "./controls.js";
import { showLinks, showBacklog, showFacts } from "./box.js";
import { loadHistory, showCharts } from "./charts.js";
import "./found.js";

// The gateway's word comes each second. Without one for this long the page does not know how the house is; the box says
// by itself, every four seconds, that the gateway does not answer.
const patience = { live: 4000, lost: 9000 };
let lastEvent = performance.now();

function showAll() {
  byId("live").dataset.state = state.lost === null ? "live" : "lost";
  document.body.dataset.state = state.lost === null ? "live" : "lost";
  write(byId("live-text"), state.lost === null ? say("Live, {time}", { time: exactClock(Date.now() / 1000) })
    : say("Not live: {reason}", { reason: say(state.lost.reason) }));
  showSummary();
  showAlarms();
  if (state.status === null) return;
  useUnit(state.status.temperatureUnit);
  showRooms();
  showHouse();
  showLinks();
  showBacklog();
  showFacts();
}

function lose(kind, reason) {
  const isNews = state.lost === null || state.lost.kind !== kind;
  state.lost = { kind, reason };
  showAll();
  if (isNews) announce(`${byId("headline").textContent}. ${byId("subline").textContent}`);
}

function listen() {
  const events = new EventSource("events");
  events.addEventListener("status", (event) => {
    const isFirst = state.history === null;
    lastEvent = performance.now();
    [state.status, state.heardAt, state.lost] = [JSON.parse(event.data), Date.now(), null];
    showAll();
    if (isFirst) loadHistory();
  });
  events.addEventListener("lost", (event) => {
    lastEvent = performance.now();
    const word = JSON.parse(event.data);
    // A page that was opened only now learns what the gateway said last.
    if (word.status !== null) state.status = word.status;
    state.heardAt = word.ageSeconds === null ? null : Date.now() - word.ageSeconds * 1000;
    lose(word.kind, shown(word.reason));
  });
  events.addEventListener("error", () => {
    lose("away", "no connection to the box");
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, 3000);
  });
}

setInterval(() => {
  const silence = performance.now() - lastEvent;
  if (silence > (state.lost === null ? patience.live : patience.lost)) lose("away", "no news from the box");
  else if (state.lost !== null) showAll();  // what is shown grows older
}, 1000);
setInterval(loadHistory, 5000);
document.addEventListener("visibilitychange", loadHistory);
window.addEventListener("resize", showCharts);
listen();
