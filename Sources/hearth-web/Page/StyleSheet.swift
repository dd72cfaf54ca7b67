extension Page {
    static let css = #"""
        :root {
          color-scheme: light dark;
          --paper: #faf5ee; --card: #ffffff; --ink: #2a211c; --quiet: #6b5b50; --line: #e6d9cb; --sunk: #f3eae0;
          --ember: #b8400c; --ember-soft: #fde4d3; --ember-fill: #e8672a; --cool: #2f5f8f; --cool-soft: #e1ebf5;
          --good: #24694a; --good-soft: #dcefe4; --bad: #a3261b; --bad-soft: #fbe1dd; --band: #f6e3cf;
          --curve: #8a3b12; --raised: #ffffff; --shadow: 0 1px 2px rgb(60 30 10 / 8%), 0 6px 20px rgb(60 30 10 / 7%);
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --paper: #171310; --card: #221c18; --ink: #f4e9df; --quiet: #b9a799; --line: #3a302a; --sunk: #1c1714;
            --ember: #ff9d66; --ember-soft: #43281a; --ember-fill: #e8672a; --cool: #8fbdea; --cool-soft: #1e2c3a;
            --good: #7fcfa3; --good-soft: #1c3327; --bad: #ff9c8f; --bad-soft: #45211c; --band: #35281f;
            --curve: #ffb98f; --raised: #43362d; --shadow: 0 1px 2px rgb(0 0 0 / 40%), 0 8px 24px rgb(0 0 0 / 30%);
          }
        }
        * { box-sizing: border-box; }
        body {
          margin: 0; background: var(--paper); color: var(--ink); line-height: 1.45;
          font: 1rem/1.45 system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif;
          -webkit-text-size-adjust: 100%;
        }
        h1, h2, h3, p, ul, ol, dl, dd, figure { margin: 0; padding: 0; }
        ul, ol { list-style: none; }
        h2 { font-size: 1.125rem; letter-spacing: .01em; }
        .quiet, footer { color: var(--quiet); font-size: .9rem; }
        [hidden] { display: none !important; }
        bdi, td, dd, .reason { overflow-wrap: anywhere; }
        .unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
        .skip { position: absolute; left: -9999px; }
        .skip:focus { left: 1rem; top: 1rem; z-index: 2; background: var(--card); padding: .75rem 1rem; border-radius: .5rem; }
        :focus-visible { outline: 3px solid var(--cool); outline-offset: 2px; border-radius: .35rem; }
        #rooms:focus { outline: none; }

        .top, main, footer { max-width: 74rem; margin: 0 auto; padding: 0 1.25rem; }
        .top { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; justify-content: space-between;
          padding-top: 1.25rem; }
        .brand { display: flex; align-items: center; gap: .6rem; min-width: 0; }
        .brand h1 { font-size: 1.35rem; font-weight: 650; }
        .home { font-weight: 400; color: var(--quiet); }
        .flame { width: 2rem; height: 2rem; flex: none; }
        .flame .outer { fill: var(--ember-fill); } .flame .inner { fill: #ffdca8; }
        .live { display: inline-flex; align-items: center; gap: .5rem; padding: .35rem .8rem; border-radius: 99px;
          background: var(--sunk); font-size: .9rem; font-variant-numeric: tabular-nums; }
        .dot { width: .6rem; height: .6rem; border-radius: 50%; background: var(--quiet); flex: none; }
        .live[data-state="live"] { background: var(--good-soft); color: var(--good); }
        .live[data-state="live"] .dot { background: var(--good); animation: beat 2s ease-out infinite; }
        .live[data-state="lost"] { background: var(--bad-soft); color: var(--bad); }
        .live[data-state="lost"] .dot { background: var(--bad); }
        @keyframes beat { 0% { box-shadow: 0 0 0 0 var(--good); } 100% { box-shadow: 0 0 0 .5rem transparent; } }

        main { display: grid; gap: 1.75rem; padding-top: 1.25rem; padding-bottom: 2rem; }
        .summary h2 { font-size: clamp(1.5rem, 4vw, 2.1rem); font-weight: 680; line-height: 1.2; text-wrap: balance; }
        .summary p { color: var(--quiet); margin-top: .25rem; }
        .section-head { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center;
          justify-content: space-between; margin-bottom: .85rem; }

        .alarms ul { display: grid; gap: .6rem; margin-top: .6rem; }
        .alarms li { background: var(--bad-soft); border-left: .3rem solid var(--bad); border-radius: .6rem;
          padding: .75rem 1rem; overflow-wrap: anywhere; }
        .alarms strong { color: var(--bad); }
        .alarms li p { margin-top: .15rem; }

        .grid { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 21rem), 1fr)); }
        .card, .path, .box { background: var(--card); border: 1px solid var(--line); border-radius: 1rem;
          box-shadow: var(--shadow); padding: 1.1rem 1.2rem; min-width: 0; }
        .card { display: flex; flex-direction: column; border-top: .3rem solid var(--line); transition: border-color .4s; }
        .card[data-pump="on"] { border-top-color: var(--ember-fill); }
        .card[data-stale="true"] { border-top-color: var(--bad); }
        .card-head { display: flex; gap: .75rem; justify-content: space-between; align-items: flex-start; }
        .card h3 { font-size: 1.05rem; font-weight: 620; min-width: 0; display: -webkit-box; -webkit-box-orient: vertical;
          -webkit-line-clamp: 3; line-clamp: 3; overflow: hidden; }
        .pump { display: inline-flex; align-items: center; gap: .3rem; flex: none; font-size: .875rem; font-weight: 600;
          padding: .15rem .65rem .15rem .45rem; border-radius: 99px; background: var(--cool-soft); color: var(--cool); }
        .pump svg { width: 1rem; height: 1rem; fill: currentcolor; opacity: .35; }
        .card[data-pump="on"] .pump { background: var(--ember-soft); color: var(--ember); }
        .card[data-pump="on"] .pump svg { opacity: 1; animation: flicker 1.6s ease-in-out infinite alternate;
          transform-origin: 50% 90%; }
        @keyframes flicker { from { transform: scale(.94, 1); } to { transform: scale(1.04, .92); } }
        .temperature { font-size: 3rem; font-weight: 300; line-height: 1.15; letter-spacing: -.02em;
          font-variant-numeric: tabular-nums; }
        .unit { font-size: 1.2rem; color: var(--quiet); margin-left: .25rem; letter-spacing: 0; }
        .card[data-stale="true"] .temperature { color: var(--quiet); }
        .reason { font-size: .95rem; }
        .card[data-stale="true"] .reason { color: var(--bad); font-weight: 600; }

        figure { margin-top: .8rem; }
        .chart { height: 9.5rem; touch-action: pan-y; }
        .chart svg { display: block; width: 100%; height: 100%; overflow: visible; }
        .chart .zone { fill: var(--band); }
        .chart .curve { fill: none; stroke: var(--curve); stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
        .chart .now { fill: var(--curve); stroke: var(--card); stroke-width: 2; }
        .chart .strip { fill: var(--sunk); }
        .chart .on { fill: var(--ember-fill); }
        .chart .outage { fill: var(--quiet); opacity: .16; }
        .chart .outage-edge { stroke: var(--quiet); stroke-width: 1; stroke-dasharray: 3 3; }
        .chart .grid-line { stroke: var(--line); stroke-width: 1; }
        .chart .cursor { stroke: var(--quiet); stroke-width: 1; }
        .chart text { fill: var(--quiet); font-size: 11px; font-variant-numeric: tabular-nums; }
        .caption { font-size: .82rem; color: var(--quiet); min-height: 1.3em; margin-top: .3rem;
          font-variant-numeric: tabular-nums; }
        .legend { display: flex; flex-wrap: wrap; gap: .3rem 1.1rem; margin-top: .8rem; font-size: .85rem; color: var(--quiet); }
        .legend li { display: inline-flex; align-items: center; gap: .4rem; }
        .swatch { width: 1.1rem; height: .7rem; border-radius: .2rem; }
        .swatch.curve { height: 3px; background: var(--curve); } .swatch.band { background: var(--band); }
        .swatch.pump { background: var(--ember-fill); height: .4rem; }
        .swatch.outage { background: color-mix(in srgb, var(--quiet) 20%, transparent); border: 1px dashed var(--quiet); }

        details { font-size: .875rem; margin-top: .35rem; }
        summary { cursor: pointer; color: var(--quiet); padding: .3rem 0; width: fit-content; }
        .table-scroll { max-height: 13rem; overflow: auto; border: 1px solid var(--line); border-radius: .5rem; }
        table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
        th, td { padding: .2rem .6rem; text-align: right; } th:first-child, td:first-child { text-align: left; }
        thead th { position: sticky; top: 0; background: var(--sunk); font-weight: 600; }

        .override { margin-top: auto; padding-top: .8rem; }
        .override-state { background: var(--ember-soft); color: var(--ink); border-radius: .6rem; padding: .5rem .75rem;
          font-size: .9rem; margin-bottom: .6rem; }
        .controls { display: flex; flex-wrap: wrap; gap: .5rem .6rem; align-items: center; }
        .segmented { display: inline-flex; border-radius: .7rem; background: var(--sunk); padding: .2rem; border: 1px solid var(--line); }
        button, select { font: inherit; color: inherit; min-height: 2.75rem; border-radius: .55rem; cursor: pointer; }
        button { border: 0; background: none; padding: 0 .8rem; font-weight: 550; }
        button:hover { background: color-mix(in srgb, var(--ink) 7%, transparent); }
        button[aria-pressed="true"] { background: var(--raised); box-shadow: 0 1px 3px rgb(40 20 0 / 25%); color: var(--ember); }
        button:disabled { opacity: .55; cursor: progress; }
        select { background: var(--card); border: 1px solid var(--line); padding: 0 .4rem; color: var(--ink); flex: 1 1 7.5rem; min-width: 0; }
        .answer:empty { display: none; }
        .answer { font-size: .875rem; margin-top: .5rem; color: var(--quiet); overflow-wrap: anywhere; }
        .answer[data-state="bad"] { color: var(--bad); }

        .links { display: grid; gap: .6rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 15rem), 1fr)); margin-top: .8rem; }
        .links li { border-radius: .7rem; background: var(--sunk); padding: .7rem .9rem; border-left: .3rem solid var(--good);
          overflow-wrap: anywhere; }
        .links li[data-up="false"] { border-left-color: var(--bad); background: var(--bad-soft); }
        .links b { display: block; } .links .state { color: var(--good); font-weight: 600; }
        .links li[data-up="false"] .state { color: var(--bad); }
        .backlog { margin-top: 1rem; }
        .backlog-text { font-size: 1.05rem; font-weight: 600; font-variant-numeric: tabular-nums; }
        progress { width: 100%; height: .8rem; margin-top: .5rem; border: 0; border-radius: 99px; overflow: hidden;
          background: var(--sunk); accent-color: var(--ember-fill); appearance: none; }
        progress::-webkit-progress-bar { background: var(--line); border-radius: 99px; }
        progress::-webkit-progress-value { background: var(--ember-fill); border-radius: 99px; transition: width .8s; }
        progress::-moz-progress-bar { background: var(--ember-fill); border-radius: 99px; }

        .facts { display: grid; gap: .6rem 1.5rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 14rem), 1fr)); margin-top: .7rem; }
        .facts dt { font-size: .85rem; color: var(--quiet); } .facts dd { font-variant-numeric: tabular-nums; }
        footer { padding-bottom: 2.5rem; display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; justify-content: space-between; }
        a { color: var(--ember); }
        .noscript { max-width: 74rem; margin: 1rem auto; padding: 0 1.25rem; }
        @media (max-width: 30rem) {
          .top, main, footer { padding-left: .9rem; padding-right: .9rem; }
          .controls { justify-content: space-between; } .temperature { font-size: 2.75rem; }
        }
        @media (prefers-reduced-motion: reduce) { *, *::before { animation: none !important; transition: none !important; } }
        @media (prefers-contrast: more) { :root { --quiet: var(--ink); --line: var(--ink); } }
        """#
}
