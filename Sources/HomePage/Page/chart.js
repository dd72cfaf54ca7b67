import { clock, degrees, exactClock as exact, say, shortDate, stamp } from "./words.js";

// One room's chart, drawn as SVG. No library: four shapes and two axes.
const SVG = "http://www.w3.org/2000/svg";
const STRIP = 8, LEFT = 30, TOP = 8, BOTTOM = 20;
// Outdoors it may be 20 degrees colder: a scale of its own, on the right, leaves the room's curve as it is.
const rightOf = (data) => data.outdoor ? 32 : 8;

function shape(parent, name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  parent.append(element);
  return element;
}

// The part of the period worth showing: from the first value on, but not less than `least` seconds.
function visible(data, least) {
  const end = data.start + data.step * data.count;
  const first = data.temperature.findIndex((value) => value !== null);
  const since = first < 0 ? end - least : data.start + data.step * Math.max(0, first - 1);
  return { from: Math.max(data.start, Math.min(since, end - least)), to: end };
}

function range(data, { low, high, temperature }) {
  const values = [...data.low, ...data.high, temperature].filter((value) => value !== null);
  if (low !== null && high !== null) values.push(low, high);
  return values.length === 0 ? { low: 15, high: 25 } : around(values, 0.5);
}

function around(values, least) {
  const [smallest, largest] = [Math.min(...values), Math.max(...values)];
  const room = Math.max(least, (largest - smallest) * 0.08);
  return { low: smallest - room, high: largest + room };
}

const day = 86400;
function timeStep(seconds) {
  return [30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, day, 2 * day, 7 * day, 14 * day, 30 * day, 61 * day, 91 * day]
    .find((step) => seconds / step <= 5) ?? 91 * day;
}

// data: {start, step, count, temperature, low, high, pump, outdoor, outages}; `outdoor` is null or the means outdoors; view: {low, high, now, temperature, span, caption}
export function draw(container, data, view) {
  const width = Math.max(200, container.clientWidth), height = Math.max(100, container.clientHeight);
  const time = visible(data, data.step * (view.span === "hour" ? 18 : view.span === "year" ? 7 : 12));
  time.to = Math.max(time.from + 60, Math.min(time.to, view.now + data.step));
  const degrees = range(data, view), right = rightOf(data);
  const floor = height - BOTTOM - STRIP - 4;
  const x = (seconds) =>
    LEFT + (Math.min(Math.max(seconds, time.from), time.to) - time.from) / (time.to - time.from) * (width - LEFT - right);
  const y = (value) => floor - (value - degrees.low) / (degrees.high - degrees.low) * (floor - TOP);
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", view.label);

  if (view.low !== null && view.high !== null) {
    shape(svg, "rect", { class: "zone", x: LEFT, width: width - LEFT - right, y: y(view.high), height: Math.max(1, y(view.low) - y(view.high)) });
  }
  axes(svg, { width, right, height, floor, time, degrees, x, y, view });
  outages(svg, data, { time, x, floor, now: view.now });
  extremes(svg, data, { x, y, time });
  strip(svg, data, { x, top: floor + 4, width, right });
  outdoors(svg, data, { x, floor, time, width, now: view.now });
  curve(svg, data, { x, y, time, view });
  const cursor = shape(svg, "line", { class: "cursor", y1: TOP, y2: floor, x1: LEFT, x2: LEFT, visibility: "hidden" });
  container.replaceChildren(svg);
  followPointer(svg, cursor, data, { x, time, width, right, view });
}

function axes(svg, { width, right, height, floor, time, degrees, x, y, view }) {
  const whole = [Math.ceil(degrees.low), Math.floor(degrees.high)], hasBand = view.low !== null && view.high !== null;
  // Limits that lie too close to be read one by one are told by their middle.
  const limits = hasBand && y(view.low) - y(view.high) < 13 ? [(view.low + view.high) / 2] : [view.low, view.high];
  const ticks = !hasBand ? whole : [...limits, ...whole.filter((value) => limits.every((one) => Math.abs(y(one) - y(value)) > 15))];
  for (const value of ticks) {
    shape(svg, "line", { class: "grid-line", x1: LEFT, x2: width - right, y1: y(value), y2: y(value) });
    shape(svg, "text", { x: LEFT - 5, y: y(value) + 4, "text-anchor": "end" }, String(Math.round(value * 10) / 10) + "°");
  }
  const step = timeStep(time.to - time.from), zone = new Date().getTimezoneOffset() * 60;
  for (let at = Math.ceil((time.from - zone) / step) * step + zone; at < time.to; at += step) {
    if (x(at) < LEFT + 14 || x(at) > width - 18 - right) continue;
    shape(svg, "line", { class: "grid-line", x1: x(at), x2: x(at), y1: floor + 4 + STRIP, y2: floor + 8 + STRIP });
    shape(svg, "text", { x: x(at), y: height - 3, "text-anchor": "middle" },
      step < 60 ? exact(at) : step < day ? clock(at) : shortDate(at));
  }
}

