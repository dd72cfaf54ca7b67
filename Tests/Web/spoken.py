"""What the page says in the browser's language of the temperature outdoors. The house is a scripted gateway, as in states.py."""

import json

import scripted
from browser import wait
from states import CALM, FOUR, Stage

OUTDOORS = {"en-US": "outdoors, by the scale on the right", "de-DE": "draußen, nach der Skala rechts",
            "es-ES": "exterior, según la escala de la derecha", "ca": "exterior, segons l'escala de la dreta"}


def speak(browser, language="en-US"):
    browser.call("Emulation.setUserAgentOverride", userAgent="test", acceptLanguage=language)


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
