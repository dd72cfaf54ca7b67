#!/usr/bin/python3
"""The page, driven by a real browser against running programs. Called by scripts/test-web.

    page.py --programs DIRECTORY --output DIRECTORY [--axe FILE] [--promtool PROGRAM]
    page.py --programs DIRECTORY --picture FILE        only makes the README's picture
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
import traceback

sys.path.append(__file__.rsplit("/", 2)[0])  # Tests, where House is
import hostile
import prefix
import spoken
import states
import truth
import wishes
from browser import Browser, wait
from House.box import PumpLog, Rig

arguments = argparse.ArgumentParser()
arguments.add_argument("--programs", required=True)
arguments.add_argument("--output")
arguments.add_argument("--picture")
arguments.add_argument("--axe")
arguments.add_argument("--promtool")
arguments.add_argument("--quick", action="store_true", help="without the pictures of every state, which take minutes")
options = arguments.parse_args()

CARD = "[...document.querySelectorAll('.card')].find((card) => card.dataset.room === {room})"
passed, failed = 0, 0


def check(name, body, *values):
    """Runs one check and says how it went; one run tells everything that is wrong."""
    global passed, failed
    started = time.monotonic()
    try:
        detail = body(*values)
        passed += 1
        print(f"ok      {name}{f': {detail}' if detail else ''} ({time.monotonic() - started:.1f} s)", flush=True)
    except Exception as error:
        failed += 1
        print(f"FAILED  {name}: {error}", flush=True)
        if not isinstance(error, AssertionError):
            traceback.print_exc()


def card(room, expression):
    """JavaScript: `expression` with the room's card as `card`; null without one."""
    return f"((card) => card ? {expression} : null)({CARD.format(room=json.dumps(room))})"


def text(browser, selector):
    return browser.evaluate(f"document.querySelector({json.dumps(selector)})?.textContent ?? ''")


# --- What is on the page ---

def elements(browser):
    wait(15, lambda: browser.evaluate("document.querySelectorAll('.card').length") >= 4, "four rooms are shown")
    wait(15, lambda: browser.evaluate("document.querySelectorAll('.chart .curve').length") >= 4, "each with a chart")
    for room in ("office", "kitchen", "bedroom", "living-room"):
        wait(15, lambda: browser.evaluate(card(room, "/^[0-9.]+$/.test(card.querySelector('.value').textContent)")),
             f"{room} has a temperature")
        for part in (".pump-text", ".reason", ".target", ".caption"):
            wait(5, lambda: browser.evaluate(card(room, f"card.querySelector({json.dumps(part)}).textContent.length > 2")), part)
        assert browser.evaluate(card(room, "card.querySelectorAll('button[data-pump]').length")) == 6
    wait(20, lambda: browser.evaluate("document.querySelectorAll('.links li[data-up=true]').length") == 3, "three links")
    for selector in ("#headline", "#backlog-text", "#facts dd", "#live-text", "#home", "#version"):
        assert len(text(browser, selector)) > 2, selector
    wait(15, lambda: browser.evaluate("document.querySelectorAll('.chart .on').length") > 0, "a pump band is drawn")


def live(browser, rig):
    slowest = 0
    for number in range(6):
        value = 21 + number * 0.3
        rig.reading("attic", value)
        shown = f"{value:.1f}"
        _, taken = wait(2, lambda: browser.evaluate(card("attic", "card.querySelector('.value').textContent")) == shown,
                        f"the page shows {shown}")
        slowest = max(slowest, taken)
        time.sleep(0.3)
    return f"slowest of 6 readings {slowest:.2f} s"


