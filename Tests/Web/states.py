"""Every state of the page, at three widths, dark at one of them, in four languages: nothing sticks out, nothing is complained of,
and a picture of each, where one is wanted, for eyes. The house is a scripted gateway behind the real hearth-web."""

import os
import time

import scripted
from House.box import Box, wait

FOUR = ["office", "kitchen", "bedroom", "living room"]
TWELVE = FOUR + ["bath", "nursery", "guest room", "cellar", "attic", "hall", "workshop", "garage"]
WIDTHS = ((1280, 900), (390, 844), (320, 640))
LANGUAGES = ("en-US", "de-DE", "es-ES", "ca")

BLIND = {"name": "room-blind", "severity": "cold", "subject": "nursery", "room": "nursery",
         "text": "no reading from nursery for 40 min", "advice": "look at its sensor: battery, range; hearth why nursery"}
DISK = {"name": "disk-low", "severity": "recording", "subject": "disk", "room": None,
        "text": "the disk is nearly full: 0.1 GB of 31.3 GB are free", "advice": "make room, or readings are dropped"}


def twelve():
    rooms = [scripted.room(name, 20.4 + number * 0.1, "on" if number % 3 == 0 else "off") for number, name in enumerate(TWELVE)]
    rooms[5] = scripted.room("nursery", 17.9, stale=True, readingAgeSeconds=2400.0, reason="no reading for 40 min: off")
    return rooms


def held():
    return [
        scripted.room("office", 20.4, "on", hold={"target": "22.5", "source": "page", "secondsLeft": None}, target=22.5, preset=None,
                      onBelow=22.2, offAbove=22.8, reason="20.4 is below 22.2"),
        scripted.room("kitchen", 20.1, hold={"target": "eco", "source": "home-assistant", "secondsLeft": 90000.0}, preset="eco",
                      target=18.0, onBelow=17.7, offAbove=18.3, reason="20.1 is above 18.3"),
        scripted.room("bedroom", 20.6, "on", override={"pump": "on", "source": "cli", "secondsLeft": 3500.0},
                      reason="switched on from the terminal"),
        scripted.room("living room", 20.5, waiting="starts in 3 min: the pump rests at least 5 min", waitingSeconds=180.0,
                      reason="20.5 is below 20.7")]


# Name, rooms that are there, what the gateway says, what is done on the page, what has to be seen then.
CALM = "document.body.dataset.mood === 'good'"
STATES = {
    "empty": ([], scripted.status([]), "", "!document.getElementById('no-rooms').hidden && document.querySelector('.spans').offsetHeight === 0"),
    "well": (FOUR, scripted.status(scripted.room(name) for name in FOUR), "", CALM),
    "dead": (FOUR, scripted.status(scripted.room(name) for name in FOUR), "dead", "document.body.dataset.mood === 'cold'"),
    "outage": (FOUR, scripted.status((scripted.room(name) for name in FOUR), cloud="waiting"), "",
               CALM + " && document.querySelector('.chart .outage') !== null"),
    "alarm": (TWELVE, scripted.status(twelve(), [BLIND, DISK]), "", "document.querySelectorAll('#alarm-list li').length === 2"),
    "twelve": (TWELVE, scripted.status(scripted.room(name) for name in TWELVE), "", CALM),
    "hold": (FOUR, scripted.status(held()), "", "[...document.querySelectorAll('.override-state')].filter((one) => !one.hidden).length === 3"),
    "off": (FOUR, scripted.status(scripted.room(name, 17.0, mode="off", reason="switched off") for name in FOUR), "",
            "document.querySelector('#house [data-pump=off]').getAttribute('aria-pressed') === 'true' && !document.getElementById('headline').textContent.includes('well')"),
    "year": (FOUR, scripted.status(scripted.room(name) for name in FOUR), "document.querySelector('[data-span=year]').click()",
             "document.querySelector('.caption').textContent.length > 60"),
    "fahrenheit": (FOUR, scripted.status((scripted.room(name, 69.8, target=70.0, onBelow=69.3, offAbove=70.7) for name in FOUR),
                                         temperatureUnit="F"), "", "document.querySelector('.unit').textContent === '°F' && "
                   "/^[5-8]/.test(document.querySelector('.chart text').textContent)"),
    "settings": (FOUR, scripted.status(scripted.room(name) for name in FOUR), "document.querySelector('details.settings').open = true",
                 "document.querySelectorAll('.entries li').length === 3"),
}


