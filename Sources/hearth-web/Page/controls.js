// What can be asked for: the pump by hand, a preset, a temperature; each with its end.
import { momentIn, say, shown, write } from "./words.js";
import { targetText } from "./rooms.js";

const tokenIn = (page) => page.querySelector('meta[name="hearth-token"]').content;
let token = tokenIn(document);

// What may not be used while the box is being asked, or does not answer.
const changing = "button[data-pump], .set, select, .dial, .degrees, .forget";
const ask = (card, selector) => [...card.querySelectorAll(selector)];

export function addControls(card, name) {
  const part = (selector) => card.querySelector(selector), room = shown(name);
  part(".pumps").setAttribute("aria-label", say("Heat pump of {room}", { room }));
  part(".presets").setAttribute("aria-label", say("Preset of {room}", { room }));
  part("select").setAttribute("aria-label", say("How long what you ask of {room} lasts", { room }));
  part(".dial").setAttribute("aria-label", say("Temperature of {room}", { room }));
  part(".degrees").setAttribute("aria-label", say("Temperature of {room} in °C", { room }));
  for (const button of ask(card, "button[data-pump]")) {
    button.addEventListener("click", () => override(name, card, button.dataset.pump));
  }
  part(".forget").addEventListener("click", () => forget(name, card, part(".forget")));
  const dial = part(".dial"), field = part(".degrees");
  dial.addEventListener("input", () => { field.value = dial.value; dial.dataset.touched = "true"; });
  field.addEventListener("input", () => { dial.value = field.value; dial.dataset.touched = "true"; });
  part("form").addEventListener("submit", (event) => {
    event.preventDefault();
    if (field.value !== "") override(name, card, String(Number(field.value)));
  });
}

export function showControls(card, room, isLive) {
  const held = room.override ? room.override.pump : room.hold ? room.hold.target : "auto";
  for (const button of ask(card, "button[data-pump]")) {
    button.setAttribute("aria-pressed", String(isLive && button.dataset.pump === held));
  }
  // A room that speaks would come back at once.
  card.querySelector(".forget").hidden = !isLive || !room.stale;
  const isBusy = card.dataset.busy === "true";
  for (const control of ask(card, changing)) control.disabled = !isLive || isBusy;
  const dial = card.querySelector(".dial"), field = card.querySelector(".degrees");
  // A person who is choosing is not to be overtaken by the second's news.
  if (dial.dataset.touched === "true") return;
  const asked = room.hold ? Number(room.hold.target) : NaN;
  const middle = Number.isFinite(asked) ? asked : (room.onBelow + room.offAbove) / 2;
  if (Number.isFinite(middle)) {
    const value = (Math.round(middle * 2) / 2).toFixed(1);
    if (dial.value !== value) dial.value = value;
    if (field.value !== String(Math.round(middle * 10) / 10)) field.value = String(Math.round(middle * 10) / 10);
  }
}

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

function doneText(pump, left) {
  if (pump === "auto") return say("Automatic again.");
  const end = left === null || left === undefined ? say("until it is changed") : say("until {time}", { time: momentIn(left) });
  if (pump === "on" || pump === "off") return say(pump === "on" ? "Switched on {end}." : "Switched off {end}.", { end });
  return say("Holds {target} {end}.", { target: targetText(pump), end });
}

async function override(name, card, pump) {
  const seconds = pump === "auto" ? null : Number(card.querySelector("select").value);
  const isDone = await change(card, "override", { room: name, pump, seconds }, (json) => doneText(pump, json.secondsLeft));
  if (isDone) delete card.querySelector(".dial").dataset.touched;
}

// Removes a room that nobody needs any more; asked twice, because its history goes from sight too.
async function forget(name, card, button) {
  if (button.dataset.sure !== "true") {
    button.dataset.sure = "true";
    write(button, say("Remove {room}? It comes back when its sensor speaks.", { room: shown(name) }));
    return;
  }
  await change(card, "forget", { room: name }, () => say("Removed."));
}

// Sends a change, and shows its answer where it was asked for.
async function change(card, path, body, done) {
  const answer = card.querySelector(".answer");
  card.dataset.busy = "true";
  try {
    const { ok, json } = await post(path, body);
    answer.dataset.state = ok ? "good" : "bad";
    write(answer, ok ? done(json) : shown(json.error ?? say("That did not work.")));
    setTimeout(() => { if (answer.dataset.state === "good") write(answer, ""); }, 6000);
    return ok;
  } catch {
    answer.dataset.state = "bad";
    write(answer, say("No connection to the box. Nothing was changed."));
    return false;
  } finally {
    card.dataset.busy = "false";
    for (const control of ask(card, changing)) control.disabled = false;
  }
}
