extension Page {
    static let document = #"""
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <meta name="theme-color" content="#faf5ee" media="(prefers-color-scheme: light)">
        <meta name="theme-color" content="#171310" media="(prefers-color-scheme: dark)">
        <meta name="hearth-token" content="@TOKEN@">
        <title>Hearth</title>
        <link rel="icon" href="/icon.svg" type="image/svg+xml">
        <link rel="stylesheet" href="/app.css">
        <script type="module" src="/app.js"></script>
        </head>
        <body>
        <a class="skip" href="#rooms">Skip to the rooms</a>
        <header class="top">
          <div class="brand">
            <svg class="flame" viewBox="0 0 32 32" aria-hidden="true"><path class="outer"
              d="M16 2c1 6 8 8 8 16a8 8 0 0 1-16 0c0-5 4-6 4-11 2 1 3 3 3 6 1-3 2-7 1-11z"/><path class="inner"
              d="M16 17c1 2 3 3 3 6a3 3 0 0 1-6 0c0-3 2-4 3-6z"/></svg>
            <h1>Hearth <bdi id="home" class="home"></bdi></h1>
          </div>
          <p id="live" class="live" data-state="connecting"><span class="dot" aria-hidden="true"></span>
            <span id="live-text">Connecting</span></p>
        </header>

        <main>
          <section class="summary" aria-labelledby="headline">
            <h2 id="headline">Looking for the gateway</h2>
            <p id="subline">One moment.</p>
          </section>

          <section id="alarms" class="alarms" aria-labelledby="alarms-title" hidden>
            <h2 id="alarms-title">What needs you</h2>
            <ul id="alarm-list"></ul>
          </section>

          <section id="rooms" class="rooms" aria-labelledby="rooms-title" tabindex="-1">
            <div class="section-head">
              <h2 id="rooms-title">Rooms</h2>
              <div class="segmented" role="group" aria-label="Period of the charts">
                <button type="button" data-span="hour" aria-pressed="true">Last hour</button>
                <button type="button" data-span="day" aria-pressed="false">24 hours</button>
              </div>
            </div>
            <p id="no-rooms" class="quiet" hidden>No room has sent a temperature yet. A room appears by itself with its
              first reading.</p>
            <div id="room-grid" class="grid"></div>
            <ul class="legend" aria-label="How to read the charts">
              <li><span class="swatch curve"></span>temperature</li>
              <li><span class="swatch band"></span>comfort band</li>
              <li><span class="swatch pump"></span>heat pump on</li>
              <li><span class="swatch outage"></span>no cloud</li>
            </ul>
          </section>

          <section class="path" aria-labelledby="path-title">
            <h2 id="path-title">From the sensors to the cloud</h2>
            <ol id="links" class="links"></ol>
            <div class="backlog">
              <p id="backlog-text" class="backlog-text">The backlog is not known yet.</p>
              <progress id="backlog-bar" max="1" value="0" aria-label="Backlog drained" hidden></progress>
              <p id="backlog-detail" class="quiet"></p>
            </div>
          </section>

          <section class="box" aria-labelledby="box-title">
            <h2 id="box-title">The box</h2>
            <dl id="facts" class="facts"></dl>
          </section>
        </main>

        <footer>
          <p>Heating does not depend on this page or the cloud. Nothing on it leaves this box.</p>
          <p><span id="version"></span> · <a href="/metrics">metrics</a></p>
        </footer>
        <div id="announcer" class="unseen" role="status" aria-live="polite"></div>

        <template id="room-template">
          <article class="card">
            <div class="card-head">
              <h3><bdi class="name"></bdi></h3>
              <p class="pump"><svg viewBox="0 0 24 24" aria-hidden="true"><path
                d="M12 2c1 4 6 6 6 12a6 6 0 0 1-12 0c0-4 3-5 3-8 1.600.8 2.200 2.200 2.200 4C12 8 12.800 5 12 2z"/></svg>
                <span class="pump-text"></span></p>
            </div>
            <p class="temperature"><span class="value"></span><span class="unit">°C</span></p>
            <p class="reason"></p>
            <p class="target quiet"></p>
            <figure>
              <div class="chart"></div>
              <figcaption class="caption"></figcaption>
            </figure>
            <details class="numbers">
              <summary>The same as a table</summary>
              <div class="table-scroll" tabindex="0" role="region">
                <table><thead><tr><th scope="col">Time</th><th scope="col">Mean</th><th scope="col">Pump on</th></tr></thead>
                <tbody></tbody></table>
              </div>
            </details>
            <div class="override">
              <p class="override-state" hidden></p>
              <div class="controls">
                <div class="segmented" role="group">
                  <button type="button" data-pump="auto">Auto</button>
                  <button type="button" data-pump="on">On</button>
                  <button type="button" data-pump="off">Off</button>
                </div>
                <select>
                    <option value="1800">for 30 minutes</option>
                    <option value="3600" selected>for 1 hour</option>
                    <option value="7200">for 2 hours</option>
                    <option value="14400">for 4 hours</option>
                    <option value="28800">for 8 hours</option>
                    <option value="86400">for 1 day</option>
                  </select>
              </div>
              <p class="answer" role="status"></p>
            </div>
          </article>
        </template>
        <noscript><p class="noscript">This page needs JavaScript, which it brings along. At a terminal:
          <code>hearth status</code>.</p></noscript>
        </body>
        </html>
        """#
}
