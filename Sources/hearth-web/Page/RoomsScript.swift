extension Page {
    static let roomsScript = #"""
        // The rooms: cards, charts, overrides.
        const cards = new Map();

        function newCard(name) {
          const card = byId("room-template").content.firstElementChild.cloneNode(true);
          const part = (selector) => card.querySelector(selector);
          const title = `room-${cards.size}-${Math.random().toString(36).slice(2)}`;
          part("h3").id = title;
          card.setAttribute("aria-labelledby", title);
          card.dataset.room = name;
          write(part(".name"), shown(name));
          part("h3").title = shown(name);
          part(".override .segmented").setAttribute("aria-label", `Heat pump of ${shown(name)}`);
          part("select").setAttribute("aria-label", `How long an override of ${shown(name)} lasts`);
          part(".table-scroll").setAttribute("aria-label", `Table of ${shown(name)}`);
          for (const button of card.querySelectorAll("button[data-pump]")) {
            button.addEventListener("click", () => override(name, card, button.dataset.pump));
          }
          part("details").addEventListener("toggle", () => showCharts());
          return card;
        }

        function showRooms() {
          const grid = byId("room-grid"), names = new Set(status.rooms.map((room) => room.room));
          for (const [name, card] of cards) {
            if (!names.has(name)) { card.remove(); cards.delete(name); }
          }
          const isNew = status.rooms.some((room) => !cards.has(room.room));
          status.rooms.forEach((room, index) => {
            if (!cards.has(room.room)) cards.set(room.room, newCard(room.room));
            const card = cards.get(room.room);
            if (grid.children[index] !== card) grid.insertBefore(card, grid.children[index] ?? null);
            showRoom(card, room);
          });
          byId("no-rooms").hidden = status.rooms.length > 0;
          if (isNew) showCharts();
        }

        function showRoom(card, room) {
          const part = (selector) => card.querySelector(selector);
          if (card.dataset.pump && card.dataset.pump !== room.pump) announce(`${shown(room.room)}: heat pump ${room.pump}`);
          card.dataset.pump = room.pump;
          card.dataset.stale = String(room.stale);
          write(part(".value"), room.temperature === null ? "–" : Number(room.temperature).toFixed(1));
          write(part(".pump-text"), room.pump === "on" ? "Heating" : room.pump === "off" ? "Off" : "Not decided");
          let reason = shown(room.reason || "");
          if (room.stale && room.readingAgeSeconds !== null) reason += `; the last reading is ${spoken(room.readingAgeSeconds)} old`;
          if (room.waitingSeconds !== null) reason += `; waits ${spoken(room.waitingSeconds)} for the compressor`;
          if (room.pumpSeconds !== null && !room.stale) reason += `; ${room.pump} for ${spoken(room.pumpSeconds)}`;
          write(part(".reason"), reason.charAt(0).toUpperCase() + reason.slice(1));
          write(part(".target"), `Starts below ${degrees(room.onBelow)}, stops above ${degrees(room.offAbove)}`);
          const byHand = room.override;
          part(".override-state").hidden = byHand === null;
          if (byHand !== null) {
            const end = clock(Date.now() / 1000 + byHand.secondsLeft);
            const who = { cli: "at a terminal", page: "from this page", cloud: "by the cloud" }[byHand.source] ?? `by ${shown(byHand.source)}`;
            write(part(".override-state"), `Switched ${byHand.pump} ${who}. Automatic again at ${end}, in ${spoken(byHand.secondsLeft)}.`);
          }
          for (const button of card.querySelectorAll("button[data-pump]")) {
            button.setAttribute("aria-pressed", String(button.dataset.pump === (byHand?.pump ?? "auto")));
          }
        }

        const post = (wish) => fetch("/override", {
          method: "POST",
          headers: { "content-type": "application/json", "x-hearth-token": token },
          body: JSON.stringify(wish),
        });

        async function override(name, card, pump) {
          const answer = card.querySelector(".answer"), buttons = card.querySelectorAll("button[data-pump]");
          const seconds = pump === "auto" ? null : Number(card.querySelector("select").value);
          for (const button of buttons) button.disabled = true;
          try {
            let response = await post({ room: name, pump, seconds });
            if (response.status === 403) {
              // hearth-web was restarted, and its token with it.
              const page = await (await fetch("/")).text();
              token = tokenIn(new DOMParser().parseFromString(page, "text/html"));
              response = await post({ room: name, pump, seconds });
            }
            const json = await response.json();
            answer.dataset.state = response.ok ? "good" : "bad";
            write(answer, response.ok ? (pump === "auto" ? "Automatic again." : `Switched ${pump} for ${spoken(json.secondsLeft)}.`)
              : shown(json.error ?? "That did not work."));
            setTimeout(() => { if (answer.dataset.state === "good") write(answer, ""); }, 6000);
          } catch {
            answer.dataset.state = "bad";
            write(answer, "No connection to the box. Nothing was changed.");
          } finally {
            for (const button of buttons) button.disabled = false;
          }
        }

        // --- Charts ---

        function summaryOf(data) {
          const values = data.temperature.filter((value) => value !== null), shares = data.pump.filter((value) => value !== null);
          if (values.length === 0) return "No readings in this time.";
          let text = `${degrees(Math.min(...values))} to ${degrees(Math.max(...values))}`;
          if (shares.length > 0) text += `, heat pump on ${Math.round(100 * shares.reduce((sum, share) => sum + share, 0) / shares.length)} % of the time`;
          return text;
        }

        function showCharts() {
          if (history === null || status === null) return;
          const empty = Array(history.count).fill(null), now = Date.now() / 1000;
          for (const room of status.rooms) {
            const card = cards.get(room.room), found = history.rooms.find((one) => one.room === room.room);
            if (!card) continue;
            const data = { ...history, temperature: found?.temperature ?? empty, pump: found?.pump ?? empty };
            const caption = card.querySelector(".caption"), period = span === "hour" ? "Last hour" : "Last 24 hours";
            const text = `${period}: ${summaryOf(data)}` + (history.isComplete ? "" : " (still reading the journal)");
            write(caption, text);
            draw(card.querySelector(".chart"), data, {
              low: fixed(room.onBelow), high: fixed(room.offAbove), now, span,
              temperature: room.stale ? null : fixed(room.temperature), label: `${shown(room.room)}. ${text}`,
              caption: (hint) => write(caption, hint ?? text),
            });
            if (card.querySelector("details").open) showTable(card, data);
          }
        }

        // Twelve rows for an hour, 24 for a day, newest first.
        function showTable(card, data) {
          const size = span === "hour" ? 30 : 12, rows = [];
          for (let end = data.count; end > 0; end -= size) {
            const from = Math.max(0, end - size), mean = (values) => {
              const known = values.slice(from, end).filter((value) => value !== null);
              return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
            };
            const [temperature, pump] = [mean(data.temperature), mean(data.pump)];
            if (temperature === null && pump === null) continue;
            const row = document.createElement("tr");
            for (const text of [clock(data.start + data.step * from), temperature === null ? "–" : degrees(temperature),
              pump === null ? "–" : `${Math.round(pump * 100)} %`]) {
              const cell = document.createElement("td");
              cell.textContent = text;
              row.append(cell);
            }
            rows.push(row);
          }
          card.querySelector("tbody").replaceChildren(...rows);
        }
        """# + "\n"
}
