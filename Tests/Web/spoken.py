"""What the page says in the browser's language beyond its own words: refusals, what is wrong with a connection, and the
temperature outdoors. The house is a scripted gateway, as in states.py."""

import json

import scripted
from House.box import wait
from states import CALM, FOUR, Stage

WIDE = ("InvalidSetting", "band (12.5) must lie between 0.1 and 10.0",
        {"say": "{setting} ({value}) must lie between {low} and {high}",
         "with": {"setting": {"say": "band"}, "value": {"exact": 12.5}, "low": {"exact": 0.1}, "high": {"exact": 10.0}}})
NEW = ("InvalidSetting", "the moon is in the way", {"say": "the moon is in the way of {room}", "with": {"room": "office"}})
AWAY = {"detail": "cannot connect to home:1883: Connection refused; is the broker running and listening there?",
        "say": {"say": "cannot connect to {peer}: {error}; is the broker running and listening there?",
                "with": {"peer": "home:1883", "error": "Connection refused"}}}
REFUSED = {
    "en-US": (WIDE[1], AWAY["detail"]),
    "de-DE": ("Spanne (12,5) muss zwischen 0,1 und 10 liegen", "keine Verbindung zu home:1883: Connection refused; läuft der Broker"),
    "es-ES": ("Margen (12,5) debe estar entre 0,1 y 10", "no se puede conectar con home:1883: Connection refused"),
    "ca": ("Marge (12,5) ha d'estar entre 0,1 i 10", "no es pot connectar amb home:1883: Connection refused"),
}
OUTDOORS = {"en-US": "outdoors, by the scale on the right", "de-DE": "draußen, nach der Skala rechts",
            "es-ES": "exterior, según la escala de la derecha", "ca": "exterior, segons l'escala de la dreta"}


def speak(browser, language="en-US"):
    browser.call("Emulation.setUserAgentOverride", userAgent="test", acceptLanguage=language)


def refusals(browser, programs):
    """A refusal where it was asked for, and why a broker is not reached; in English where the page does not know the code."""
    stage = Stage(programs)
    answer = "document.querySelector('.card .answer').textContent"
    press = "document.querySelector('.card [data-pump=off]').click()"
    try:
        for language, (refusal, broker) in REFUSED.items():
            speak(browser, language)
            status = scripted.status(scripted.room(name) for name in FOUR)
            status["links"][1] = {**status["links"][1], "state": "waiting", **AWAY}
            for _ in stage.show(browser, FOUR, status, "", "document.querySelectorAll('#links li').length === 3"):
                detail = browser.evaluate("document.querySelector('#links [data-link=record] .detail').textContent")
                assert broker in detail, detail
                for error, wanted in ((WIDE, refusal), (NEW, NEW[1])):
                    stage.gateway.answers["Set"] = {"error": error}
                    browser.evaluate(press)
                    wait(5, lambda: browser.evaluate(answer) == wanted, f"{language}: {browser.evaluate(answer)}")
            browser.events.clear()  # A refusal is a 409, which the browser notes.
    finally:
        speak(browser)
        stage.close()
        browser.events.clear()


def outdoors(browser, programs):
    """A quiet second line with its own scale, legend and words in every period; nothing of it where nothing is measured."""
    stage = Stage(programs)
    legend = "document.getElementById('legend-outdoor')"
    lines = "document.querySelectorAll('.chart path.outdoor').length"
    caption = "document.querySelector('.card .caption').textContent"
    try:
        for language, wanted in OUTDOORS.items():
            speak(browser, language)
            for _ in stage.show(browser, FOUR, scripted.status(scripted.room(name) for name in FOUR), "", CALM, outdoor=True):
                assert browser.evaluate(f"{legend}.innerText") == wanted, browser.evaluate(f"{legend}.innerText")
                for span in ("hour", "day", "week", "month", "year"):
                    browser.evaluate(f"document.querySelector('[data-span={span}]').click()")
                    outside = stage.gateway.history[span]["outdoor"]
                    low = min(value for value in outside["low"] if value is not None)
                    high = max(value for value in outside["high"] if value is not None)
                    ends = [number(browser, value) + " °C" for value in (low, high)]
                    wait(5, lambda: all(end in browser.evaluate(caption).split(", ", 1)[1] for end in ends),
                         f"{language} {span} {ends}: {browser.evaluate(caption)}")
                    assert browser.evaluate(lines) == len(FOUR), span
                    path = browser.evaluate("document.querySelector('.chart path.outdoor').getAttribute('d')")
                    assert path.count("M") == 1 and "L" in path, f"{span}: broken {path[:200]}"
                browser.evaluate("document.querySelector('details.numbers').open = true")
                wait(3, lambda: browser.evaluate("document.querySelector('tbody tr')?.children.length") == 6, "a column of the table")
        speak(browser)
        for _ in stage.show(browser, FOUR, scripted.status(scripted.room(name) for name in FOUR), "", CALM):
            assert browser.evaluate(f"{legend}.hidden") and browser.evaluate(lines) == 0
            assert "outdoors" not in browser.evaluate(caption)
            browser.evaluate("document.querySelector('details.numbers').open = true")
            wait(3, lambda: browser.evaluate("document.querySelector('tbody tr')?.children.length") == 5, "no column of it")
    finally:
        speak(browser)
        stage.close()
        browser.events.clear()


def number(browser, value):
    """As the page writes it in the browser's language."""
    return browser.evaluate(f"Number({json.dumps(value)}).toLocaleString(document.documentElement.lang, "
                            "{minimumFractionDigits: 1, maximumFractionDigits: 1, useGrouping: false})")
