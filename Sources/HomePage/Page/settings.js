// What the box keeps of a room: name, place in the list, target, band, week; each with where it comes from.
import { decimal, say, symbol, tell, write } from "./words.js";
import { change, refusal } from "./controls.js";
import { addDays, readWeek, showWeek } from "./week.js";

const labels = {
  name: "Name", order: "Place in the list", target: "Temperature", "presets.comfort": "Comfort", "presets.eco": "Eco",
  "presets.frost": "Frost", band: "Band", schedule: "Week",
};
const origins = { default: "as delivered", file: "from the box's file", house: "set for the house", kept: "set here" };

const isNumber = (key) => key !== "name";

// A target, or the limits that stand in its place.
function fieldText(key, value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "object") return "";
  return isNumber(key) ? String(Math.round(value * 100) / 100) : String(value);
}

function hintText(value) {
  return value !== null && typeof value === "object" && "onBelow" in value
    ? say("starts below {low}, stops above {high}", { low: `${decimal(value.onBelow)} ${symbol()}`, high: `${decimal(value.offAbove)} ${symbol()}` }) : "";
}

function newField(form, key) {
  const row = document.getElementById("setting-template").content.firstElementChild.cloneNode(true);
  const input = row.querySelector("input"), label = row.querySelector("label");
  input.id = `setting-${key}-${Math.random().toString(36).slice(2)}`;
  label.htmlFor = input.id;
  const unit = ["name", "order"].includes(key) ? "" : ` (${symbol()})`;
  write(label, say(labels[key]) + unit);
  input.type = isNumber(key) ? "number" : "text";
  if (isNumber(key)) [input.step, input.inputMode] = [key === "order" ? "1" : "any", "decimal"];
  else input.maxLength = 64;
  row.dataset.key = key;
  form.querySelector(".fields").append(row);
  return row;
}

function showField(form, { key, value, origin }) {
  const row = form.querySelector(`.fields [data-key="${key}"]`) ?? newField(form, key);
  const input = row.querySelector("input");
  input.value = fieldText(key, value);
  input.dataset.was = input.value;
  input.placeholder = hintText(value);
  write(row.querySelector(".origin"), say(origins[origin] ?? "as delivered"));
  row.querySelector(".reset").hidden = origin !== "kept";
}

function showSettings(form, settings) {
  for (const setting of settings) {
    if (setting.key === "schedule") {
      showWeek(form, setting.value);
      write(form.querySelector(".week .origin"), say(origins[setting.origin] ?? "as delivered"));
      form.querySelector(".week .reset").hidden = setting.origin !== "kept";
    } else if (setting.key in labels) {
      showField(form, setting);
    }
  }
}

async function load(card, name) {
  const form = card.querySelector(".settings form"), answer = card.querySelector(".answer");
  try {
    const response = await fetch("settings"), json = await response.json();
    const found = response.ok ? json.rooms.find((one) => one.room === name) : null;
    if (found) return showSettings(form, found.settings);
    write(answer, refusal(json));
  } catch {
    write(answer, say("No connection to the box. Nothing was changed."));
  }
  answer.dataset.state = "bad";
}

// Only what was changed is sent: the rest goes on coming from where it comes from.
function changes(form) {
  const settings = {};
  for (const row of form.querySelectorAll(".fields [data-key]")) {
    const input = row.querySelector("input"), { key } = row.dataset;
    if (input.value === input.dataset.was) continue;
    settings[key] = input.value === "" ? null : isNumber(key) ? Number(input.value) : input.value;
  }
  const week = readWeek(form);
  if (JSON.stringify(week) !== form.querySelector(".week").dataset.was) settings.schedule = week;
  return settings;
}

async function save(card, name, settings) {
  const form = card.querySelector(".settings form");
  const json = await change(card, "set", { room: name, settings },
    (answer) => answer.problem ? say("It counts, but is not on the box's disk: {problem}", { problem: tell(answer.say, answer.problem) }) : say("Saved."));
  if (json?.settings) showSettings(form, json.settings);
}

export function addSettings(card, name) {
  const details = card.querySelector(".settings"), form = details.querySelector("form");
  details.addEventListener("toggle", () => { if (details.open) load(card, name); });
  addDays(form);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const settings = changes(form);
    if (Object.keys(settings).length > 0) save(card, name, settings);
  });
  form.addEventListener("click", (event) => {
    if (!event.target.matches(".reset")) return;
    const row = event.target.closest("[data-key]");
    save(card, name, { [row.dataset.key]: null });
  });
}
