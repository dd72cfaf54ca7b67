#!/usr/bin/python3
"""The page, driven by a real browser against running programs. Called by scripts/test-web.

    page.py --programs DIRECTORY --output DIRECTORY [--axe FILE] [--promtool PROGRAM]
    page.py --programs DIRECTORY --measure             only what asks for times, which wants the machine for itself
    page.py --programs DIRECTORY --picture FILE        only makes the README's picture
"""

import argparse
import functools
import sys
import traceback

sys.path.append(__file__.rsplit("/", 2)[0])  # Tests, where House is
import hostile
import looks
import metrics
import outage
import paint
import prefix
import rooms
import spoken
import states
import truth
import wishes
from browser import Browser
from House.box import Box, wait
from House.checks import attempt, end
from rooms import card

arguments = argparse.ArgumentParser()
arguments.add_argument("--programs", required=True)
arguments.add_argument("--output")
arguments.add_argument("--picture")
arguments.add_argument("--axe")
arguments.add_argument("--promtool")
arguments.add_argument("--quick", action="store_true", help="without every state, which takes minutes")
arguments.add_argument("--measure", action="store_true", help="only the first paint")
arguments.add_argument("--brief", action="store_true", help="without the first paint, which is measured later, and without the pictures of every state")
options = arguments.parse_args()


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


def measure():
    attempt("first paint within a second, below 150 kB, on a slow processor", paint.first, options.programs)
    return end("first paint") if options.measure else None


def main():
    rig, browser = Box(options.programs), None
    check_axe = functools.partial(looks.accessible, options.axe) if options.axe else None
    try:
        rig.start_all()
        browser = Browser()
        browser.viewport(1280, 900)
        browser.open(rig.url + "/")
        if not options.quick:
            attempt("every state at every width, and dark, in four languages" + (", no axe violation" if options.axe else ""),
                    states.every_state, browser, options.programs, check_axe, None if options.brief else options.output)
        if not options.brief:
            measure()
        attempt("week and settings of a room: what is changed is sent, and says where it comes from", states.settings, browser, options.programs)
        attempt("what the gateway says is said in the browser's language, what is new to the page in English", states.said, browser, options.programs)
        attempt("a refusal and a broker that is away are told in the browser's language", spoken.refusals, browser, options.programs)
        attempt("the temperature outdoors is a second line with its legend, where it is measured", spoken.outdoors, browser, options.programs)
        attempt("the dial is turned by a finger, and says only what was set", states.dial, browser, options.programs)
        attempt("what a heat pump and a valve say of themselves", states.devices, browser, options.programs)
        attempt("off and presets for the whole house", states.house, browser, options.programs)
        browser.open(rig.url + "/")
        attempt("every element is there", rooms.elements, browser)
        attempt("a reading is on the page within 2 s", rooms.live, browser, rig)
        attempt("the table and the period of the charts", rooms.table, browser)
        attempt("an override from the page reaches the pump", rooms.override, browser, rig)
        attempt("a temperature from the page is held, and shown everywhere with its end", wishes.temperature, browser, rig, card)
        attempt("from the page to the pump within 200 ms", wishes.quick, browser, rig, card)
        attempt("presets and off, with a date when the end is not today", wishes.preset, browser, rig, card)
        attempt("what is asked for at a terminal is on the page", wishes.elsewhere, browser, rig, card)
        attempt("a sensor whose readings are all discarded says so", wishes.discarded, browser, rig, card)
        attempt("lowest and highest are readings, and a row begins with its first", wishes.extremes, browser, rig, card)
        attempt("a year of hours, on the page and as CSV", wishes.years, browser, rig, card)
        attempt("everything can be reached by keyboard", looks.keyboard, browser)
        attempt("no console message, no request to anywhere else", looks.quiet, browser, rig)
        attempt("the browser's language is spoken", looks.languages, browser, rig)
        attempt("the page works below a path of a reverse proxy", prefix.works, browser, rig, card)
        attempt("hearthd killed: red within 5 s, old values grey", truth.killed, browser, rig)
        attempt("hearthd stopped: the same", truth.stopped, browser, rig)
        attempt("hearthd's socket hangs: the same", truth.hung, browser, rig)
        attempt("hearth-web that never heard of hearthd is not calm", truth.never_there, browser, rig)
        attempt("a page without its box says that and no more", truth.web_gone, browser, rig)
        attempt("without the home broker nothing is heating, and that is first", truth.no_home_broker, browser, rig)
        attempt("without the recording side heating goes on, and that is said", truth.recording_gone, browser, rig)
        attempt("hostile names are text", hostile.names, browser, rig, card)
        attempt("requests from another site change nothing", hostile.other_site, browser, rig)
        attempt("no path leads out of the page", hostile.paths, rig)
        attempt("slow clients and floods keep nobody out", hostile.slow_clients, rig)
        attempt("beyond this machine only with a password", hostile.password, rig)
        attempt("an outage is visible, heating goes on", outage.outage, browser, rig)
        attempt("pictures during an outage" + (", no axe violation" if options.axe else ""), looks.pictures, browser, rig, options.output, check_axe,
                "-outage")
        attempt("the recovery is visible, the audit finds no gap", outage.recovery, browser, rig)
        attempt("hearthd's restart is survived", outage.daemon_restart, browser, rig)
        attempt("hearth-web's crash never touches heating", outage.web_crash, browser, rig)
        attempt("pictures at desktop and phone width, light and dark" + (", no axe violation" if options.axe else ""),
                looks.pictures, browser, rig, options.output, check_axe)
        attempt("every metric is documented", metrics.documented, rig)
        if options.promtool:
            attempt("promtool accepts every /metrics", metrics.accepted, rig, options.promtool)
    except Exception:
        traceback.print_exc()
        return 1
    finally:
        if browser:
            browser.close()
        rig.close()
    return end("page")


sys.exit(picture() if options.picture else measure() if options.measure else main())
