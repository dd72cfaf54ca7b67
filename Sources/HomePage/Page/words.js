// Words and numbers as people read them. The English sentence is the key; other languages are files of their own: the page's
// words, and what the gateway says.
const languages = {
  de: () => Promise.all([import("./words.de.js"), import("./said.de.js")]),
  es: () => Promise.all([import("./words.es.js"), import("./said.es.js")]),
  ca: () => Promise.all([import("./words.ca.js"), import("./said.ca.js")]),
};
const wanted = (navigator.languages ?? [navigator.language]).map((name) => name.slice(0, 2).toLowerCase())
  .find((name) => name === "en" || name in languages) ?? "en";
const [{ words }, { said }] = wanted in languages ? await languages[wanted]() : [{ words: {} }, { said: {} }];
const translated = { ...said, ...words };
export const language = wanted;
document.documentElement.lang = wanted;

// "{n} of {rooms} heating" with its values put in.
export function say(sentence, values = {}) {
  return (translated[sentence] ?? sentence).replace(/\{(\w+)\}/g, (whole, name) => name in values ? values[name] : whole);
}

// A sentence of the gateway: {say: "no reading for {time}: {action}", with: {time: {seconds: 40}, action: {say: "the pump is off"}}}.
// `text` is the same in English, for a gateway that says something this page does not know, or nothing to put together.
export const tell = (sentence, text) => wanted === "en" || !isKnown(sentence) ? shown(text ?? "") : compose(sentence);

const isKnown = (sentence) => typeof sentence?.say === "string" && sentence.say in translated
  && Object.values(sentence.with ?? {}).every((value) => value?.say === undefined || isKnown(value));

const compose = (sentence) => say(sentence.say,
  Object.fromEntries(Object.entries(sentence.with ?? {}).map(([name, value]) => [name, valueText(value)])));

function valueText(value) {
  if (typeof value === "number") return grouped(value);
  if (value === null || typeof value !== "object") return shown(value ?? "?");
  if ("say" in value) return compose(value);
  if ("exact" in value) return Number(value.exact).toLocaleString(wanted, { maximumFractionDigits: 3, useGrouping: false });
  return "seconds" in value ? spoken(value.seconds) : decimal(value.number);
}

// The sentence for one, or for several with {n}.
export const sayCount = (n, one, several) => say(n === 1 ? one : several, { n: grouped(n) });

for (const place of [document, ...[...document.querySelectorAll("template")].map((template) => template.content)]) {
  for (const element of place.querySelectorAll("[data-say]")) element.textContent = say(element.dataset.say);
  for (const element of place.querySelectorAll("[data-label]")) element.setAttribute("aria-label", say(element.dataset.label));
}

export const byId = (id) => document.getElementById(id);

// Invisible and reordering characters of a name are shown as what they are.
export const shown = (text) => String(text).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${character.codePointAt(0).toString(16)}}`);

export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export const announce = (text) => write(byId("announcer"), text);

// --- Numbers ---

export const decimal = (value) => Number(value).toLocaleString(wanted, { minimumFractionDigits: 1, maximumFractionDigits: 1, useGrouping: false });

// The unit of the house, "C" or "F", as the gateway says it; every temperature but those of the charts is in it already.
let unit = "C";
export function useUnit(name) { unit = name === "F" ? "F" : "C"; }
export const symbol = () => `°${unit}`;
export const fromCelsius = (value) => value === null || unit === "C" ? value : value * 9 / 5 + 32;
export const degrees = (value) => `${decimal(value)} ${symbol()}`;
// What can be chosen: lowest, highest, step.
export const choices = () => unit === "F" ? [41, 86, 1] : [5, 30, 0.5];
export const fixed = (value) => value === null || value === undefined ? null : Number(value);
export const grouped = (count) => String(count ?? "?").replace(/\B(?=(\d{3})+$)/g, "\u{202f}");

// In the units that a disk is sold in.
export function size(bytes) {
  if (bytes === null || bytes === undefined) return "?";
  const units = ["B", "kB", "MB", "GB", "TB"];
  let index = 0;
  while (bytes >= 999.5 && index < units.length - 1) { bytes /= 1000; index++; }
  return `${index === 0 ? Math.round(bytes) : decimal(bytes)} ${units[index]}`;
}

// --- Times ---

// "2 h 5 min": the two largest units.
export function spoken(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "?";
  const total = Math.max(0, Math.round(seconds));
  const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const first = units.findIndex(([, size]) => total >= size);
  if (first < 0) return "0 s";
  const [name, size] = units[first], next = units[first + 1];
  const rest = next ? Math.floor((total % size) / next[1]) : 0;
  return `${Math.floor(total / size)} ${say(name)}` + (rest > 0 ? ` ${rest} ${say(next[0])}` : "");
}

const time = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
export const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString(wanted, time);
export const exactClock = (seconds) => new Date(seconds * 1000).toLocaleTimeString(wanted, { ...time, second: "2-digit" });

// The time of day, with the date when that is not today's.
export function moment(seconds) {
  const then = new Date(seconds * 1000);
  if (then.toDateString() === new Date().toDateString()) return clock(seconds);
  return then.toLocaleString(wanted, { weekday: "short", day: "numeric", month: "short", ...time });
}
export const date = (seconds) => new Date(seconds * 1000).toLocaleDateString(wanted, { weekday: "short", day: "numeric", month: "short" });
export const shortDate = (seconds) => new Date(seconds * 1000).toLocaleDateString(wanted, { day: "numeric", month: "short" });
// A moment of a chart of this period: the time alone where it says enough.
export function stamp(seconds, span) {
  if (span === "hour" || span === "day") return clock(seconds);
  const then = new Date(seconds * 1000);
  return span === "year" ? date(seconds) : then.toLocaleString(wanted, { weekday: "short", day: "numeric", ...time });
}
export const momentIn = (seconds) => moment(Date.now() / 1000 + seconds);
