// The week of a room: at what time of which days which preset begins.
import { language, say } from "./words.js";

const days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
// 2024 began on a Monday.
const dayName = (index, weekday) => new Date(Date.UTC(2024, 0, 1 + index)).toLocaleDateString(language, { weekday, timeZone: "UTC" });

const presets = [["comfort", "Comfort"], ["eco", "Eco"], ["frost", "Frost"]];

function newEntry(form, entry) {
  const row = document.getElementById("entry-template").content.firstElementChild.cloneNode(true);
  const boxes = row.querySelector(".days");
  days.forEach((day, index) => {
    const label = document.createElement("label"), box = document.createElement("input"), text = document.createElement("span");
    [box.type, box.value, box.checked] = ["checkbox", day, entry.days.includes(day)];
    box.setAttribute("aria-label", dayName(index, "long"));
    text.textContent = dayName(index, "short");
    text.setAttribute("aria-hidden", "true");
    label.append(box, text);
    boxes.append(label);
  });
  const time = row.querySelector("input[type=time]"), preset = row.querySelector("select");
  time.value = entry.time;
  for (const [value, name] of presets) {
    const option = document.createElement("option");
    [option.value, option.textContent, option.selected] = [value, say(name), value === entry.preset];
    preset.append(option);
  }
  row.querySelector(".remove").addEventListener("click", () => { row.remove(); form.querySelector(".add").focus(); });
  form.querySelector(".entries").append(row);
  return row;
}

export function showWeek(form, entries) {
  form.querySelector(".entries").replaceChildren();
  for (const entry of entries ?? []) newEntry(form, entry);
  form.querySelector(".week").dataset.was = JSON.stringify(readWeek(form));
}

export function readWeek(form) {
  return [...form.querySelectorAll(".entries > li")].map((row) => ({
    days: [...row.querySelectorAll("input[type=checkbox]:checked")].map((box) => box.value),
    time: row.querySelector("input[type=time]").value, preset: row.querySelector("select").value,
  }));
}

export function addDays(form) {
  form.querySelector(".add").addEventListener("click", () => {
    newEntry(form, { days: days.slice(0, 5), time: "06:30", preset: "comfort" }).querySelector("input").focus();
  });
}
