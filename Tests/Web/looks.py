"""How the page looks and is used: axe, the keyboard, narrow screens, languages, a quiet console."""

import os
import re
import time

from House.box import wait
from rooms import card, text


def accessible(axe, browser, name, colours_only=False):
    """- axe: the checker's file.
    - colours_only: of a page that has been checked in other colours."""
    browser.evaluate("if (!window.axe) {" + open(axe).read() + "}; 0")
    rules = "{type: 'rule', values: ['color-contrast']}" if colours_only else (
        "['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']")
    violations = browser.evaluate(
        f"axe.run(document, {{resultTypes: ['violations'], runOnly: {rules}}})"
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


def pictures(browser, rig, output, check_axe, suffix=""):
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
        browser.screenshot(os.path.join(output, f"{name}{suffix}.png"))
        if check_axe:
            check_axe(browser, name)
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