class Stage:
    """The scripted gateway with the real hearth-web in front."""

    def __init__(self, programs):
        self.rig = Box(programs)
        self.gateway = scripted.Gateway(self.rig.socket)
        self.gateway.status = scripted.status([])
        self.rig.start_web()

    def close(self):
        self.rig.close()

    def show(self, browser, rooms, status, action, seen, outage=False, outdoor=False):
        dead, action = action == "dead", "" if action == "dead" else action
        self.gateway.status, self.gateway.history = status, scripted.history(rooms, outage, outdoor)
        self.gateway.settings = scripted.settings(rooms)
        time.sleep(0.6)  # a page that is opened now shall not begin with the state before
        browser.open(self.rig.url + "/")
        wait(10, lambda: browser.evaluate("document.body.dataset.state") == "live", "live")
        wait(10, lambda: browser.evaluate("document.querySelectorAll('.chart .curve').length") == len(rooms), "charts")
        if dead:
            self.gateway.close()
        try:
            if action:
                # A click that comes before the first words of the gateway is as good as any.
                browser.evaluate(action)
            wait(8, lambda: browser.evaluate(f"Boolean({seen})"), f"{seen}: {browser.evaluate('document.body.innerText')[:300]}")
            yield
        finally:
            if dead:
                self.gateway.open()


def every_state(browser, programs, check_axe, output=None):
    """Widths and the dark theme in English, languages at the widths of phones.

    - output: where a picture of each goes, for eyes."""
    stage, shown = Stage(programs), 0
    try:
        for name, (rooms, status, action, seen) in STATES.items():
            status = {**status, "rooms": list(status["rooms"])}
            for language, (width, height), themes in variants():
                browser.call("Emulation.setUserAgentOverride", userAgent="test", acceptLanguage=language)
                browser.viewport(width, height, width < 500)
                for _ in stage.show(browser, rooms, status, action, seen, outage=name == "outage", outdoor=name == "year"):
                    for theme in themes:
                        # At dusk a page that is open turns dark.
                        browser.viewport(width, height, width < 500, theme == "dark")
                        label = f"{name}-{width}-{theme}-{language[:2]}"
                        wide = browser.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
                        assert wide[0] <= width, f"{label} is {wide[0]} wide"
                        if output:
                            browser.screenshot(os.path.join(output, f"state-{label}.png"))
                        if check_axe and language == "en-US" and width != 320:
                            check_axe(browser, label, colours_only=theme == "dark")
                        shown += 1
                problems = [one for one in browser.problems() if name != "dead"]
                assert not problems, f"{name}-{width}-{language[:2]}: {problems}"
                browser.events.clear()
    finally:
        browser.call("Emulation.setUserAgentOverride", userAgent="test", acceptLanguage="en-US")
        browser.viewport(1280, 900)
        stage.close()
    return f"{shown} looks"


def variants():
    # Colours move nothing: one width has both.
    yield "en-US", WIDTHS[0], ("light", "dark")
    for width in WIDTHS[1:]:
        yield "en-US", width, ("light",)
    for number, language in enumerate(LANGUAGES[1:]):
        yield language, WIDTHS[1 + number % 2], ("light",)


