// The way to the cloud, and the box itself.
import { announce, byId, decimal, grouped, say, sayCount, shown, size, spoken, tell, write } from "./words.js";
import { isRecordingAway, state } from "./state.js";
import { measuresOf } from "./rooms.js";

// What each connection is for: while it is up, and while it is not.
const linkWords = {
  control: ["Sensors and heat pumps", "readings in, commands out", "rooms are not heated by their readings"],
  record: ["Recording", "every reading on disk before it is acknowledged", "readings wait in the home broker"],
  uplink: ["Cloud", "forwarded and confirmed", "heating goes on, readings are kept here"],
};
let backlogPeak = 0;

function newLink() {
  const item = document.createElement("li");
  for (const [name, tag] of [["what", "b"], ["state", "span"], ["detail", "p"]]) {
    const part = document.createElement(tag);
    part.className = name;
    item.append(part);
  }
  item.querySelector(".detail").classList.add("quiet");
  return item;
}

function linkText(link, isUp) {
  if (state.lost !== null) return say("not known");
  if (link.name !== "control" && isRecordingAway(state.status)) return say("not running");
  if (isUp) return say("connected for {time}", { time: spoken(link.seconds) });
  return link.state === "waiting" ? say("not connected, next try in {time}", { time: spoken(link.seconds) }) : say(shown(link.state));
}

function linkDetail(link, isUp, good, bad) {
  if (state.lost !== null) return shown(link.peer);
  return (isUp ? [say(good), shown(link.peer)] : [say(bad), shown(link.peer), tell(link.say, link.detail)]).filter(Boolean).join(" · ");
}

export function showLinks() {
  const list = byId("links"), links = state.status.links;
  while (list.children.length > links.length) list.lastChild.remove();
  links.forEach((link, index) => {
    if (!list.children[index]) list.append(newLink());
    const item = list.children[index], [name, good, bad] = linkWords[link.name] ?? [shown(link.name), "", ""];
    const what = say(name), isUp = state.lost === null && link.state === "connected" && (link.name === "control" || !isRecordingAway(state.status));
    if (state.lost === null && item.dataset.up && item.dataset.up !== String(isUp)) {
      announce(isUp ? say("{what}: connected again", { what }) : say("{what}: not connected", { what }));
    }
    item.dataset.up = String(isUp);
    item.dataset.link = link.name;
    write(item.querySelector(".what"), what);
    write(item.querySelector(".state"), linkText(link, isUp));
    write(item.querySelector(".detail"), linkDetail(link, isUp, good, bad));
  });
}

// Why nothing is known of what waits; null when it is known.
function unknownBacklog() {
  const { status } = state;
  if (state.lost !== null) return say("What waits for the cloud is not known.");
  if (isRecordingAway(status)) {
    const end = status.recording.lastEnd;
    return end ? say("Nothing is recorded now: the recording side {end}.", { end: shown(end) }) : say("Nothing is recorded now: the recording side does not answer.");
  }
  if (!status.uplink || !status.journal) return say("The backlog is unknown until the journal is open.");
  return null;
}

function backlogText(uplink, isConnected) {
  if (uplink.enabled === false) return say("There is no cloud: readings stay on this box.");
  const waiting = uplink.backlog;
  if (waiting === 0) return isConnected ? say("The cloud has everything.") : say("Nothing waits for the cloud.");
  let text = sayCount(waiting, "1 record waits for the cloud", "{n} records wait for the cloud");
  if (!isConnected) return `${text}.`;
  text += uplink.ratePerSecond > 0 ? say(", {rate} per second are leaving", { rate: decimal(uplink.ratePerSecond) }) : say(", none is leaving");
  // How long it takes can be said only while something leaves.
  if (uplink.secondsToDrain !== null && uplink.ratePerSecond > 0) text += say(", done in {time}", { time: spoken(uplink.secondsToDrain) });
  return `${text}.`;
}

