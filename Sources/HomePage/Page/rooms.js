// The rooms as cards.
import { announce, byId, decimal, degrees, grouped, momentIn, say, sayCount, shown, spoken, symbol, tell, write } from "./words.js";
import { age, isControlUp, state } from "./state.js";
import { addControls, showControls } from "./controls.js";
import { showCharts } from "./charts.js";
import { addSettings } from "./settings.js";

export const cards = new Map();

const people = { cli: "at a terminal", page: "from this page", cloud: "by the cloud", "home-assistant": "by Home Assistant" };
export const who = (source) => source in people ? say(people[source]) : say("by {source}", { source: shown(source) });

const presets = { frost: "Frost", eco: "Eco", comfort: "Comfort" };
export const presetName = (preset) => preset in presets ? say(presets[preset]) : shown(preset);

// What people call a room.
export const nameOf = (room) => shown(room.name ?? room.room);

function newCard(name) {
  const card = byId("room-template").content.firstElementChild.cloneNode(true);
  const part = (selector) => card.querySelector(selector);
  const title = `room-${cards.size}-${Math.random().toString(36).slice(2)}`;
  part("h3").id = title;
  card.setAttribute("aria-labelledby", title);
  card.dataset.room = name;
  const fold = part(".fold");
  fold.addEventListener("click", () => {
    const isOpen = card.dataset.open !== "true";
    card.dataset.open = String(isOpen);
    fold.setAttribute("aria-expanded", String(isOpen));
    showCharts();
  });
  addControls(card, name);
  addSettings(card, name);
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
  byId("rooms").dataset.empty = String(status.rooms.length === 0);
  byId("no-rooms").hidden = status.rooms.length > 0;
  if (isNew) showCharts();
}

// The card's own name, and that of everything in it for those who do not see it.
function nameCard(card, room) {
  const part = (selector) => card.querySelector(selector), name = nameOf(room), values = { room: name };
  if (card.dataset.name === name) return;
  card.dataset.name = name;
  write(part(".name"), name);
  part("h3").title = shown(room.room);
  for (const [selector, label] of [[".table-scroll", "Table of {room}"], [".fold", "More of {room}"], [".pumps", "Heat pump of {room}"],
    [".presets", "Preset of {room}"], ["select", "How long what you ask of {room} lasts"], [".dial", "Temperature of {room}"],
    [".degrees", "Temperature of {room}, as a number"], [".less", "Colder: {room}"], [".more", "Warmer: {room}"]]) {
    part(selector).setAttribute("aria-label", say(label, values));
  }
}

function showRoom(card, room) {
  const part = (selector) => card.querySelector(selector), isKnown = isControlUp();
  nameCard(card, room);
  if (isKnown && card.dataset.pump && card.dataset.pump !== "unknown" && card.dataset.pump !== room.pump) {
    const values = { room: nameOf(room) };
    announce(room.pump === "on" ? say("{room}: heat pump on", values) : say("{room}: heat pump off", values));
  }
  card.dataset.pump = isKnown ? room.pump : "unknown";
  card.dataset.stale = String(room.stale);
  card.dataset.known = String(isKnown);
  write(part(".unit"), symbol());
  write(part(".value"), room.temperature === null ? "–" : decimal(room.temperature));
  write(part(".pump-text"), !isKnown ? say("Not known") : room.pump === "on" ? say("Heating")
    : room.pump === "off" ? say("Off") : say("Not decided"));
  write(part(".reason"), state.lost === null ? reasonOf(room) : lastKnown(room));
  write(part(".target"), limitsOf(room));
  const measured = measuresOf(room.room);
  part(".measures").hidden = measured === "";
  write(part(".measures"), measured);
  const devices = isKnown ? devicesOf(room) : "";
  part(".devices").hidden = devices === "";
  write(part(".devices"), devices);
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
  const parts = [tell(room.say?.reason, room.reason)];
  if (room.discarded > 0 && (room.temperature === null || room.stale)) {
    parts.push(sayCount(room.discarded, "1 reading was discarded as a sensor's fault", "{n} readings were discarded as a sensor's fault"));
  }
  if (room.stale && room.readingAgeSeconds !== null) parts.push(say("the last reading is {age} old", { age: spoken(room.readingAgeSeconds) }));
  if (room.waiting) parts.push(tell(room.say?.waiting, room.waiting));
  else if (room.waitingSeconds !== null && room.waitingSeconds !== undefined) {
    parts.push(say("waits {time} for the compressor", { time: spoken(room.waitingSeconds) }));
  }
  if (room.pumpSeconds !== null && !room.stale && (room.pump === "on" || room.pump === "off")) {
    parts.push(say(room.pump === "on" ? "on for {time}" : "off for {time}", { time: spoken(room.pumpSeconds) }));
  }
  return capital(parts.filter(Boolean).join("; "));
}

function limitsOf(room) {
  if (room.mode === "off") return "";
  const limits = say("starts below {low}, stops above {high}", { low: degrees(room.onBelow), high: degrees(room.offAbove) });
  const name = room.hold ? "" : room.preset ? `${presetName(room.preset)}: ` : "";
  return capital(name + limits);
}

// What a room measures beside its temperature, and how long ago if that is long. Names that are not known are shown as they are.
export function measuresOf(name) {
  return (state.status.measures ?? []).filter((one) => one.room === name && one.value !== null).map((one) => {
    const value = `${capital(say(shown(one.measure).replaceAll("_", " ")))} ${decimal(one.value)} ${shown(one.unit)}`.trim();
    return one.ageSeconds > 3600 ? `${value} (${say("{age} old", { age: spoken(one.ageSeconds) })})` : value;
  }).join(" · ");
}

// What its heat pump and its valve say of themselves, where they say anything.
function deviceText(device, name, on, off) {
  if (!device) return "";
  const parts = [];
  if (device.available === false) parts.push(say("not reachable"));
  else if (device.confirmed === false) parts.push(say("has not confirmed yet"));
  else if (device.says !== null) parts.push(device.says === "on" ? on : off);
  if (device.watts !== null) parts.push(`${grouped(Math.round(device.watts))} W`);
  return parts.length === 0 ? "" : `${name}: ${parts.join(", ")}`;
}

const devicesOf = (room) => [
  deviceText(room.device, say("Heat pump {name}", { name: shown(room.device?.name ?? "") }), say("runs"), say("rests")),
  deviceText(room.valve, say("Valve"), say("open"), say("closed")),
].filter(Boolean).join(" · ");

// What somebody asked for, and when it ends.
function heldText(room) {
  const held = room.override ?? room.hold, isOff = room.mode === "off";
  if (!held) return isOff ? say("Off until it is switched to automatic. Against frost it heats all the same.") : "";
  const by = who(held.source);
  const what = room.override
    ? say(room.override.pump === "on" ? "Switched on {who}." : "Switched off {who}.", { who: by })
    : say("Holds {target}, set {who}.", { target: targetText(room.hold.target), who: by });
  if (isOff && !room.override) return say("Off until it is switched to automatic; {target} is kept for then.", { target: targetText(room.hold.target) });
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
  // That its sensor is silent is what the reason says already.
  if (alarm?.name === "room-blind") return capital(tell(alarm.say?.advice, alarm.advice));
  if (alarm) return `${capital(tell(alarm.say?.text, alarm.text))}. ${capital(tell(alarm.say?.advice, alarm.advice))}`;
  return room.pumpProblem ? capital(tell(room.say?.pumpProblem, room.pumpProblem)) : "";
}
