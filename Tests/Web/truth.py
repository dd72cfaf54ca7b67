"""Whether the page tells the truth when the gateway does not: killed, stopped, hung, or without its home broker."""

import json
import os
import signal
import socket
import threading
import time

from House.box import wait


# What nobody may read while nobody heats. "Nothing is heating" is the sentence itself.
SOOTHING = "/All is well|house is fine|cloud has everything|connected for|rooms? heating/"


def text(browser, selector):
    return browser.evaluate(f"document.querySelector({json.dumps(selector)})?.textContent ?? ''")


def headline(browser):
    return text(browser, "#headline")


def is_live(browser):
    return browser.evaluate("document.body.dataset.state") == "live"


def clock():
    """Now and a minute ago, as the page writes times."""
    return [time.strftime("%H:%M", time.localtime(time.time() - ago)) for ago in (0, 60)]


def is_well(browser):
    """Live, and with a reading of some room: after a restart there are none for a moment."""
    return is_live(browser) and browser.evaluate("[...document.querySelectorAll('.card')].some((card) => card.dataset.known === 'true')")


def is_red(browser):
    """Headline, colours, cards and words of a page whose gateway is gone."""
    said = headline(browser)
    assert said.startswith("Nothing is heating: the gateway"), said
    assert any(said.endswith(f"stopped at {moment}") for moment in clock()), (said, clock())
    colour = browser.evaluate("getComputedStyle(document.querySelector('.summary')).backgroundColor")
    red, green, blue = (int(part) for part in colour.strip("rgb()").split(",")[:3])
    assert red > 2 * green and red > 2 * blue, colour
    soothing = browser.evaluate(f"document.body.innerText.match({SOOTHING})?.[0] ?? null")
    assert soothing is None, soothing
    cards = browser.evaluate(
        "[...document.querySelectorAll('.card')].map((card) => [card.dataset.known, card.querySelector('.pump-text').textContent,"
        " card.querySelector('.reason').textContent, card.querySelector('button[data-pump]').disabled])")
    assert cards, "no cards"
    for known, pump, reason, disabled in cards:
        assert (known, pump, disabled) == ("false", "Not known", True), (known, pump, disabled)
        assert " old; nothing newer is known" in reason or reason == "Nothing is known of this room.", reason
    assert any(" old; nothing newer is known" in card[2] for card in cards), cards
    first = text(browser, "#alarm-list li strong")
    assert "gateway" in first and browser.evaluate("document.querySelector('#alarm-list li').dataset.severity") == "cold", first
    footer = text(browser, "#independence")
    assert "depends on the gateway, which does not answer" in footer, footer


def turns_red(browser, rig, what):
    """Open page, fresh page, /metrics; returns how long each took."""
    _, taken = wait(5, lambda: headline(browser).startswith("Nothing is heating"), f"{what}: the open page is red")
    is_red(browser)
    wait(5 - min(taken, 4.9), lambda: "\nhearth_gateway_up 0\n" in rig.get("/metrics")[2], f"{what}: /metrics says so")
    browser.open(rig.url + "/")
    _, fresh = wait(5, lambda: headline(browser).startswith("Nothing is heating"), f"{what}: a fresh page is red")
    wait(2, lambda: browser.evaluate("document.querySelectorAll('.card').length") > 0, "with the last values")
    is_red(browser)
    return f"{what} {taken:.1f} s, fresh page {fresh:.1f} s"


def killed(browser, rig):
    rig.kill("hearthd")
    try:
        said = turns_red(browser, rig, "kill -9")
        ages = ("[...document.querySelectorAll('.card .reason')].map((reason) => reason.textContent.match(/is (\\d+) s old/)?.[1])"
                ".filter(Boolean).map(Number)")
        before = browser.evaluate(ages)
        wait(6, lambda: max(browser.evaluate(ages)) > max(before), "the values grow older")
        return said
    finally:
        rig.start_hearthd()
        wait(15, lambda: is_well(browser) and not headline(browser).startswith("Nothing"), "it is well again")


