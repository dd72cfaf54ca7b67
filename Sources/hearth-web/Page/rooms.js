// The rooms as cards.
import { announce, byId, decimal, degrees, momentIn, say, sayCount, shown, spoken, write } from "./words.js";
import { age, isControlUp, state } from "./state.js";
import { addControls, showControls } from "./controls.js";
import { showCharts } from "./charts.js";

export const cards = new Map();

const people = { cli: "at a terminal", page: "from this page", cloud: "by the cloud", "home-assistant": "by Home Assistant" };
export const who = (source) => source in people ? say(people[source]) : say("by {source}", { source: shown(source) });

const presets = { frost: "Frost", eco: "Eco", comfort: "Comfort" };
export const presetName = (preset) => preset in presets ? say(presets[preset]) : shown(preset);

function newCard(name) {
  const card = byId("room-template").content.firstElementChild.cloneNode(true);
  const part = (selector) => card.querySelector(selector);
  const title = `room-${cards.size}-${Math.random().toString(36).slice(2)}`;
  part("h3").id = title;
  card.setAttribute("aria-labelledby", title);
  card.dataset.room = name;
  write(part(".name"), shown(name));
  part("h3").title = shown(name);
  part(".table-scroll").setAttribute("aria-label", say("Table of {room}", { room: shown(name) }));
  const fold = part(".fold");
  fold.setAttribute("aria-label", say("More of {room}", { room: shown(name) }));
  fold.addEventListener("click", () => {
    const isOpen = card.dataset.open !== "true";
    card.dataset.open = String(isOpen);
    fold.setAttribute("aria-expanded", String(isOpen));
    showCharts();
  });
  addControls(card, name);
  part("details.numbers").addEventListener("toggle", showCharts);
  return card;
}

export function showRooms() {
  const { status } = state, grid = byId("room-grid"), names = new Set(status.rooms.map((room) => room.room));
  for (const [name, card] of cards) {
    if (!names.has(name)) { card.remove(); cards.delete(name); }
  }
  const isNew = status.rooms.some((room) => !cards.has(room.room));
  status.rooms.forEach((room, index) => {
    if (!cards.has(room.room)) cards.set(room.room, newCard(room.room));
    const card = cards.get(room.room);
    if (grid.children[index] !== card) grid.insertBefore(card, grid.children[index] ?? null);
    showRoom(card, room);
  });
  grid.dataset.many = String(status.rooms.length > 4);
  byId("no-rooms").hidden = status.rooms.length > 0;
  if (isNew) showCharts();
}

function showRoom(card, room) {
  const part = (selector) => card.querySelector(selector), isKnown = isControlUp();
  if (isKnown && card.dataset.pump && card.dataset.pump !== "unknown" && card.dataset.pump !== room.pump) {
    announce(room.pump === "on" ? say("{room}: heat pump on", { room: shown(room.room) }) : say("{room}: heat pump off", { room: shown(room.room) }));
  }
  card.dataset.pump = isKnown ? room.pump : "unknown";
  card.dataset.stale = String(room.stale);
  card.dataset.known = String(isKnown);
  write(part(".value"), room.temperature === null ? "–" : decimal(room.temperature));
  write(part(".pump-text"), !isKnown ? say("Not known") : room.pump === "on" ? say("Heating")
    : room.pump === "off" ? say("Off") : say("Not decided"));
  write(part(".reason"), state.lost === null ? reasonOf(room) : lastKnown(room));
  write(part(".target"), limitsOf(room));
  const measured = measuresOf(room);
  part(".measures").hidden = measured === "";
  write(part(".measures"), measured);
  const held = state.lost === null ? heldText(room) : "";
  part(".override-state").hidden = held === "";
  write(part(".override-state"), held);
  const finding = state.lost === null ? findingOf(room) : "";
  part(".finding").hidden = finding === "";
  write(part(".finding"), finding);
  showControls(card, room, state.lost === null);
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

// Of a gateway that does not answer: how old everything here is.
function lastKnown(room) {
  if (room.temperature === null || room.readingAgeSeconds === null) return say("Nothing is known of this room.");
  return say("This temperature is {age} old; nothing newer is known.", { age: spoken(room.readingAgeSeconds + age()) });
}

function reasonOf(room) {
  const parts = [shown(room.reason || "")];
  if (room.discarded > 0 && (room.temperature === null || room.stale)) {
    parts.push(sayCount(room.discarded, "1 reading was discarded as a sensor's fault", "{n} readings were discarded as a sensor's fault"));
  }
  if (room.stale && room.readingAgeSeconds !== null) parts.push(say("the last reading is {age} old", { age: spoken(room.readingAgeSeconds) }));
  if (room.waitingSeconds !== null && room.waitingSeconds !== undefined) {
    parts.push(say("waits {time} for the compressor", { time: spoken(room.waitingSeconds) }));
  }
  if (room.pumpSeconds !== null && !room.stale && (room.pump === "on" || room.pump === "off")) {
    parts.push(say(room.pump === "on" ? "on for {time}" : "off for {time}", { time: spoken(room.pumpSeconds) }));
  }
  return capital(parts.filter(Boolean).join("; "));
}

function limitsOf(room) {
  const limits = say("starts below {low}, stops above {high}", { low: degrees(room.onBelow), high: degrees(room.offAbove) });
  const name = room.hold ? "" : room.preset ? `${presetName(room.preset)}: ` : "";
  return capital(name + limits);
}

// What the room measures beside its temperature. Names that are not known are shown as they are.
function measuresOf(room) {
  return (state.status.measures ?? []).filter((one) => one.room === room.room && one.value !== null)
    .map((one) => `${capital(say(shown(one.measure).replaceAll("_", " ")))} ${decimal(one.value)} ${shown(one.unit)}`.trim())
    .join(" · ");
}

// What somebody asked for, and when it ends.
function heldText(room) {
  const held = room.override ?? room.hold;
  if (!held) return "";
  const by = who(held.source);
  const what = room.override
    ? say(room.override.pump === "on" ? "Switched on {who}." : "Switched off {who}.", { who: by })
    : say("Holds {target}, set {who}.", { target: targetText(room.hold.target), who: by });
  const left = held.secondsLeft;
  const end = left === null || left === undefined ? say("Until it is changed.")
    : say("Automatic again at {time}, in {left}.", { time: momentIn(left), left: spoken(left) });
  const then = room.hold && !room.override && room.scheduled ? ` ${say("The schedule says {preset} now.", { preset: presetName(room.scheduled) })}` : "";
  return `${what} ${end}${then}`;
}

export const targetText = (target) => Number.isFinite(Number(target)) ? degrees(target) : presetName(target);

// What the room's own alarm says, unless the reason says it already.
function findingOf(room) {
  const alarm = (state.status.alarms ?? []).find((one) => one.room === room.room && !(room.reason && one.text.includes(room.reason)));
  if (alarm) return `${capital(shown(alarm.text))}. ${capital(shown(alarm.advice))}`;
  return room.pumpProblem ? capital(shown(room.pumpProblem)) : "";
}
