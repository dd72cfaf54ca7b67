"""A room's card: where its parts are, that they are there and live, and that its override reaches the pump."""

import json
import time

from House.box import PumpLog, wait

CARD = "[...document.querySelectorAll('.card')].find((card) => card.dataset.room === {room})"


def card(room, expression):
    """JavaScript: `expression` with the room's card as `card`; null without one."""
    return f"((card) => card ? {expression} : null)({CARD.format(room=json.dumps(room))})"


def text(browser, selector):
    return browser.evaluate(f"document.querySelector({json.dumps(selector)})?.textContent ?? ''")


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