def table(browser):
    browser.evaluate(card("office", "card.querySelector('summary').click()"))
    wait(5, lambda: browser.evaluate(card("office", "card.querySelectorAll('tbody tr').length")) > 0, "rows appear")
    browser.evaluate("document.querySelector('[data-span=day]').click()")
    wait(5, lambda: browser.evaluate("document.querySelector('[data-span=day]').getAttribute('aria-pressed')") == "true" and "°C to" in browser.evaluate(card("office", "card.querySelector('.caption').textContent")), "a day")
    browser.evaluate("document.querySelector('[data-span=hour]').click()")
    wait(5, lambda: "°C to" in browser.evaluate(card("office", "card.querySelector('.caption').textContent")), "an hour")
    browser.evaluate(card("office", "card.querySelector('summary').click()"))


def override(browser, rig):
    rig.reading("attic", 22)
    pump = PumpLog(rig, "attic")
    browser.evaluate(card("attic", "card.querySelector('[data-pump=on]').focus()"))
    before = len(pump.commands())
    browser.key("Enter", text="\r")  # by keyboard
    _, taken = wait(3, lambda: '{"status": "1"}' in pump.commands()[before:], "the pump is told to start")
    wait(3, lambda: browser.evaluate(card("attic", "card.dataset.pump")) == "on", "the page shows it on")
    state = browser.evaluate(card("attic", "card.querySelector('.override-state').textContent"))
    assert "from this page" in state and "Automatic again at" in state, state
    assert browser.evaluate(card("attic", "card.querySelector('[data-pump=on]').getAttribute('aria-pressed')")) == "true"
    browser.evaluate(card("attic", "card.querySelector('[data-pump=auto]').click()"))
    wait(3, lambda: browser.evaluate(card("attic", "card.querySelector('.override-state').hidden")), "the override ends")
    return f"at the pump after {taken:.2f} s"


def outage(browser, rig):
    rig.outage_began = time.monotonic()
    rig.kill("cloud-broker")
    wait(15, lambda: browser.evaluate("document.querySelector('[data-link=uplink]').dataset.up") == "false", "the link is down")
    assert "cloud is away" in text(browser, "#headline"), text(browser, "#headline")
    before = text(browser, "#live-text")
    wait(20, lambda: browser.evaluate("document.querySelectorAll('.chart .outage').length") > 0, "the outage is shaded")
    rig.reading("attic", 19)
    wait(3, lambda: browser.evaluate(card("attic", "card.dataset.pump")) == "on", "heating goes on")
    assert text(browser, "#live-text") != before
    _, waiting = wait(20, lambda: rig_backlog(browser) >= 30 and rig_backlog(browser), "the backlog grows")[1], rig_backlog(browser)
    # What arrived in the last 10 s counts as on its way.
    wait(15, lambda: "waiting for the cloud" in rig.hearth("audit")[1], "the audit names what waits")
    code, said = rig.hearth("audit")
    assert code == 1 and "gap: " in said, said
    return f"{waiting} records waited"


def rig_backlog(browser):
    digits = "".join(character for character in text(browser, "#backlog-text").split(" record")[0] if character.isdigit())
    return int(digits or 0)


def recovery(browser, rig):
    rig.start_broker("cloud-broker", rig.cloud)
    wait(75, lambda: browser.evaluate("document.querySelector('[data-link=uplink]').dataset.up") == "true", "the link is back")
    wait(60, lambda: rig_backlog(browser) < 15, "the backlog drains")
    assert text(browser, "#headline") == "All is well"

    def audit():
        """Of the outage. Before it is the room whose name ends in a backslash, which no point can have, and the audit says so."""
        return rig.hearth("audit", "--since", f"{int(time.monotonic() - rig.outage_began)}s")

    wait(60, lambda: audit()[0] == 0, lambda: f"the audit finds no gap, but {audit()}")
    assert "gap: none" in audit()[1]
    everything = rig.hearth("audit")
    assert everything[0] == 1 and "(1 record confirmed, but no points: set aside in the cloud" in everything[1], everything
    assert browser.evaluate("document.querySelectorAll('.chart .outage').length") > 0, "the outage stays in the chart"


