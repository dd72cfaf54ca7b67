"""Runs the fault scenarios, several at a time, each in a process and a directory of its own, and prints the table.
Called by scripts/faults."""

import argparse
import importlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

sys.path.append(__file__.rsplit("/", 2)[0])  # Tests, where House is
from House.checks import FAILED, OK, CannotRun, Failure, Late, not_run
from House.processes import popen
import scenarios

MODULES = [
    "processes", "recording", "gateways", "power", "disks", "links", "names", "certificates", "acknowledgements", "clouds", "databases",
    "limits", "times", "neighbours", "kafka", "programs", "hostile_broker", "states", "devices", "everything",
]


class Run:
    """What a scenario gets: its seed, its share of time, and where the programs are."""

    def __init__(self, options, seed, directory):
        self.programs, self.mock_kafka, self.tools = options.programs, options.mock_kafka, options.tools
        self.quick, self.hours = options.quick, options.hours
        self.seed, self.random, self.directory = seed, random.Random(seed), directory
        self.kafka_broker = shutil.which(os.path.join(options.tools, "tansu"))
        self.failpoints = os.path.join(options.tools, "failpoints.so")
        self.memoryfaults = os.path.join(options.tools, "memoryfaults.so")
        self.diskfaults = os.path.join(options.tools, "diskfaults.so")

    def pick(self, quick, full):
        return quick if self.quick else full


def one(options):
    """A single scenario in this process; its result as JSON on the last line."""
    directory = tempfile.mkdtemp(prefix=f"hearth-faults-{options.one}-")
    scenario = scenarios.registry[options.one]
    began, late = time.monotonic(), False
    try:
        result, error = scenario.function(Run(options, options.seed, directory)) or {}, None
    except CannotRun as reason:
        result, error = {"not run": str(reason)}, None
    except Failure as failure:
        result, error, late = {}, str(failure), isinstance(failure, Late)
    except Exception:
        result, error = {}, traceback.format_exc()
    kept = None
    if error and not options.discard:
        kept = directory
    else:
        shutil.rmtree(directory, ignore_errors=True)
    print(json.dumps({"seconds": round(time.monotonic() - began, 1), "result": result, "error": error, "kept": kept, "late": late}))


def command(options, name, seed):
    arguments = [sys.executable, os.path.abspath(__file__), "--programs", options.programs, "--tools", options.tools,
                 "--one", name, "--seed", str(seed)]
    if options.mock_kafka:
        arguments += ["--mock-kafka", options.mock_kafka]
    if options.quick:
        arguments.append("--quick")
    if options.hours:
        arguments += ["--hours", str(options.hours)]
    if options.discard:
        arguments.append("--discard")
    if options.stop_at_failure:
        arguments.append("--stop-at-failure")
    return arguments


def finished(name, child):
    out, err = child.communicate()
    try:
        return json.loads(out.strip().splitlines()[-1])
    except (ValueError, IndexError):
        return {"seconds": 0, "result": {}, "error": f"{name} ended without a result ({child.returncode}): {err[-2000:]}",
                "kept": None, "late": False}


def describe(result):
    return ", ".join(f"{k} {v}" for k, v in result.items() if k != "table")