# As hearthd hands it over: a pattern, which is the code, its values, and beside them the sentence in English.
SILENT = {"say": "no reading for {time}: {action}", "with": {"time": {"seconds": 2400.0}, "action": {"say": "the pump is off"}}}
ALARM = {**BLIND, "text": "no reading from nursery for 40 min: the pump is off",
         "advice": "Check the sensor's power and its connection to the home broker.",
         "say": {"text": {"say": "no reading from {room} for {time}: {action}", "with": {"room": "nursery", **SILENT["with"]}},
                 "advice": {"say": "Check the sensor's power and its connection to the home broker."}}}
NEW = {**DISK, "say": {"text": {"say": "the moon is in the way of {room}", "with": {"room": "nursery"}}, "advice": {"say": "Wait."}}}
SAID = {
    "de-DE": ("Seit 40 min kein Messwert: die Pumpe ist aus", "Seit 40 min kein Messwert aus nursery: die Pumpe ist aus", "Prüfen Sie"),
    "es-ES": ("Ninguna lectura desde hace 40 min: la bomba está apagada", "Ninguna lectura de nursery desde hace 40 min", "Compruebe"),
    "ca": ("Cap lectura des de fa 40 min: la bomba està apagada", "Cap lectura de nursery des de fa 40 min", "Comproveu"),
    "en-US": ("No reading for 40 min: the pump is off", "No reading from nursery for 40 min: the pump is off", "Check"),
}


def said(browser, programs):
    """Reasons and alarms in the browser's language; the English sentence where the page does not know the gateway's."""
    stage = Stage(programs)
    rooms = [scripted.room(name) for name in FOUR]
    rooms[0] = scripted.room("office", 20.4, "on", reason="20.4 is between 20.2 and 20.8 (eco): stays on", say={
        "reason": {"say": "{reason}: stays on", "with": {"reason": {"say": "{reason} ({program})", "with": {
            "program": {"say": "eco"}, "reason": {"say": "{value} is between {low} and {high}", "with": {
                "value": {"number": 20.4}, "low": {"number": 20.2}, "high": {"number": 20.8}}}}}}}})
    rooms[1] = scripted.room("nursery", 17.9, stale=True, readingAgeSeconds=2400.0,
                             reason="no reading for 40 min: the pump is off", say={"reason": SILENT})
    between = {"de-DE": "20,4 liegt zwischen 20,2 und 20,8 (Eco): bleibt an", "es-ES": "20,4 está entre 20,2 y 20,8 (eco)",
               "ca": "20,4 és entre 20,2 i 20,8 (eco)", "en-US": "20.4 is between 20.2 and 20.8 (eco): stays on"}
    try:
        for language, (reason, alarm, advice) in SAID.items():
            browser.call("Emulation.setUserAgentOverride", userAgent="test", acceptLanguage=language)
            for _ in stage.show(browser, FOUR, scripted.status(rooms, [ALARM, NEW]), "",
                                "document.querySelectorAll('#alarm-list li').length === 2"):
                shown = browser.evaluate("[...document.querySelectorAll('.card .reason')].map((one) => one.textContent)")
                assert shown[0].startswith(between[language]) and shown[1].startswith(reason), shown
                alarms = browser.evaluate("document.getElementById('alarm-list').innerText")
                assert alarm in alarms and advice in alarms and "The disk is nearly full" in alarms, alarms
                headline = browser.evaluate("document.getElementById('headline').textContent")
                assert alarm[1:] in headline, headline
    finally:
        browser.call("Emulation.setUserAgentOverride", userAgent="test", acceptLanguage="en-US")
        stage.close()
        browser.events.clear()


