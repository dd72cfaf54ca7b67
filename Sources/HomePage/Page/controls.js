// What can be asked for: the pump by hand, a preset, a temperature; each with its end. And off, which has none.
import { byId, choices, momentIn, say, shown, tell, write } from "./words.js";
import { addDial, drawDial } from "./dial.js";
import { targetText } from "./rooms.js";
import { state } from "./state.js";

const tokenIn = (page) => page.querySelector('meta[name="hearth-token"]').content;
let token = tokenIn(document);

const send = (path, body) => fetch(path, {
  method: "POST",
  headers: { "content-type": "application/json", "x-hearth-token": token },
  body: JSON.stringify(body),
});

// Asks the box for something, with a new token when hearth-web was restarted.
export async function post(path, body) {
  let response = await send(path, body);
  if (response.status === 403) {
    const page = await (await fetch("./")).text();
    token = tokenIn(new DOMParser().parseFromString(page, "text/html"));
    response = await send(path, body);
  }
  return { ok: response.ok, json: await response.json() };
}

// What may not be used while the box is being asked, or does not answer.
const changing = "button[data-pump], .set, select, .dial, .degrees, .less, .more, .forget, .settings button, .settings input";
const all = (place, selector) => [...place.querySelectorAll(selector)];

// Why something is not done, in the browser's language where the box says it as a code.
export const refusal = (json) => json.error === undefined ? say("That did not work.") : tell(json.say, json.error);

// Sends a change, and shows its answer in the place where it was asked for.
export async function change(place, path, body, done) {
  const answer = place.querySelector(".answer");
  place.dataset.busy = "true";
  try {
    const { ok, json } = await post(path, body);
    answer.dataset.state = ok ? "good" : "bad";
    write(answer, ok ? done(json) : refusal(json));
    setTimeout(() => { if (answer.dataset.state === "good") write(answer, ""); }, 6000);
    return ok ? json : null;
  } catch {
    answer.dataset.state = "bad";
    write(answer, say("No connection to the box. Nothing was changed."));
    return null;
  } finally {
    place.dataset.busy = "false";
    for (const control of all(place, changing)) control.disabled = false;
  }
}

function doneText(pump, json) {
  if (json.isReachable === false) return say("Noted. It happens when the home broker is reached again.");
  if (pump === "auto") return say("Automatic again.");
  const end = json.secondsLeft === null || json.secondsLeft === undefined ? say("until it is changed")
    : say("until {time}", { time: momentIn(json.secondsLeft) });
  if (pump === "on" || pump === "off") return say(pump === "on" ? "Switched on {end}." : "Switched off {end}.", { end });
  return say("Holds {target} {end}.", { target: targetText(pump), end });
}

// Off and automatic are settings; everything else ends by itself, or when it is changed.
export async function ask(place, room, pump) {
  const where = room === null ? { all: true } : { room };
  if (pump === "off") {
    return await change(place, "set", { ...where, settings: { mode: "off" } },
      () => say("Off until it is switched to automatic. Against frost it heats all the same."));
  }
  const length = place.querySelector("select").value;
  const end = pump === "auto" ? {} : length !== "" ? { seconds: Number(length) } : pump === "on" ? {} : { untilChanged: true };
  return await change(place, "override", { ...where, pump, ...end }, (json) => doneText(pump, json));
}

// Removes a room that nobody needs any more; asked twice, because it goes from sight.
async function forget(name, card, button) {
  if (button.dataset.sure !== "true") {
    button.dataset.sure = "true";
    write(button, say("Remove {room}? It comes back when its sensor speaks.", { room: shown(name) }));
    return;
  }
  await change(card, "forget", { room: name }, () => say("Removed."));
}

export function addControls(card, name) {
  const part = (selector) => card.querySelector(selector);
  for (const button of all(card, "button[data-pump]")) button.addEventListener("click", () => ask(card, name, button.dataset.pump));
  part(".forget").addEventListener("click", () => forget(name, card, part(".forget")));
  const dial = part(".dial"), field = part(".degrees");
  const touch = () => { dial.dataset.touched = "true"; drawDial(card); };
  const choose = (value) => { dial.value = value; field.value = value; touch(); };
  dial.addEventListener("input", () => choose(dial.value));
  field.addEventListener("input", () => { dial.value = field.value; touch(); });
  addDial(card, choose);
  const [least, most, step] = choices();
  [dial.min, dial.max, dial.step] = [least, most, step];
  for (const [selector, sign] of [[".less", -1], [".more", 1]]) {
    part(selector).addEventListener("click", () => choose(Math.min(most, Math.max(least, Number(field.value) + sign * step)).toFixed(1)));
  }
  part("form.hold").addEventListener("submit", async (event) => {
    event.preventDefault();
    if (field.value !== "" && await ask(card, name, String(Number(field.value)))) delete dial.dataset.touched;
  });
}

export function showControls(card, room, isLive) {
  const isOff = room.mode === "off";
  const held = room.override ? room.override.pump : isOff ? "off" : room.hold ? room.hold.target : "auto";
  for (const button of all(card, "button[data-pump]")) {
    button.setAttribute("aria-pressed", String(isLive && button.dataset.pump === held));
  }
  // A room that speaks would come back at once.
  card.querySelector(".forget").hidden = !isLive || !room.stale;
  const isBusy = card.dataset.busy === "true";
  for (const control of all(card, changing)) control.disabled = !isLive || isBusy;
  const dial = card.querySelector(".dial"), field = card.querySelector(".degrees");
  const now = isLive && !room.stale ? room.temperature : null;
  // A person who is choosing is not to be overtaken by the second's news.
  if (dial.dataset.touched === "true") return drawDial(card, now);
  const asked = room.hold ? Number(room.hold.target) : NaN;
  const wanted = Number.isFinite(asked) ? asked : room.target ?? (room.onBelow + room.offAbove) / 2;
  if (!Number.isFinite(wanted)) return drawDial(card, now);
  const value = (Math.round(wanted * 2) / 2).toFixed(1), exact = String(Math.round(wanted * 10) / 10);
  if (dial.value !== value) dial.value = value;
  if (field.value !== exact) field.value = exact;
  drawDial(card, now);
}

// The same for all rooms at once.
const house = byId("house");
for (const button of all(house, "button[data-pump]")) button.addEventListener("click", () => ask(house, null, button.dataset.pump));

export function showHouse() {
  const rooms = state.status?.rooms ?? [], isLive = state.lost === null;
  house.hidden = rooms.length < 2;
  const held = (room) => room.override ? room.override.pump : room.mode === "off" ? "off" : room.hold ? room.hold.target : "auto";
  const same = new Set(rooms.map(held));
  for (const button of all(house, "button[data-pump]")) {
    button.setAttribute("aria-pressed", String(isLive && same.size === 1 && same.has(button.dataset.pump)));
  }
  for (const control of all(house, changing)) control.disabled = !isLive || house.dataset.busy === "true";
}
