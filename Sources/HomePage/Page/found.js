// What is at the home broker and is no room's yet. The box may not write its own configuration: for each room there is the
// command that does.
import { byId, degrees, fromCelsius, say, sayCount, shown, tell, write } from "./words.js";
import { post, refusal } from "./controls.js";

const patience = 500;

// Text between single quotes of a shell.
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

// The devices of each room that somebody could have, in the order in which they were found.
function byRoom(found) {
  const rooms = new Map();
  for (const device of found) {
    if (device.standing !== "new" || device.role !== "sensor" || device.room === null) continue;
    rooms.set(device.room, [...(rooms.get(device.room) ?? []), device]);
  }
  return rooms;
}

function detail(devices) {
  return devices.map((device) => {
    const value = device.celsius === null ? say("has said nothing yet") : degrees(fromCelsius(device.celsius));
    return `${shown(device.name)} (${device.kind}): ${value}`;
  }).join(" · ");
}

function show(room, devices) {
  const item = byId("found-template").content.firstElementChild.cloneNode(true);
  write(item.querySelector(".name"), shown(room));
  write(item.querySelector(".detail"), detail(devices));
  const command = `sudo hearth devices --write --only ${quoted(room)} && sudo systemctl reload hearthd`;
  const code = item.querySelector("code"), button = item.querySelector("button");
  write(code, shown(command));
  button.addEventListener("click", async () => {
    item.querySelector("pre").hidden = false;
    // Only where the page came over a line that nobody else writes on may it use the clipboard.
    try {
      await navigator.clipboard.writeText(command);
      write(item.querySelector(".answer"), say("Copied. Run it at a terminal of the box."));
    } catch {
      getSelection().selectAllChildren(code);
      write(item.querySelector(".answer"), say("Run this at a terminal of the box."));
    }
  });
  return item;
}

function showFound(answer) {
  const rooms = byRoom(answer.found);
  byId("found-list").replaceChildren(...[...rooms].map(([room, devices]) => show(room, devices)));
  const rest = answer.found.filter((device) => device.standing === "unclear" || device.role === "pump").length;
  const text = rooms.size === 0 ? say("Nothing new was found.") : sayCount(rooms.size, "1 room can be added.", "{n} rooms can be added.");
  const more = rest > 0 ? ` ${say("Switches, and what is not understood: hearth devices")}` : "";
  write(byId("found-answer"), `${text}${more}${answer.problem ? ` (${tell(answer.say, answer.problem)})` : ""}`);
}

async function look() {
  const button = byId("find");
  button.disabled = true;
  try {
    for (let again = true; ; again = false) {
      const { ok, json } = await post("devices", { again });
      if (!ok) throw new Error(refusal(json));
      if (!json.isLooking) return showFound(json);
      write(byId("found-answer"), say("Looking: {n} s left", { n: json.secondsLeft }));
      await new Promise((done) => setTimeout(done, patience));
    }
  } catch (error) {
    write(byId("found-answer"), say("The box did not look: {reason}", { reason: shown(error.message) }));
  } finally {
    button.disabled = false;
  }
}

byId("find").addEventListener("click", look);
