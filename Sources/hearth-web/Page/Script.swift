extension Page {
    /// Everything from outside reaches the page as text (`textContent`), never as markup.
    static let script = wordsScript + roomsScript + boxScript + liveScript

    private static let wordsScript = #"""
        const { clock, draw } = await import("/chart.js");

        const byId = (id) => document.getElementById(id);
        const tokenIn = (page) => page.querySelector('meta[name="hearth-token"]').content;
        let token = tokenIn(document);

        // Invisible and reordering characters of a name are shown as what they are.
        const shown = (text) => String(text).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${character.codePointAt(0).toString(16)}}`);

        function write(element, text) {
          if (element.textContent !== text) element.textContent = text;
        }

        function spoken(seconds) {
          if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "?";
          const total = Math.max(0, Math.round(seconds));
          const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
          const first = units.findIndex(([, size]) => total >= size);
          if (first < 0) return "0 s";
          const [name, size] = units[first], next = units[first + 1];
          const rest = next ? Math.floor((total % size) / next[1]) : 0;
          return `${Math.floor(total / size)} ${name}` + (rest > 0 ? ` ${rest} ${next[0]}` : "");
        }

        function size(bytes) {
          if (bytes === null || bytes === undefined) return "?";
          const units = ["B", "KiB", "MiB", "GiB", "TiB"];
          let index = 0;
          while (bytes >= 1023.5 && index < units.length - 1) { bytes /= 1024; index++; }
          return `${bytes < 100 && index > 0 ? Math.round(bytes * 10) / 10 : Math.round(bytes)} ${units[index]}`;
        }

        const grouped = (count) => String(count ?? "?").replace(/\B(?=(\d{3})+$)/g, "\u{202f}");
        const counted = (count, noun) => `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`;
        const degrees = (value) => `${Number(value).toFixed(1)} °C`;
        const fixed = (value) => value === null || value === undefined ? null : Number(value);
        const announce = (text) => write(byId("announcer"), text);

        let span = "hour", history = null, status = null, backlogPeak = 0, lastEvent = 0;
        """# + "\n"

    private static let boxScript = #"""
        // The summary, the alarms, the links, the backlog and the box.
        const linkWords = {
          control: ["Heating", "readings in, commands out", "rooms are not heated by their readings"],
          record: ["Recording", "every reading on disk before it is acknowledged", "readings wait in the home broker"],
          uplink: ["Cloud", "forwarded and confirmed", "heating goes on, readings are kept here"],
        };

        function showSummary() {
          const heating = status.rooms.filter((room) => room.pump === "on").length;
          const blind = status.rooms.filter((room) => room.stale).length;
          const alarms = status.alarms.length;
          const uplink = status.links.find((link) => link.name === "uplink");
          const isCloudGone = uplink && uplink.state !== "connected";
          write(byId("headline"), alarms > 0 ? (alarms === 1 ? "One thing needs you" : `${alarms} things need you`)
            : isCloudGone ? "The cloud is away; the house is fine" : "All is well");
          const parts = [`${heating} of ${counted(status.rooms.length, "room")} heating`];
          if (blind > 0) parts.push(`${counted(blind, "room")} without a fresh reading`);
          if (isCloudGone) parts.push("readings are kept on this box until the cloud is back");
          write(byId("subline"), parts.join(", ") + ".");
          write(byId("home"), status.home ? shown(status.home) : "");
          document.title = `${alarms > 0 ? `(${alarms}) ` : ""}Hearth ${status.home ? shown(status.home) : ""}`;
        }

        function showAlarms() {
          byId("alarms").hidden = status.alarms.length === 0;
          const key = JSON.stringify(status.alarms);
          if (byId("alarm-list").dataset.key === key) return;
          byId("alarm-list").dataset.key = key;
          byId("alarm-list").replaceChildren(...status.alarms.map((alarm) => {
            const item = document.createElement("li"), text = document.createElement("strong"), advice = document.createElement("p");
            text.textContent = shown(alarm.text);
            advice.textContent = shown(alarm.advice);
            item.append(text, advice);
            return item;
          }));
          if (status.alarms.length > 0) announce(status.alarms.map((alarm) => shown(alarm.text)).join(". "));
        }

        function showLinks() {
          const list = byId("links");
          while (list.children.length > status.links.length) list.lastChild.remove();
          status.links.forEach((link, index) => {
            let item = list.children[index];
            if (!item) {
              item = document.createElement("li");
              for (const [name, tag] of [["what", "b"], ["state", "span"], ["detail", "p"]]) {
                const part = document.createElement(tag);
                part.className = name;
                item.append(part);
              }
              item.querySelector(".detail").classList.add("quiet");
              list.append(item);
            }
            const [what, good, bad] = linkWords[link.name] ?? [shown(link.name), "", ""];
            const isUp = link.state === "connected";
            if (item.dataset.up && item.dataset.up !== String(isUp)) announce(`${what}: ${isUp ? "connected again" : "not connected"}`);
            item.dataset.up = String(isUp);
            item.dataset.link = link.name;
            write(item.querySelector(".what"), what);
            write(item.querySelector(".state"), isUp ? `connected for ${spoken(link.seconds)}`
              : link.state === "waiting" ? `not connected, next try in ${spoken(link.seconds)}` : shown(link.state));
            write(item.querySelector(".detail"), isUp ? `${good} · ${shown(link.peer)}`
              : [bad, shown(link.peer), shown(link.detail)].filter(Boolean).join(" · "));
          });
        }

        function showBacklog() {
          const uplink = status.uplink, bar = byId("backlog-bar");
          if (!uplink || !status.journal) return write(byId("backlog-text"), "The backlog is unknown until the journal is open.");
          const waiting = uplink.backlog;
          backlogPeak = waiting < 20 ? 0 : Math.max(backlogPeak, waiting);
          let text = waiting === 0 ? "The cloud has everything." : `${counted(waiting, "record")} wait${waiting === 1 ? "s" : ""} for the cloud`;
          if (waiting > 0) {
            text += uplink.ratePerSecond > 0 ? `, ${grouped(Math.round(uplink.ratePerSecond * 10) / 10)} per second are leaving` : ", none is leaving";
            if (uplink.secondsToDrain !== null && uplink.ratePerSecond > 0) text += `, done in ${spoken(uplink.secondsToDrain)}`;
            text += ".";
          }
          write(byId("backlog-text"), text);
          bar.hidden = backlogPeak === 0;
          bar.max = Math.max(1, backlogPeak);
          bar.value = backlogPeak - waiting;
          const details = [];
          if (uplink.oldestSeconds > 2) details.push(`the oldest is ${spoken(uplink.oldestSeconds)} old`);
          details.push(uplink.confirm === "ingestor" ? "confirmed end to end: the event log has it before the box forgets it"
            : "confirmed by the cloud broker only: what its memory loses is lost");
          write(byId("backlog-detail"), details.join("; ") + ".");
        }

        function showFacts() {
          const journal = status.journal, counters = status.counters, facts = [];
          facts.push(["Running", spoken(status.uptimeSeconds)]);
          if (journal) {
            facts.push(["Journal", `${size(journal.usedBytes)} of ${size(journal.maxBytes)}, records up to ${grouped(journal.newest)}`]);
            const lost = [journal.dropped > 0 && `${grouped(journal.dropped)} dropped: it was full`,
              journal.quarantined > 0 && `${counted(journal.quarantined, "damaged row")}`].filter(Boolean);
            facts.push(["Lost", lost.join(", ") || "nothing"]);
            facts.push(["Last commit", journal.lastCommitMilliseconds === null ? "none yet" : `${journal.lastCommitMilliseconds} ms`]);
          }
          if (status.disk) facts.push(["Disk", `${size(status.disk.freeBytes)} of ${size(status.disk.totalBytes)} free`]);
          facts.push(["Readings", `${grouped(counters.readings)} received, ${grouped(counters.recorded)} recorded`]);
          const refused = Object.entries(counters.rejected ?? {}).filter(([, count]) => count > 0);
          if (refused.length > 0) facts.push(["Set aside", refused.map(([reason, count]) => `${shown(reason)} ${grouped(count)}`).join(", ")]);
          const list = byId("facts");
          while (list.children.length > facts.length) list.lastChild.remove();
          facts.forEach(([name, value], index) => {
            if (!list.children[index]) {
              const group = document.createElement("div");
              group.append(document.createElement("dt"), document.createElement("dd"));
              list.append(group);
            }
            write(list.children[index].firstChild, name);
            write(list.children[index].lastChild, value);
          });
          write(byId("version"), `hearthd ${shown(status.version ?? "")}`);
        }
        """# + "\n"

    private static let liveScript = #"""
        // The stream of statuses, and the history beside it.
        function showLive(state, text) {
          byId("live").dataset.state = state;
          write(byId("live-text"), text);
        }

        function show(json) {
          status = json;
          lastEvent = performance.now();
          showLive("live", `Live, ${new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" })}`);
          showSummary();
          showAlarms();
          showRooms();
          showLinks();
          showBacklog();
          showFacts();
        }

        function lose(reason) {
          if (byId("live").dataset.state !== "lost") announce(`Not live: ${reason}`);
          showLive("lost", `Not live: ${reason}`);
          if (status === null) {
            write(byId("headline"), "No answer from the gateway");
            write(byId("subline"), `${reason}. It is tried again all the time; heating does not depend on this page.`);
          }
        }

        async function loadHistory() {
          if (document.hidden || status === null || byId("live").dataset.state !== "live") return;
          const wanted = span;
          try {
            const response = await fetch(`/history?span=${wanted}`);
            if (!response.ok || wanted !== span) return;
            history = await response.json();
            showCharts();
          } catch {
            // The stream says that there is no connection.
          }
        }

        function listen() {
          const events = new EventSource("/events");
          events.addEventListener("status", (event) => {
            const isFirst = status === null;
            show(JSON.parse(event.data));
            if (isFirst) loadHistory();
          });
          events.addEventListener("lost", (event) => {
            lastEvent = performance.now();
            lose(shown(JSON.parse(event.data).reason));
          });
          events.addEventListener("error", () => {
            lose("no connection to the box");
            if (events.readyState === EventSource.CLOSED) setTimeout(listen, 3000);
          });
        }

        for (const button of document.querySelectorAll("button[data-span]")) {
          button.addEventListener("click", () => {
            span = button.dataset.span;
            for (const other of document.querySelectorAll("button[data-span]")) other.setAttribute("aria-pressed", String(other === button));
            loadHistory();
          });
        }
        setInterval(() => { if (lastEvent > 0 && performance.now() - lastEvent > 5000) lose("no news for some seconds"); }, 1000);
        setInterval(loadHistory, 5000);
        document.addEventListener("visibilitychange", loadHistory);
        window.addEventListener("resize", () => { if (history) showCharts(); });
        listen();
        """# + "\n"
}