def daemon_restart(browser, rig):
    rig.stop("hearthd")
    wait(10, lambda: browser.evaluate("document.querySelector('#live').dataset.state") == "lost", "the page says so")
    truth.is_red(browser)
    assert "hearth_gateway_up 0" in rig.get("/metrics")[2]
    rig.start("hearthd", rig.program("hearthd"), "--config", rig.file("hearthd.toml"))
    wait(15, lambda: browser.evaluate("document.querySelector('#live').dataset.state") == "live", "it is live again")
    # The charts come from the journal, not from memory.
    wait(15, lambda: browser.evaluate(card("office", "card.querySelectorAll('.chart .curve').length")) == 1, "with its charts")


def web_crash(browser, rig):
    pump = PumpLog(rig, "cellar")
    rig.kill("hearth-web")
    before = len(pump.commands())
    rig.reading("cellar", 15)
    wait(3, lambda: '{"status": "1"}' in pump.commands()[before:], "the pump starts without the page")
    rig.start_web()
    wait(30, lambda: browser.evaluate("document.querySelector('#live').dataset.state") == "live", "the open page goes on")
    wait(5, lambda: browser.evaluate(card("cellar", "card.dataset.pump")) == "on", "with the new room")
    browser.evaluate(card("cellar", "card.querySelector('[data-pump=off]').click()"))
    wait(5, lambda: '{"status": "0"}' in pump.commands()[before:], "and switches")


# --- Accessibility, the network, the console ---

def accessible(browser, name):
    browser.evaluate(open(options.axe).read() + "; 0")
    violations = browser.evaluate(
        "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"
        ".then((result) => result.violations.map((one) => one.id + ': ' + one.help + ' ' + "
        "one.nodes.slice(0, 3).map((node) => node.html.slice(0, 120) + ' ' + (node.any[0]?.message ?? '')).join(' | ')))")
    assert not violations, "; ".join(violations)


def keyboard(browser):
    browser.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")
    reached = []
    for _ in range(220):
        browser.key("Tab")
        reached.append(browser.evaluate(
            "document.activeElement.dataset.span ?? document.activeElement.dataset.pump ?? document.activeElement.tagName"))
    for wanted in ("A", "hour", "day", "week", "month", "year", "auto", "on", "off", "frost", "eco", "comfort", "INPUT", "SELECT", "SUMMARY"):
        assert wanted in reached, f"{wanted} is not reached: {reached}"


def quiet(browser, rig):
    problems = browser.problems()
    assert not problems, problems
    foreign = [url for url in browser.requests() if not url.startswith(rig.url + "/")]
    assert not foreign, foreign


def pictures(browser, rig, suffix=""):
    for name, width, height, mobile, dark in (("desktop", 1280, 900, False, False), ("phone", 390, 844, True, False),
                                              ("small-phone", 320, 640, True, True),
                                              ("desktop-dark", 1280, 900, False, True)):
        browser.viewport(width, height, mobile, dark)
        browser.open(rig.url + "/")
        wait(10, lambda: browser.evaluate("document.querySelectorAll('.chart .curve').length") >= 4, "charts")
        assert browser.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{name} scrolls sideways"
        if mobile:
            compact(browser)
        time.sleep(0.5)  # for the fonts and the first frame
        browser.screenshot(os.path.join(options.output, f"{name}{suffix}.png"))
        if options.axe:
            accessible(browser, name)
    browser.viewport(1280, 900)
    browser.open(rig.url + "/")