def stopped(browser, rig):
    process = rig.processes["hearthd"]
    process.signal(signal.SIGSTOP)
    try:
        return turns_red(browser, rig, "SIGSTOP")
    finally:
        process.signal(signal.SIGCONT)
        wait(15, lambda: is_well(browser), "it is live again")


def hung(browser, rig):
    """Something takes the connection and says nothing: a control socket whose thread hangs."""
    rig.kill("hearthd")
    os.unlink(rig.socket)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(rig.socket)
    listener.listen(16)
    held = []

    def hold():
        while True:
            try:
                held.append(listener.accept()[0])
            except OSError:
                return

    threading.Thread(target=hold, daemon=True).start()
    try:
        wait(10, lambda: len(held) > 0, "hearth-web connects to the hung socket")
        # It was red before, by the kill: that it is the silence now is what the words tell.
        wait(8, lambda: "gives no answer" in text(browser, "#live-text"), "the silence is noticed")
        return turns_red(browser, rig, "hung socket")
    finally:
        listener.close()
        for connection in held:
            connection.close()
        rig.start_hearthd()
        wait(15, lambda: is_well(browser), "it is live again")


def never_there(browser, rig):
    """hearth-web starts when hearthd is gone already: there is no last word, and that is no reason for calm."""
    rig.kill("hearthd")
    rig.stop("hearth-web")
    rig.start_web()
    try:
        browser.open(rig.url + "/")
        wait(5, lambda: headline(browser) == "Nothing is heating: the gateway does not run", headline(browser))
        assert browser.evaluate(f"document.body.innerText.match({SOOTHING})?.[0] ?? null") is None
    finally:
        rig.start_hearthd()
        wait(15, lambda: is_well(browser), "it is live again")
        browser.events.clear()


def web_gone(browser, rig):
    """The page's own server is gone: nobody knows, and the page says that and no more."""
    process = rig.processes["hearth-web"]
    process.signal(signal.SIGSTOP)
    try:
        wait(6, lambda: headline(browser).startswith("No connection to the box since"), headline(browser))
        assert browser.evaluate(f"document.body.innerText.match({SOOTHING})?.[0] ?? null") is None
        assert browser.evaluate("[...document.querySelectorAll('.card')].every((card) => card.dataset.known === 'false')")
    finally:
        process.signal(signal.SIGCONT)
        wait(15, lambda: is_well(browser), "it is live again")


def no_home_broker(browser, rig):
    """What makes the house cold is first, whatever else there is."""
    rig.kill("cloud-broker")
    rig.kill("home-broker")
    try:
        wait(10, lambda: headline(browser).startswith("Nothing is heating: no connection to the home broker"), headline(browser))
        wait(5, lambda: browser.evaluate("document.querySelector('#alarm-list li')?.dataset.name") == "no-home-broker", "first")
        assert browser.evaluate("document.body.dataset.mood") == "cold"
        assert browser.evaluate("[...document.querySelectorAll('.pump-text')].every((pump) => pump.textContent === 'Not known')")
        code, said = rig.hearth("status")
        assert code == 0 and "nothing is heating: no connection to the home broker" in " ".join(said.split()), said
    finally:
        rig.start_broker("home-broker", rig.home)
        rig.start_broker("cloud-broker", rig.cloud)
        wait(60, lambda: not headline(browser).startswith("Nothing"), "it is well again")


def recording_gone(browser, rig):
    """The process that records is stopped: heating goes on, and the page says what does not."""
    wait(40, lambda: is_well(browser) and not headline(browser).startswith(("Heating", "Nothing")), "it records")
    pid = json.loads(rig.hearth("status", "--json")[1])["recording"]["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        wait(8, lambda: headline(browser).startswith("Heating goes on, but:"), headline(browser))
        assert browser.evaluate("document.querySelector('[data-link=record]').dataset.up") == "false", headline(browser)
        wait(3, lambda: "hearth_recording_up 0" in rig.get("/metrics")[2], "/metrics says so")
        assert browser.evaluate("[...document.querySelectorAll('.card')].every((card) => card.dataset.known === 'true')")
    finally:
        try:
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            pass
    wait(40, lambda: not headline(browser).startswith("Heating goes on, but:"), "it records again")