export function showBacklog() {
  const { status } = state, bar = byId("backlog-bar"), unknown = unknownBacklog();
  if (unknown !== null) {
    write(byId("backlog-text"), unknown);
    write(byId("backlog-detail"), "");
    bar.hidden = true;
    return;
  }
  const { uplink } = status, waiting = uplink.backlog;
  const isConnected = status.links.some((link) => link.name === "uplink" && link.state === "connected");
  backlogPeak = waiting < 20 ? 0 : Math.max(backlogPeak, waiting);
  write(byId("backlog-text"), backlogText(uplink, isConnected));
  bar.hidden = backlogPeak === 0;
  bar.max = Math.max(1, backlogPeak);
  bar.value = backlogPeak - waiting;
  const details = [];
  if (uplink.oldestSeconds > 2) details.push(say("the oldest is {age} old", { age: spoken(uplink.oldestSeconds) }));
  if (uplink.enabled !== false && uplink.confirm === "ingestor") details.push(say("the box forgets a record only when the cloud has it on disk"));
  if (uplink.enabled !== false && uplink.confirm === "broker") details.push(say("confirmed by the cloud broker only: what its memory loses is lost"));
  write(byId("backlog-detail"), details.length > 0 ? details.join("; ") + "." : "");
}

function factsOf({ journal, counters, disk, uptimeSeconds, recording }) {
  const facts = [["Running", spoken(uptimeSeconds)]];
  if (recording) {
    const again = recording.restarts > 0 ? `, ${sayCount(recording.restarts, "started again once", "started again {n} times")}` : "";
    const end = recording.lastEnd ? ` (${shown(recording.lastEnd)})` : "";
    facts.push(["Recording side", (recording.pid === null ? say("not running for {time}", { time: spoken(recording.seconds) })
      : say("running for {time}", { time: spoken(recording.seconds) })) + again + end]);
  }
  if (journal) {
    facts.push(["Journal", say("{used} of {max}, records up to {n}", { used: size(journal.usedBytes), max: size(journal.maxBytes), n: grouped(journal.newest) })]);
    const lost = [journal.dropped > 0 && say("{n} dropped: it was full", { n: grouped(journal.dropped) }),
      journal.quarantined > 0 && sayCount(journal.quarantined, "1 damaged row", "{n} damaged rows")].filter(Boolean);
    facts.push(["Lost", lost.join(", ") || say("nothing")]);
    facts.push(["Last commit", journal.lastCommitMilliseconds === null ? say("none yet") : `${decimal(journal.lastCommitMilliseconds)} ms`]);
  }
  if (disk) facts.push(["Disk", say("{free} of {total} free", { free: size(disk.freeBytes), total: size(disk.totalBytes) })]);
  facts.push(["Readings", say("{n} received", { n: grouped(counters.readings) })]);
  facts.push(["On disk", say("{n} readings and commands", { n: grouped(counters.recorded) })]);
  const refused = Object.entries(counters.rejected ?? {}).filter(([, count]) => count > 0);
  if (refused.length > 0) facts.push(["Set aside", refused.map(([reason, count]) => `${shown(reason)} ${grouped(count)}`).join(", ")]);
  // Of what is no room with a temperature: the weather, the heat pump itself.
  const shownRooms = new Set(state.status.rooms.map((room) => room.room));
  for (const place of new Set((state.status.measures ?? []).map((one) => one.room))) {
    if (!shownRooms.has(place)) facts.push([shown(place), measuresOf(place) || "–"]);
  }
  return facts;
}

export function showFacts() {
  const list = byId("facts"), facts = factsOf(state.status);
  byId("facts-age").hidden = state.lost === null;
  write(byId("facts-age"), state.lost === null ? "" : say("As it was when the gateway answered last."));
  while (list.children.length > facts.length) list.lastChild.remove();
  facts.forEach(([name, value], index) => {
    if (!list.children[index]) {
      const group = document.createElement("div");
      group.append(document.createElement("dt"), document.createElement("dd"));
      list.append(group);
    }
    write(list.children[index].firstChild, say(name));
    write(list.children[index].lastChild, value);
  });
  write(byId("version"), `hearthd ${shown(state.status.version ?? "")}`);
}
