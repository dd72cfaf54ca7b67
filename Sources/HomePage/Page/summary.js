// The first thing that is read: what is wrong, most urgent first, or that all is well.
import { announce, byId, clock, say, sayCount, shown, spoken, tell, write, moment } from "./words.js";
import { age, isControlUp, isRecordingAway, isStarting, link, state } from "./state.js";

const urgent = ["cold", "heating", "recording"];

// A finding of a gateway that does not say how urgent it is counts as one of the heating.
const severity = (alarm) => alarm.severity ?? "heating";
const textOf = (alarm) => tell(alarm.say?.text, alarm.text);

function lostWords() {
  const { kind, reason } = state.lost, since = state.heardAt === null ? null : moment(state.heardAt / 1000);
  const why = reason === "" ? "" : `${capital(say(reason))}.`;
  switch (kind) {
    case "stopped": return {
      headline: since === null ? say("Nothing is heating: the gateway does not run")
        : say("Nothing is heating: the gateway stopped at {time}", { time: since }),
      subline: `${why} ${say("No room is looked after; each heat pump stays as it was told last.")}`,
    };
    case "silent": return {
      headline: since === null ? say("Nothing is heating: the gateway gives no answer")
        : say("Nothing is heating: the gateway stopped at {time}", { time: since }),
      subline: `${why} ${say("No room is looked after; each heat pump stays as it was told last.")}`,
    };
    case "hidden": return {
      headline: say("Nobody knows whether a room is heated: this page cannot ask the gateway"), subline: why,
    };
    default: return reason === "" ? { headline: say("Looking for the gateway"), subline: say("One moment.") } : {
      headline: since === null ? say("No connection to the box") : say("No connection to the box since {time}", { time: since }),
      subline: state.status === null ? say("It is tried again all the time.")
        : say("What is shown here is {age} old. It is tried again all the time.", { age: spoken(age()) }),
    };
  }
}

// A program keeps the name that it has.
const capital = (text) => text.startsWith("hearth") ? text : text.charAt(0).toUpperCase() + text.slice(1);

function urgentWords(alarms) {
  const first = alarms[0], control = link("control");
  if (isStarting()) return say("The gateway is starting");
  if (!isControlUp() || first?.name === "no-home-broker") {
    const text = first?.name === "no-home-broker" ? textOf(first)
      : say("no connection to the home broker at {peer}", { peer: shown(control?.peer ?? "?") });
    return say("Nothing is heating: {text}", { text });
  }
  if (!first) return null;
  const text = textOf(first);
  const cold = new Set(alarms.filter((alarm) => severity(alarm) === "cold" && alarm.room).map((alarm) => alarm.room));
  switch (severity(first)) {
    case "cold":
      return cold.size > 1 ? say("{n} rooms may get cold", { n: cold.size }) : first.room
        ? say("{room} may get cold: {text}", { room: shown(first.room), text }) : say("The house may get cold: {text}", { text });
    case "recording": return say("Heating goes on, but: {text}", { text });
    default: return say("The heating needs you: {text}", { text });
  }
}

export function showSummary() {
  const { status, lost } = state;
  if (lost !== null) {
    const { headline, subline } = lostWords();
    write(byId("headline"), headline);
    write(byId("subline"), subline.trim());
    document.body.dataset.mood = lost.reason === "" ? "unknown" : "cold";
    document.title = `${lost.reason === "" ? "" : "(!) "}Hearth ${status?.home ? shown(status.home) : ""}`;
  } else {
    showLiveSummary(status);
  }
  write(byId("independence"), lost === null || lost.reason === "" || lost.kind === "away"
    ? say("Heating does not depend on this page or the cloud. Nothing on it leaves this box.")
    : say("Heating does not depend on this page or the cloud. It depends on the gateway, which does not answer."));
}

function showLiveSummary(status) {
  const alarms = status.alarms ?? [], urgents = alarms.filter((alarm) => urgent.includes(severity(alarm)));
  const uplink = link("uplink"), isRecording = !isRecordingAway(status);
  const isCloudGone = isRecording && uplink && ["waiting", "connecting"].includes(uplink.state);
  const words = urgentWords(urgents);
  const isCold = !isControlUp() || urgents.some((alarm) => severity(alarm) === "cold");
  document.body.dataset.mood = isStarting() ? "unknown" : isCold ? "cold" : words ? "bad" : "good";
  write(byId("headline"), words ?? (status.configurationError ? say("The heating needs you: the settings were refused")
    : status.rooms.length === 0 ? say("No room has sent a temperature yet")
    : status.rooms.every((room) => room.mode === "off") ? say("All rooms are switched off")
    : isCloudGone ? say("The cloud is away; the house is fine") : say("All is well")));
  const parts = [], off = status.rooms.filter((room) => room.mode === "off").length;
  if (isControlUp()) {
    const heating = status.rooms.filter((room) => room.pump === "on").length;
    if (status.rooms.length > 0) {
      parts.push(status.rooms.length === 1 ? say("{n} of 1 room heating", { n: heating })
        : say("{n} of {rooms} rooms heating", { n: heating, rooms: status.rooms.length }));
    }
    const blind = status.rooms.filter((room) => room.stale).length;
    if (off > 0 && off < status.rooms.length) parts.push(sayCount(off, "1 room switched off", "{n} rooms switched off"));
    if (blind > 0) parts.push(sayCount(blind, "1 room without a fresh reading", "{n} rooms without a fresh reading"));
  } else {
    parts.push(say("no command reaches a heat pump; each stays as it was told last"));
  }
  if (isCloudGone) parts.push(say("readings are kept on this box until the cloud is back"));
  if (alarms.length > 0) parts.push(sayCount(alarms.length, "1 thing needs you", "{n} things need you"));
  write(byId("subline"), parts.length > 0 ? capital(parts.join(", ")) + "." : "");
  write(byId("home"), status.home ? shown(status.home) : "");
  document.title = `${alarms.length > 0 ? `(${alarms.length}) ` : ""}Hearth ${status.home ? shown(status.home) : ""}`;
}

// What the list shows: of a gateway that does not answer only that, because its findings are not known any more.
function shownAlarms() {
  if (state.lost === null) return state.status.alarms ?? [];
  if (!["stopped", "silent"].includes(state.lost.kind)) return [];
  const since = state.heardAt === null ? "" : ` ${say("It answered last at {time}.", { time: clock(state.heardAt / 1000) })}`;
  return [{
    severity: "cold",
    text: `${state.lost.kind === "silent" ? say("The gateway (hearthd) gives no answer.") : say("The gateway (hearthd) does not run.")}${since}`,
    advice: say("On the box: {command}", { command: state.lost.kind === "silent" ? "sudo systemctl restart hearthd" : "systemctl status hearthd; sudo systemctl start hearthd" }),
  }];
}

export function showAlarms() {
  const alarms = state.lost === null && state.status === null ? [] : shownAlarms(), list = byId("alarm-list");
  byId("alarms").hidden = alarms.length === 0;
  const key = JSON.stringify(alarms);
  if (list.dataset.key === key) return;
  list.dataset.key = key;
  list.replaceChildren(...alarms.map((alarm) => {
    const item = document.createElement("li"), text = document.createElement("strong"), advice = document.createElement("p");
    item.dataset.severity = severity(alarm);
    item.dataset.name = alarm.name ?? "";
    text.textContent = capital(textOf(alarm));
    advice.textContent = capital(tell(alarm.say?.advice, alarm.advice));
    item.append(text, advice);
    return item;
  }));
  if (alarms.length > 0 && state.lost === null) announce(alarms.map(textOf).join(". "));
}
