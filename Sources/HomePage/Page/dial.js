// The round dial: a slider, which the keyboard and those who do not see use, drawn as a ring that a finger can turn.
import { decimal, write } from "./words.js";

const CENTRE = 60, RADIUS = 47, START = 135, SWEEP = 270, WIDTH = 120;

function point(share, radius = RADIUS) {
  const angle = (START + SWEEP * share) * Math.PI / 180;
  return `${(CENTRE + radius * Math.cos(angle)).toFixed(1)} ${(CENTRE + radius * Math.sin(angle)).toFixed(1)}`;
}

const arc = (share) => `M${point(0)}A${RADIUS} ${RADIUS} 0 ${share * SWEEP > 180 ? 1 : 0} 1 ${point(share)}`;

const shareOf = (dial, value) => Math.min(1, Math.max(0, (value - dial.min) / (dial.max - dial.min)));

// What a finger points to; the gap below belongs to the nearer end.
function valueAt(dial, svg, event) {
  const box = svg.getBoundingClientRect(), scale = box.width / WIDTH;
  const angle = Math.atan2(event.clientY - box.top - CENTRE * scale, event.clientX - box.left - CENTRE * scale) * 180 / Math.PI;
  const turned = ((angle - START) % 360 + 360) % 360, step = Number(dial.step);
  const share = turned <= SWEEP ? turned / SWEEP : turned < (SWEEP + 360) / 2 ? 1 : 0;
  return Number(dial.min) + Math.round(share * (dial.max - dial.min) / step) * step;
}

// `choose` is called with each value that is turned to.
export function addDial(card, choose) {
  const dial = card.querySelector(".dial"), svg = card.querySelector(".round svg"), grip = svg.querySelector(".grip");
  let isTurning = false;
  const turn = (event) => {
    const value = valueAt(dial, svg, event);
    // Across the gap nobody wants from warmest to coldest at once.
    if (isTurning && Math.abs(value - dial.value) > (dial.max - dial.min) / 2) return;
    isTurning = true;
    choose(value.toFixed(1));
  };
  grip.addEventListener("pointerdown", (event) => {
    if (dial.disabled || event.button > 0) return;
    grip.setPointerCapture(event.pointerId);
    turn(event);
    dial.focus({ preventScroll: true });
  });
  grip.addEventListener("pointermove", (event) => { if (isTurning) turn(event); });
  for (const end of ["pointerup", "pointercancel"]) grip.addEventListener(end, () => { isTurning = false; });
}

// As the slider stands, and how warm it is now: null where nobody knows.
export function drawDial(card, temperature) {
  const dial = card.querySelector(".dial"), part = (name) => card.querySelector(`.round ${name}`);
  const share = shareOf(dial, dial.value);
  part(".ring").setAttribute("d", arc(1));
  part(".grip").setAttribute("d", arc(1));
  part(".turned").setAttribute("d", arc(share));
  const [x, y] = point(share).split(" ");
  part(".knob").setAttribute("cx", x);
  part(".knob").setAttribute("cy", y);
  if (temperature !== undefined) {
    const now = temperature === null ? "" : shareOf(dial, temperature);
    part(".now-mark").setAttribute("d", now === "" ? "" : `M${point(now, RADIUS - 8)}L${point(now, RADIUS + 8)}`);
  }
  write(part(".wanted"), `${decimal(dial.value)}°`);
}