def settings(browser, programs):
    """The week and the settings of a room: only what was changed is sent, and it says where each value comes from."""
    stage = Stage(programs)
    form = "document.querySelector('.settings form')"
    try:
        for _ in stage.show(browser, FOUR, scripted.status(scripted.room(name) for name in FOUR),
                            "document.querySelector('details.settings').open = true",
                            "document.querySelectorAll('.entries li').length === 3"):
            origin = browser.evaluate(f"{form}.querySelector('[data-key=target] .origin').textContent")
            assert origin == "from the box's file", origin
            assert browser.evaluate(f"{form}.querySelector('.week .reset').hidden") is False, "what was set here can be undone"
            browser.evaluate(f"{form}.querySelector('[data-key=name] input').value = 'Study'")
            browser.evaluate(f"{form}.querySelector('[data-key=target] input').value = '20.5'")
            # By keyboard: the first entry begins at another time on fewer days.
            browser.evaluate(f"{form}.querySelector('.entries input[type=checkbox]').focus()")
            browser.key(" ", text=" ")
            browser.evaluate(f"{form}.querySelector('.entries input[type=time]').value = '07:15'")
            browser.evaluate(f"{form}.querySelectorAll('.entries .remove')[1].click()")
            browser.evaluate(f"{form}.querySelector('.save').click()")
            method, asked = wait(5, lambda: stage.gateway.asked and stage.gateway.asked[-1], "the gateway is asked")[0]
            week = [{"days": ["tue", "wed", "thu", "fri"], "time": "07:15", "preset": "comfort"}, scripted.WEEK[2]]
            assert (method, asked) == ("Set", {"room": "office", "settings": {"name": "Study", "target": 20.5, "schedule": week}}), asked
            wait(3, lambda: browser.evaluate("document.querySelector('.answer').textContent", ) is not None
                 and "Saved." in browser.evaluate("document.querySelector('.card .answer').textContent"), "the answer is shown")
            stage.gateway.answers["Set"] = {"error": ("InvalidSetting", "band must be between 0.2 and 5 °C")}
            browser.evaluate(f"{form}.querySelector('[data-key=band] input').value = '0'; {form}.querySelector('.save').click()")
            wait(5, lambda: "between 0.2 and 5" in browser.evaluate("document.querySelector('.card .answer').textContent"), "a refusal is shown")
            stage.gateway.answers.clear()
            browser.evaluate(f"{form}.querySelector('.week .reset').click()")
            wait(5, lambda: stage.gateway.asked[-1] == ("Set", {"room": "office", "settings": {"schedule": None}}), "undone")
    finally:
        stage.close()
        browser.events.clear()


def dial(browser, programs):
    """From the top of the ring, which is its middle, to the right: 5 to 30 °C on three quarters of a circle."""
    stage = Stage(programs)
    part = "document.querySelector('.card .{0}')"
    try:
        for _ in stage.show(browser, FOUR, scripted.status(scripted.room(name) for name in FOUR), "", CALM):
            browser.evaluate(part.format("round") + ".scrollIntoView({block: 'center'})")
            x, y, scale = browser.evaluate("((box) => [box.left, box.top, box.width / 120])(" + part.format("round svg") + ".getBoundingClientRect())")
            assert browser.evaluate("getComputedStyle(" + part.format("grip") + ").touchAction") == "none"

            def pointer(kind, across, down):
                browser.call("Input.dispatchMouseEvent", type=kind, x=x + across * scale, y=y + down * scale, button="left", clickCount=1)

            pointer("mousePressed", 60, 13)
            wait(3, lambda: browser.evaluate(part.format("degrees") + ".value") == "17.5", "the top is the middle")
            pointer("mouseMoved", 107, 60)
            pointer("mouseReleased", 107, 60)
            wait(3, lambda: browser.evaluate(part.format("wanted") + ".textContent") == "26.0°", "the dial shows where it is")
            # Beyond the end and through the gap below: it stays at its end.
            pointer("mousePressed", 107, 60)
            pointer("mouseMoved", 80, 110)
            pointer("mouseMoved", 40, 110)
            pointer("mouseReleased", 40, 110)
            wait(3, lambda: browser.evaluate(part.format("degrees") + ".value") == "30.0", "warmest, and not coldest")
            assert not stage.gateway.asked, stage.gateway.asked
            browser.evaluate(part.format("set") + ".click()")
            wait(5, lambda: stage.gateway.asked and stage.gateway.asked[-1][1].get("pump") == "30", f"set: {stage.gateway.asked}")
    finally:
        stage.close()
        browser.events.clear()


