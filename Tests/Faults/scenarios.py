"""The list of fault scenarios and what they share."""

import contextlib
import re
from dataclasses import dataclass
from typing import Callable

from House.checks import Failure, Late
from House.kafka import MockCluster
from House.processes import wait_for
from House.rig import Rig
from oracle import Oracle


@dataclass
class Scenario:
    function: Callable
    breaks: str
    quick: bool
    alone: bool
    measures: bool


registry: dict[str, Scenario] = {}
# The longest wait for everything to arrive; shorter where a failure is expected.
patience = float("inf")


def scenario(name, breaks, quick=True, alone=False, measures=False):
    """- breaks: what the fault is, for the table.
    - quick: part of --quick.
    - alone: nothing else runs beside it.
    - measures: it asks for times, and is left for the end (--late) where other suites run beside this one."""
    def register(function):
        registry[name] = Scenario(function, breaks, quick, alone, measures)
        return function
    return register


def is_absence(told):
    """Whether records are missing and nothing else is wrong: what the end of the log's only broker explains. It explains no record
    that nobody sent, no value that is another, and no program that crashed."""
    return "missing" in told and not re.search(r"(not wanted|different) [1-9]", told)


@contextlib.contextmanager
def chain(run, kafka=None, homes=1, home_options=None, **rig_options):
    """A running chain whose homes record; ends with it."""
    rig = Rig(run.programs, run.directory, kafka, **rig_options)
    try:
        rig.start_services()
        for _ in range(homes):
            home = rig.home(**(home_options or {}))
            home.start()
        for home in rig.homes:
            home.recording()
        yield rig
    except Failure as failure:
        code = rig.kafka.ended() if isinstance(rig.kafka, MockCluster) else None
        if code is None or not is_absence(str(failure)):
            raise
        raise Late(f"mock-kafka has ended by itself ({code}) and took what it held with it; {failure}") from failure
    finally:
        rig.close()


def flowing(home, more=50, seconds=30):
    """Until that many further records have been acknowledged."""
    least = home.acknowledged() + more
    wait_for(lambda: home.acknowledged() >= least, seconds, f"{home.name} acknowledges {more} more records")


def confirmed(home):
    """Until the ingestor has confirmed once more, so that the cut meets what the gateway has already let go of."""
    def confirmations():
        return sum(1 for m in home.link.snapshot("delivered") if m.topic.endswith("/gateway/ack"))
    least = confirmations() + 1
    wait_for(lambda: confirmations() >= least, 30, "the ingestor confirms")


def finish(rig, seconds=120, hurry=True, **counts):
    """No more faults and no more readings: everything must arrive by itself.

    - hurry: starts the gateways again, since one that lost its link waits up to a minute (by design: ten thousand homes
      must not return in the same second), which would be most of a short run's time."""
    for home in rig.homes:
        home.expect_no_crash()
        if home.feeder and home.feeder.running():
            home.stop_feeding()
        home.link.mode, home.link.rate, home.link.delay, home.link.slice = "pass", None, 0.0, None
        home.link.budget, home.link.rewrite = {}, None
        if not home.process.running():
            home.start()
        elif hurry:
            home.restart()
    counts.update(Oracle(rig).verify(min(seconds, patience)))
    return counts
