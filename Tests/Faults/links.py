"""Links that break: at every byte, for a while, slowly, and with a broker that dies holding what it acknowledged."""

import time

from House.processes import wait_for
from House.proxy import DOWN, UP
from scenarios import chain, finish, flowing, scenario


@scenario("cloud-link-cut-at-every-byte", "the link to the cloud is reset after n bytes up, or n bytes down, for each n")
def cut_everywhere(run):
    with chain(run) as rig:
        home = rig.homes[0]
        home.feed(rate=100, seed=run.seed)
        flowing(home)
        offset = run.random.randrange(run.pick(41, 1))
        points = [(UP, n) for n in range(1 + offset, 1800, run.pick(41, 1))]
        points += [(DOWN, n) for n in range(1 + offset, 500, run.pick(41, 1))]
        reached = 0
        for direction, count in points:
            home.kill()
            home.link.budget = {direction: count}
            before = home.link.resets
            home.start()
            deadline = time.monotonic() + 0.5
            while home.link.resets == before and time.monotonic() < deadline:
                time.sleep(0.005)
            reached += home.link.resets > before
        return finish(rig, points=len(points), cuts=reached)


@scenario("home-link-cut-at-every-byte", "the link to the home broker is reset after n bytes")
def cut_home(run):
    with chain(run, home_options={"more": "[thermostat]\nenabled = false"}) as rig:
        home = rig.homes[0]
        home.feed(rate=100, seed=run.seed)
        flowing(home)
        points = [(d, n) for d in (UP, DOWN) for n in range(1 + run.random.randrange(29), 600, run.pick(29, 1))]
        reached = 0
        for direction, count in points:
            home.kill()
            home.wire.budget = {direction: count}
            before = home.wire.resets
            home.start()
            deadline = time.monotonic() + 0.5
            while home.wire.resets == before and time.monotonic() < deadline:
                time.sleep(0.005)
            reached += home.wire.resets > before
        home.wire.budget = {}
        return finish(rig, points=len(points), cuts=reached)


@scenario("cloud-link-flaps-and-starves", "the link flaps, is black-holed, passes 1-byte segments, 9600 bit/s, 2 s round trips")
def bad_links(run):
    with chain(run) as rig:
        home = rig.homes[0]
        home.feed(rate=30, seed=run.seed)
        flowing(home, 20)
        for _ in range(run.pick(1, 5)):
            for fault in (lambda link: setattr(link, "mode", "hole"), lambda link: setattr(link, "mode", "refuse"),
                          lambda link: setattr(link, "slice", 1), lambda link: setattr(link, "rate", 1200),
                          lambda link: setattr(link, "delay", 1.0), lambda link: link.cut()):
                fault(home.link)
                time.sleep(run.pick(1.5, run.random.uniform(1, 10)))
                home.link.mode, home.link.slice, home.link.rate, home.link.delay = "pass", None, None, 0.0
                if run.random.random() < 0.5:
                    home.restart()
                time.sleep(0.3)
        return finish(rig)


@scenario("cloud-broker-killed-with-messages", "the cloud broker dies holding what it acknowledged and nobody took")
def broker_with_messages(run):
    with chain(run) as rig:
        home = rig.homes[0]
        home.feed(rate=200, seed=run.seed)
        flowing(home)
        held = 0
        kills = run.pick(5, 60)
        for _ in range(kills):
            rig.kill("serve")
            before = home.link.count("confirmed")
            home.restart()
            wait_for(lambda b=before: home.link.count("confirmed") > b, 20, "the broker acknowledges records")
            time.sleep(0.2)
            held += home.link.count("confirmed") - before
            rig.broker.kill()
            rig.broker.start()
            rig.start("serve")
            time.sleep(0.3)
        return finish(rig, kills=kills, held=held)


@scenario("nobody-listens", "the ingestor is away while the broker takes everything")
def nobody(run):
    with chain(run) as rig:
        home = rig.homes[0]
        home.feed(rate=200, seed=run.seed)
        flowing(home)
        rig.kill("serve")
        flowing(home, 500, 60)
        rig.broker.kill()  # its session for the ingestor dies with it: from now on nobody has subscribed
        rig.broker.start()
        home.restart()
        flowing(home, 300, 60)
        rig.start("serve")
        return finish(rig)


@scenario("home-link-flaps", "the link to the home broker is cut, held and starved while readings flow")
def home_flaps(run):
    with chain(run) as rig:
        home = rig.homes[0]
        home.feed(rate=200, seed=run.seed)
        flowing(home)
        cuts = run.pick(6, 100)
        for _ in range(cuts):
            if run.random.random() < 0.3:
                home.wire.slice = 1
                time.sleep(0.1)
                home.wire.slice = None
            home.wire.cut()
            if run.random.random() < 0.5:
                home.restart()
            flowing(home, 10, 30)
        return finish(rig, cuts=cuts)
