// What can be asked for: the pump by hand, a preset, a temperature; each with its end.
import { momentIn, say, shown, write } from "./words.js";
import { targetText } from "./rooms.js";

const tokenIn = (page) => page.querySelector('meta[name="hearth-token"]').content;
let token = tokenIn(document);

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
  const isBusy = card.dataset.busy === "true";
  for (const control of ask(card, "button[data-pump], .set, select, .dial, .degrees")) control.disabled = !isLive || isBusy;
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

const post = (wish) => fetch("override", {
  method: "POST",
  headers: { "content-type": "application/json", "x-hearth-token": token },
  body: JSON.stringify(wish),
});

function doneText(pump, left) {
  if (pump === "auto") return say("Automatic again.");
  const end = left === null || left === undefined ? say("until it is changed") : say("until {time}", { time: momentIn(left) });
  if (pump === "on" || pump === "off") return say(pump === "on" ? "Switched on {end}." : "Switched off {end}.", { end });
  return say("Holds {target} {end}.", { target: targetText(pump), end });
}

async function override(name, card, pump) {
  const answer = card.querySelector(".answer");
  const seconds = pump === "auto" ? null : Number(card.querySelector("select").value);
  card.dataset.busy = "true";
  try {
    let response = await post({ room: name, pump, seconds });
    if (response.status === 403) {
      // hearth-web was restarted, and its token with it.
      const page = await (await fetch("./")).text();
      token = tokenIn(new DOMParser().parseFromString(page, "text/html"));
      response = await post({ room: name, pump, seconds });
    }
    const json = await response.json();
    answer.dataset.state = response.ok ? "good" : "bad";
    write(answer, response.ok ? doneText(pump, json.secondsLeft) : shown(json.error ?? say("That did not work.")));
    if (response.ok) delete card.querySelector(".dial").dataset.touched;
    setTimeout(() => { if (answer.dataset.state === "good") write(answer, ""); }, 6000);
  } catch {
    answer.dataset.state = "bad";
    write(answer, say("No connection to the box. Nothing was changed."));
  } finally {
    card.dataset.busy = "false";
    for (const control of ask(card, "button[data-pump], .set, select, .dial, .degrees")) control.disabled = false;
  }
}
