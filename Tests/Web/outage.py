"""The cloud, the gateway and the page's own server go away and come back."""

import time

import truth
from House.box import PumpLog, wait
from rooms import card, text


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
    rig.start_hearthd()
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