def compact(browser):
    """Many rooms on a phone: a line each that opens by its button, and nothing hidden that is wrong."""
    first = "document.querySelector('.card[data-stale=\"false\"]')"
    shown = f"{first}.querySelector('.controls').offsetHeight > 0"
    heights = browser.evaluate("[...document.querySelectorAll('.card[data-stale=\"false\"]')].filter((card) => "
                               "card.querySelector('.override-state').hidden && card.querySelector('.finding').hidden)"
                               ".map((card) => card.offsetHeight)")
    assert heights and max(heights) <= 90, heights
    assert not browser.evaluate(shown)
    browser.evaluate(f"{first}.querySelector('.fold').click()")
    assert browser.evaluate(shown) and browser.evaluate(f"{first}.querySelector('.curve') !== null")
    browser.evaluate(f"{first}.querySelector('.fold').click()")
    blind = browser.evaluate("[...document.querySelectorAll('.card[data-stale=\"true\"] > .reason')].map((one) => one.offsetHeight)")
    assert all(blind), blind


def languages(browser, rig):
    """The browser's language decides; English stays for what has no words."""
    try:
        for accepted, headline, number in (("de-AT,de", "Alles in Ordnung", ","), ("es-ES", "Todo va bien", ","),
                                           ("ca", "Tot va bé", ","), ("nl,en", "All is well", ".")):
            browser.call("Emulation.setUserAgentOverride", userAgent="test", acceptLanguage=accepted)
            browser.open(rig.url + "/")
            wait(10, lambda: text(browser, "#headline") == headline, f"{accepted}: {text(browser, '#headline')}")
            wait(5, lambda: number in browser.evaluate(card("office", "card.querySelector('.value').textContent")), accepted)
            assert browser.evaluate("document.documentElement.lang") == accepted.split("-")[0].replace("nl,en", "en"), accepted
            assert browser.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), accepted
            reason = browser.evaluate(card("office", "card.querySelector('.reason').textContent"))
            assert bool(re.search(r" is (above|below|between) |[jJ]ust (above|below) ", reason)) == (number == "."), reason
    finally:
        browser.call("Emulation.setUserAgentOverride", userAgent="test", acceptLanguage="en-US")
        browser.open(rig.url + "/")


def documented(rig):
    """Every name that is served or alerted on is in the table of cloud/METRICS.md."""
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "cloud")
    with open(os.path.join(root, "METRICS.md")) as file:
        table = set(re.findall(r"^\| `(hearth_[a-z_]+)`", file.read(), re.MULTILINE))
    with open(os.path.join(root, "alerts.rules.yml")) as file:
        used = set(re.findall(r"\bhearth_[a-z_]+", file.read()))
    served = set()
    for port in (rig.web, rig.cloud_http):
        served |= set(re.findall(r"^# TYPE (hearth_[a-z_]+)", rig.get("/metrics", port=port)[2], re.MULTILINE))
    assert served <= table, f"not documented: {sorted(served - table)}"
    assert used <= table, f"alerts on what is not documented: {sorted(used - table)}"
    return f"{len(served)} served of {len(table)} documented"


def promtool(rig):
    for name, port in (("hearth-web", rig.web), ("hearth-cloud", rig.cloud_http)):
        status, headers, body = rig.get("/metrics", port=port)
        assert status == 200 and headers["content-type"].startswith("text/plain; version=0.0.4"), (name, status, headers)
        result = subprocess.run([options.promtool, "check", "metrics"], input=body, text=True, capture_output=True)
        assert result.returncode == 0, f"{name}: {result.stdout}{result.stderr}"


def picture():
    """A house on a day, with something asked for in most rooms."""
    stage, browser = states.Stage(options.programs), None
    try:
        browser = Browser()
        browser.viewport(1280, 900)
        rooms, status, _, seen = states.STATES["hold"]
        status = {**status, "rooms": list(status["rooms"])}
        for _ in stage.show(browser, rooms, status, "document.querySelector('[data-span=day]').click()", seen):
            wait(5, lambda: "24" in browser.evaluate(card("office", "card.querySelector('.caption').textContent")), "a day")
            browser.screenshot(options.picture, tallest=1010)
    finally:
        if browser:
            browser.close()
        stage.close()
    return 0


