// What the page knows: the gateway's last word, the charts, and whether that word is still true.
export const state = {
  // The last status, as hearthd sent it; null before the first.
  status: null,
  // When that was true, in milliseconds of the browser's clock.
  heardAt: null,
  // Why nothing is known any more: {kind, reason}; null while the gateway answers. Kinds: "stopped" and "silent" are the
  // gateway's, "hidden" is a page that may not ask it, "away" is the page's own connection.
  lost: { kind: "away", reason: "" },
  history: null,
  span: "hour",
};

const linkIn = (status, name) => status?.links?.find((link) => link.name === name);

// A gateway of five seconds is still on its way to its broker.
export const isStarting = () => state.lost === null && state.status.uptimeSeconds < 5
  && (linkIn(state.status, "control")?.state ?? "connected") !== "connected";

// Whether commands can reach a heat pump at all, as far as this page can tell.
export const isControlUp = () => state.lost === null && (linkIn(state.status, "control")?.state ?? "connected") === "connected";

export const link = (name) => linkIn(state.status, name);

// How long ago the last word was true, in seconds; 0 while the gateway answers.
export const age = () => state.lost === null || state.heardAt === null ? 0 : Math.max(0, (Date.now() - state.heardAt) / 1000);

// The process that records and forwards is one of its own; it is away when it does not run or says nothing.
export function isRecordingAway(status) {
  const recording = status.recording;
  return Boolean(recording) && (recording.pid === null || recording.silentSeconds >= 3);
}