def run_all(options, names):
    """Starts them in order, `jobs` at a time: most of their time is waiting. With --late, those that measure are left for
    later.

    With --quick a scenario that only came late while others took the processors runs once more, alone, and the table says
    so: a machine that is busy is no finding. What was lost, doubled or ended stays a failure."""
    waiting, running = list(names), {}
    again = [name for name in waiting if options.late and scenarios.registry[name].measures]
    waiting = [name for name in waiting if name not in again]
    results = {name: {"seconds": 0, "result": {"not run": "to be tried alone"}, "error": None} for name in again}
    stop = False
    while (waiting and not stop) or running:
        while waiting and len(running) < options.jobs and not stop:
            name = waiting.pop(0)
            if scenarios.registry[name].alone and running:
                waiting.insert(0, name)
                break
            running[name] = start(options, name)
            if scenarios.registry[name].alone:
                break
        for name, child in list(running.items()):
            if child.poll() is not None:
                del running[name]
                results[name] = answer = finished(name, child)
                say(name, answer)
                if options.quick and answer.get("late"):
                    again.append(name)
                stop = stop or (options.stop_at_failure and answer["error"] is not None)
        if stop:
            for child in running.values():
                child.kill()
                child.wait()
            break
        time.sleep(0.05)
    if options.late and not stop:
        with open(options.late, "a") as f:
            f.writelines(f"{name}\n" for name in again)
        for name in again:
            results[name]["result"]["not run"] = "to be tried alone"
            results[name]["error"] = None
        return results
    for name in again if not stop else []:
        print(f"{name} was late: once more, alone", flush=True)
        results[name] = answer = finished(name, start(options, name))
        if not answer["error"]:
            answer["result"]["late at first"] = "held alone"
        say(name, answer)
    return results


def start(options, name):
    return popen(command(options, name, options.seed), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def say(name, answer):
    if "not run" in answer["result"]:
        return not_run(name, answer["result"]["not run"])
    text = f"{FAILED if answer['error'] else OK}{name:32} {answer['seconds']:6.1f} s  {describe(answer['result'])}".rstrip()
    if answer["error"]:
        text += "\n        " + answer["error"].strip().replace("\n", "\n        ")
        if answer["kept"]:
            text += f"\n        what it left: {answer['kept']}"
    return print(text, flush=True)


def table(options, results):
    print(f"\n| scenario | what is broken | result | seconds | counts (seed {options.seed}) |\n|---|---|---|---|---|")
    for name, answer in results.items():
        verdict = "**FAILED**" if answer["error"] else "not run" if "not run" in answer["result"] else "held"
        print(f"| {name} | {scenarios.registry[name].breaks} | {verdict} | {answer['seconds']} | {describe(answer['result'])} |")
    for answer in results.values():
        if "table" in answer["result"]:
            print("\n" + "\n".join(answer["result"]["table"]))
    failed = sum(1 for a in results.values() if a["error"])
    skipped = sum(1 for a in results.values() if "not run" in a["result"])
    print(f"\nfaults: {len(results) - failed - skipped} passed, {failed} failed, {skipped} not run")
    return failed


def main():
    parser = argparse.ArgumentParser(prog="scripts/faults")
    parser.add_argument("--programs", required=True)
    parser.add_argument("--tools", required=True)
    parser.add_argument("--mock-kafka")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--hours", type=float, default=0)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--only", action="append")
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--late")
    parser.add_argument("--json")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--one")
    parser.add_argument("--discard", action="store_true")
    parser.add_argument("--stop-at-failure", action="store_true")
    options = parser.parse_args()
    for name in MODULES:
        if os.path.exists(os.path.join(os.path.dirname(os.path.abspath(__file__)), name + ".py")):
            importlib.import_module(name)
    if options.stop_at_failure:
        scenarios.patience = 40
    if options.one:
        return one(options)
    names = [n for n, s in scenarios.registry.items() if (s.quick if options.quick else True) and (n != "everything" or options.hours)]
    if options.only:
        unknown = set(options.only) - set(scenarios.registry)
        if unknown:
            parser.error(f"no scenario {', '.join(sorted(unknown))}; --list shows them")
        names = options.only
    if options.list:
        for name in scenarios.registry:
            print(f"{name:32} {scenarios.registry[name].breaks}")
        return None
    began = time.monotonic()
    print(f"seed {options.seed}: {len(names)} scenarios, {options.jobs} at a time", flush=True)
    results = run_all(options, names)
    failed = table(options, results)
    print(f"{time.monotonic() - began:.0f} s; once more: scripts/faults --seed {options.seed}")
    if options.json:
        with open(options.json, "w") as f:
            json.dump({"seed": options.seed, "results": results}, f, indent=1)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