function outages(svg, data, { time, x, floor, now }) {
  for (const outage of data.outages) {
    if (outage.link !== "cloud") continue;
    const end = outage.end ?? now;
    if (end < time.from || outage.start > time.to) continue;
    const [left, right] = [x(outage.start), x(end)];
    shape(svg, "rect", { class: "outage", x: left, width: Math.max(2, right - left), y: TOP, height: floor - TOP });
    shape(svg, "line", { class: "outage-edge", x1: left, x2: left, y1: TOP, y2: floor });
    if (right - left > 52) shape(svg, "text", { x: (left + right) / 2, y: TOP + 12, "text-anchor": "middle" }, say("no cloud"));
  }
}

// Between the lowest and the highest reading of each step.
function extremes(svg, data, { x, y, time }) {
  let path = "";
  data.low.forEach((low, index) => {
    const start = data.start + data.step * index;
    if (low === null || start + data.step <= time.from || start >= time.to) return;
    const [left, right] = [x(start), x(start + data.step) + 0.3];
    path += `M${left.toFixed(1)} ${y(low).toFixed(1)}H${right.toFixed(1)}V${(y(data.high[index]) - 0.5).toFixed(1)}H${left.toFixed(1)}Z`;
  });
  if (path !== "") shape(svg, "path", { class: "extremes", d: path });
}

// Below the curve: the pump, as opaque as its share of each step.
function strip(svg, data, { x, top, width, right }) {
  shape(svg, "rect", { class: "strip", x: LEFT, width: width - LEFT - right, y: top, height: STRIP, rx: 2 });
  let from = 0;
  for (let index = 1; index <= data.count; index++) {
    if (index < data.count && data.pump[index] === data.pump[from]) continue;
    const share = data.pump[from];
    const [left, right] = [x(data.start + data.step * from), x(data.start + data.step * index)];
    if (share > 0 && right > left) {
      shape(svg, "rect", { class: "on", x: left, width: right - left + 0.2, y: top, height: STRIP, opacity: 0.25 + 0.75 * share });
    }
    from = index;
  }
}

// A quiet line behind the room's, between its own lowest and highest on the right. The weather has no jumps, and its sensors
// speak seldom: broken only where nothing came for two hours.
function outdoors(svg, data, { x, floor, time, width, now }) {
  if (!data.outdoor) return;
  const points = data.outdoor.map((value, index) => ({ value, at: data.start + data.step * (index + 0.5) }))
    .filter(({ value, at }) => value !== null && at >= time.from && at < now);
  if (points.length === 0) return;
  const values = points.map(({ value }) => value), scale = around(values, 1);
  const y = (value) => floor - (value - scale.low) / (scale.high - scale.low) * (floor - TOP);
  const gap = Math.max(data.step * 3, 7200);
  let path = "", last = null;
  for (const { value, at } of points) {
    path += `${last !== null && at - last <= gap ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
    last = at;
  }
  shape(svg, "path", { class: "outdoor", d: path });
  const ends = [Math.min(...values), Math.max(...values)];
  for (const value of ends[1] - ends[0] < 0.5 ? [ends[1]] : ends) {
    shape(svg, "text", { class: "outdoor-scale", x: width, y: y(value) + 4, "text-anchor": "end" }, String(Math.round(value * 10) / 10) + "°");
  }
}

// Broken where a reading is missing for longer than three steps.
function curve(svg, data, { x, y, time, view }) {
  let path = "", last = null;
  const point = (seconds, value) => {
    path += `${last !== null && seconds - last <= data.step * 3 ? "L" : "M"}${x(seconds).toFixed(1)} ${y(value).toFixed(1)}`;
    last = seconds;
  };
  data.temperature.forEach((value, index) => {
    const middle = data.start + data.step * (index + 0.5);
    if (value !== null && middle >= time.from && middle < view.now) point(middle, value);
  });
  const live = view.temperature;
  if (live !== null && last !== null && view.now - last <= data.step * 3) point(view.now, live);
  shape(svg, "path", { class: "curve", d: path });
  if (live !== null && last === view.now) shape(svg, "circle", { class: "now", cx: x(view.now), cy: y(live), r: 4 });
}

function followPointer(svg, cursor, data, { x, time, width, right, view }) {
  const leave = () => {
    cursor.setAttribute("visibility", "hidden");
    view.caption(null);
  };
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const share = ((event.clientX - box.left) * width / box.width - LEFT) / (width - LEFT - right);
    const at = time.from + Math.min(Math.max(share, 0), 1) * (time.to - time.from);
    const index = Math.min(data.count - 1, Math.max(0, Math.floor((at - data.start) / data.step)));
    const [value, pump, outdoor] = [data.temperature[index], data.pump[index], data.outdoor?.[index] ?? null];
    cursor.setAttribute("visibility", "visible");
    cursor.setAttribute("x1", x(at));
    cursor.setAttribute("x2", x(at));
    view.caption(`${stamp(at, view.span)}: ${value === null ? say("no reading") : degrees(value)}`
      + (pump === null ? "" : say(", pump on {share} %", { share: Math.round(pump * 100) }))
      + (outdoor === null ? "" : say(", outdoors {temperature}", { temperature: degrees(outdoor) })));
  });
  svg.addEventListener("pointerleave", leave);
  svg.addEventListener("pointercancel", leave);
}