def devices(browser, programs):
    """Of each room what its pump and valve say, other measures with their age, and those that no room has."""
    def says(name, **more):
        return {"name": name, "available": None, "says": None, "confirmed": None, "watts": None, **more}

    stage = Stage(programs)
    rooms = [scripted.room("office", device=says("main", says="on", confirmed=True, available=True, watts=911.7),
                           valve=says("office", says="on", confirmed=True)),
             scripted.room("kitchen", device=says("main", available=False, says="on", confirmed=False)),
             scripted.room("bedroom", device=says("plug", confirmed=False), valve=says("bedroom")), scripted.room("living room")]
    measures = [{"room": "office", "measure": "humidity", "value": 48.52, "unit": "%", "ageSeconds": 4.0},
                {"room": "office", "measure": "battery", "value": 93.0, "unit": "%", "ageSeconds": 10800.0},
                {"room": "outside", "measure": "illuminance", "value": 120.0, "unit": "lx", "ageSeconds": 4.0}]
    try:
        for language, wanted in (("en-US", ["Heat pump main: runs, 912 W · Valve: open", "Heat pump main: not reachable",
                                            "Heat pump plug: has not confirmed yet", ""]),
                                 ("de-DE", ["Wärmepumpe main: läuft, 912 W · Ventil: offen", "Wärmepumpe main: nicht erreichbar",
                                            "Wärmepumpe plug: hat noch nicht bestätigt", ""])):
            browser.call("Emulation.setUserAgentOverride", userAgent="test", acceptLanguage=language)
            for _ in stage.show(browser, FOUR, scripted.status(rooms, measures=measures), "", CALM):
                shown = browser.evaluate("[...document.querySelectorAll('.devices')].map((one) => one.hidden ? '' : one.textContent)")
                assert shown == wanted, shown
                text = browser.evaluate("document.querySelector('.measures').textContent")
                assert ("3 h old" if language == "en-US" else "3 h alt") in text and "%" in text, text
                assert "outside" in browser.evaluate("document.getElementById('facts').textContent")
    finally:
        browser.call("Emulation.setUserAgentOverride", userAgent="test", acceptLanguage="en-US")
        stage.close()
        browser.events.clear()


def house(browser, programs):
    """Off for the whole house has no end, eco has the chosen one, and both are asked for at once."""
    stage = Stage(programs)
    idle = "document.querySelector('#house').dataset.busy !== 'true' && !document.querySelector('#house [data-pump=eco]').disabled"
    try:
        for _ in stage.show(browser, FOUR, scripted.status(scripted.room(name) for name in FOUR), "", CALM):
            browser.evaluate("document.querySelector('#house [data-pump=off]').click()")
            wait(5, lambda: stage.gateway.asked[-1:] == [("Set", {"all": True, "settings": {"mode": "off"}})], "off")
            wait(3, lambda: "Off until it is switched to automatic" in browser.evaluate("document.querySelector('#house .answer').textContent"), "shown")
            wait(5, lambda: browser.evaluate(idle), "the buttons can be used again")
            browser.evaluate("(document.querySelector('#house select').value = '604800', document.querySelector('#house [data-pump=eco]').click())")
            wanted = {"all": True, "pump": "eco", "seconds": 604800, "source": "page"}
            wait(5, lambda: stage.gateway.asked[-1:] == [("Override", wanted)], f"eco for a week: {stage.gateway.asked[-1:]}")
            wait(5, lambda: browser.evaluate(idle), "the buttons can be used once more")
            browser.evaluate("(document.querySelector('#house select').value = '', document.querySelector('#house [data-pump=frost]').click())")
            wanted = {"all": True, "pump": "frost", "untilChanged": True, "source": "page"}
            wait(5, lambda: stage.gateway.asked[-1:] == [("Override", wanted)], f"frost until changed: {stage.gateway.asked[-1:]}")
    finally:
        stage.close()
        browser.events.clear()