def main():
    rig, browser = Rig(options.programs), None
    try:
        rig.start_all()
        browser = Browser()
        browser.viewport(1280, 900)
        browser.open(rig.url + "/")
        if not options.quick:
            check("every state at every width, light and dark, in four languages" + (", no axe violation" if options.axe else ""),
                  states.every_state, browser, options.programs, options.output, accessible if options.axe else None)
        check("first paint within a second, below 150 kB, on a slow processor", states.budget, browser, options.programs)
        check("week and settings of a room: what is changed is sent, and says where it comes from", states.settings, browser, options.programs)
        check("what the gateway says is said in the browser's language, what is new to the page in English", states.said, browser, options.programs)
        check("a refusal and a broker that is away are told in the browser's language", spoken.refusals, browser, options.programs)
        check("the temperature outdoors is a second line with its legend, where it is measured", spoken.outdoors, browser, options.programs)
        check("the dial is turned by a finger, and says only what was set", states.dial, browser, options.programs)
        check("what a heat pump and a valve say of themselves", states.devices, browser, options.programs)
        check("off and presets for the whole house", states.house, browser, options.programs)
        browser.open(rig.url + "/")
        check("every element is there", elements, browser)
        check("a reading is on the page within 2 s", live, browser, rig)
        check("the table and the period of the charts", table, browser)
        check("an override from the page reaches the pump", override, browser, rig)
        check("a temperature from the page is held, and shown everywhere with its end", wishes.temperature, browser, rig, card)
        check("from the page to the pump within 200 ms", wishes.quick, browser, rig, card)
        check("presets and off, with a date when the end is not today", wishes.preset, browser, rig, card)
        check("what is asked for at a terminal is on the page", wishes.elsewhere, browser, rig, card)
        check("a sensor whose readings are all discarded says so", wishes.discarded, browser, rig, card)
        check("lowest and highest are readings, and a row begins with its first", wishes.extremes, browser, rig, card)
        check("a year of hours, on the page and as CSV", wishes.years, browser, rig, card)
        check("everything can be reached by keyboard", keyboard, browser)
        check("no console message, no request to anywhere else", quiet, browser, rig)
        check("the browser's language is spoken", languages, browser, rig)
        check("the page works below a path of a reverse proxy", prefix.works, browser, rig, card)
        check("hearthd killed: red within 5 s, old values grey", truth.killed, browser, rig)
        check("hearthd stopped: the same", truth.stopped, browser, rig)
        check("hearthd's socket hangs: the same", truth.hung, browser, rig)
        check("hearth-web that never heard of hearthd is not calm", truth.never_there, browser, rig)
        check("a page without its box says that and no more", truth.web_gone, browser, rig)
        check("without the home broker nothing is heating, and that is first", truth.no_home_broker, browser, rig)
        check("without the recording side heating goes on, and that is said", truth.recording_gone, browser, rig)
        check("hostile names are text", hostile.names, browser, rig, card)
        check("requests from another site change nothing", hostile.other_site, browser, rig)
        check("no path leads out of the page", hostile.paths, rig)
        check("slow clients and floods keep nobody out", hostile.slow_clients, rig)
        check("beyond this machine only with a password", hostile.password, rig)
        check("an outage is visible, heating goes on", outage, browser, rig)
        check("pictures during an outage" + (", no axe violation" if options.axe else ""), pictures, browser, rig, "-outage")
        check("the recovery is visible, the audit finds no gap", recovery, browser, rig)
        check("hearthd's restart is survived", daemon_restart, browser, rig)
        check("hearth-web's crash never touches heating", web_crash, browser, rig)
        check("pictures at desktop and phone width, light and dark" + (", no axe violation" if options.axe else ""),
              pictures, browser, rig)
        check("every metric is documented", documented, rig)
        if options.promtool:
            check("promtool accepts every /metrics", promtool, rig)
    except Exception:
        traceback.print_exc()
        return 1
    finally:
        if browser:
            browser.close()
        rig.close()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


sys.exit(picture() if options.picture else main())
