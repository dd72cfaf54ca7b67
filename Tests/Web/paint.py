"""How soon a page of the house is painted, and how much it loads for that."""

import scripted
import states
from browser import Browser


def first(programs):
    """A phone's processor, four times slower than this one: first paint within a second, below 150 kB in all, with the words of
    another language. The best of three: what else the machine does is not the page's.

    In a browser of its own: Chromium slows a page down by turning in circles, which ends with the browser for certain."""
    stage, browser, paints = states.Stage(programs), Browser(), []
    try:
        browser.viewport(390, 844, True)
        browser.call("Emulation.setUserAgentOverride", userAgent="test", acceptLanguage="de-DE")
        browser.call("Network.setCacheDisabled", cacheDisabled=True)
        browser.call("Emulation.setCPUThrottlingRate", rate=4)
        while len(paints) < 3 and min(paints, default=1000) >= 1000:
            for _ in stage.show(browser, states.TWELVE, scripted.status(scripted.room(name) for name in states.TWELVE), "", states.CALM):
                paints.append(browser.evaluate(
                    "performance.getEntriesByType('paint').find((one) => one.name === 'first-contentful-paint').startTime"))
                size = browser.evaluate("[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]"
                                        ".filter((one) => !one.name.includes('history') && !one.name.includes('events'))"
                                        ".reduce((sum, one) => sum + one.transferSize, 0)")
        assert min(paints) < 1000, f"first paint after {[round(one) for one in paints]} ms"
        assert 0 < size < 150_000, f"{size} bytes"
        return f"first paint {min(paints):.0f} ms, {size / 1000:.0f} kB"
    finally:
        browser.close()
        stage.close()
