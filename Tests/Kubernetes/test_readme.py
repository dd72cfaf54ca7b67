#!/usr/bin/env python3
"""Runs every command of the READMEs of the cloud side, as written: kubectl is the real one at a double of the API that has the rendered
manifests, hearth-cloud, Mosquitto, InfluxDB 1.x, openssl and the scripts are themselves, minikube, docker and InfluxDB 2's `influx` are
doubles. A command that nobody here knows how to run fails, and so does one that names what the manifests do not have; wrong
commands are planted for both. Called by scripts/test-kubernetes."""

import functools
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

import yaml

sys.path.append(__file__.rsplit("/", 2)[0])  # Tests, where House is
sys.path.append(__file__.rsplit("/", 2)[0] + "/Cloud")
import found
import home_step
from api import API, REFUSED
from House.brokers import security_plugin
from House.checks import check, end, not_run
from manifests import SECRETS, pods, render
from readme import commands
from readme_cloud import PROGRAMS, Station, shell
from test_minikube_up import Machine

READMES = ("cloud/README.md", "cloud/METRICS.md", "Tests/Kubernetes/README.md")
# Several words in code that are nothing to run, and where they are from.
WORDS = {"unclear refusal": "Sources/hearth-cloud", "(home, epoch, seq)": "Sources/CONTRACT.md", "FAILED …": "Tests/House/checks.py"}
# What takes minutes, or is this very script.
LONG = {"scripts/bench --cloud": "measures for a quarter of an hour", "scripts/test-kubernetes": "is what runs this"}


class Reader:
    """Somebody who does what the README says, from the top, with a cluster and a machine of their own."""

    def __init__(self, directory):
        self.directory, self.station = directory, Station(directory / "station")
        self.station.directory.mkdir()
        self.environment = {"DIRECTORY": str(directory / "secrets")}

    # MARK: Kubernetes

    @functools.cached_property
    def documents(self):
        return [d for place in ("everything", "everything-production") for d in render(f"Tests/Kubernetes/{place}")] + \
            render("cloud/overlays/production")

    @functools.cached_property
    def api(self):
        api = API(self.documents)
        self.environment["KUBECONFIG"] = str(api.kubeconfig(self.directory / "kubeconfig"))
        return api

    def kubectl(self, command):
        api = self.api
        for selector in re.findall(r"(?:-l|--selector)[ =](\S+)", command):
            key, _, value = selector.partition("=")
            if not any(labels.get(key) == value for labels in self.labels()):
                return f"no manifest has the label {selector}"
        deleted, applied = len(api.deleted), api.count
        result = shell(command, self.environment)
        answer = result.stdout + result.stderr
        if " port-forward " in command:
            return self.forwarded(command, answer)
        if result.returncode != 0:
            return answer
        if " delete " in command and len(api.deleted) == deleted:
            return "nothing was deleted"
        if not re.search(r" (delete|logs|wait) ", command) and api.count == applied and "scaled" not in answer:
            return f"nothing was changed: {answer}"
        if "apply" in command and "overlays" in command:
            # All that the overlay's components would add, for what comes further below.
            shell("kubectl apply --server-side -k Tests/Kubernetes/everything-production", self.environment)
        return ""

    def labels(self):
        return [d["metadata"].get("labels", {}) for d in self.documents] + [pod.labels for pod in pods(self.documents)]

    def forwarded(self, command, answer):
        if REFUSED not in answer:
            return answer
        what, pod, _ = self.api.streams[-1]
        ports = {str(port["containerPort"]) for container in pod["spec"]["containers"] for port in container.get("ports", [])}
        port = command.split()[-1].rpartition(":")[2]
        return "" if what == "portforward" and port in ports else f"{pod['metadata']['name']} has no port {port}"

    def secrets_are_those_of_the_pods(self):
        made = {secret["metadata"]["name"]: set(secret["data"]) for secret in self.api.of("Secret")}
        check("README: its Secrets are those that the pods mount", made == SECRETS, str(made))

    # MARK: Scripts and doubles

    @functools.cached_property
    def machine(self):
        (self.directory / "machine").mkdir()
        return Machine(self.directory / "machine")

    def minikube(self, command):
        script, *arguments = command.removeprefix("scripts/").split()
        if self.machine.run(script, *arguments) != 0:
            return self.machine.output[-500:]
        wanted = [f"homes/{home}" for home in re.findall(r"--home (\S+)", command)]
        missing = [path for path in wanted if not (self.machine.state / path).exists()]
        return f"{missing} were not made" if missing else "the secrets stay" if "--purge" in command and self.machine.state.exists() else ""

    def docker(self, command):
        """Each part of a line: what it names is there."""
        for words in map(shlex.split, command.split(" && ")):
            options = dict(zip(words, words[1:]))
            if words[1:2] == ["build"]:
                file = pathlib.Path(options["-f"])
                stages = re.findall(r"^FROM .* AS (\S+)$", file.read_text(), re.MULTILINE) if file.exists() else []
                if options["--target"] not in stages or words[-1] != ".":
                    return f"{file} has the stages {stages}"
                self.built = options["-t"]
            elif words[1:2] == ["push"]:
                if words[2] != self.built:
                    return f"{words[2]} was not built"
            elif words[1:2] == ["compose"] and words[-1] == "up":
                services = yaml.safe_load(pathlib.Path(options["-f"]).read_text())["services"]
                if options["--profile"] not in [profile for service in services.values() for profile in service.get("profiles", [])]:
                    return f"no service has the profile {options['--profile']}"
            else:
                return "is none of those that this test knows"
        return ""

    @functools.cached_property
    def home(self):
        (self.directory / "home").mkdir()
        cloud = home_step.Cloud(self.directory / "home", security_plugin(), "kubernetes")
        self.station.ends.append(cloud.broker.end)
        return cloud

    def cloud_home(self, command):
        result = subprocess.run(["bash", "-ec", command], env={**self.home.environment, "DIRECTORY": str(self.home.made)},
                                capture_output=True, text=True, timeout=60)
        if result.returncode != 0:
            return result.stderr
        words = command.split()
        return "" if words[1] == "list" or self.home.gets_in(words[2]) == (words[1] == "add") else "it does not do what it says"

    def script(self, command):
        result = shell(command, self.environment)
        return result.stderr if result.returncode else ""

    def asks_for_help(self, command):
        """What needs a cluster is asked for its help, which knows the options before."""
        self.docker_image = command
        return self.script(f"{command} --help")

    def is_there(self, command):
        return "" if os.access(command, os.X_OK) else "is not there"

    def prometheus(self, text):
        jobs = {job["job_name"] for job in yaml.safe_load(text)["scrape_configs"]}
        return "" if {"hearth-web", "hearth-cloud"} <= jobs else str(jobs)

    def run(self, command):
        """- Returns: what is wrong with it; empty: nothing. None: it was not run."""
        for pattern, what in RULES:
            if re.fullmatch(pattern, command.text, re.DOTALL):
                if what in NEED_PROGRAMS and not PROGRAMS:
                    return None
                result = getattr(self if hasattr(Reader, what) else self.station, what)(command.text)
                return {True: "", False: "it does not do what it says"}.get(result, result)
        return "nobody knows how to run this: is it a command? Tell RULES in test_readme.py, or WORDS"


RULES = [
    (r"kubectl .*", "kubectl"),
    (r"scripts/minikube-(up|down)( --\S+( \S+)?)?", "minikube"),
    (r"docker (build|compose) .*", "docker"),
    (r"scripts/cloud-secrets \S.*", "script"),
    (r"scripts/cloud-home .*", "cloud_home"),
    (r"(\S+=\S+ )?scripts/test-kubernetes --cluster( --image \S+)?", "asks_for_help"),
    (r"hearth audit", "asks_for_help"),
    (r"hearth-cloud serve", "serve"),
    (r"hearth-cloud homes serve", "serve_homes"),
    (r"hearth-cloud homes (list|add|revoke)( NAME| --metrics)?", "ask_homes"),
    (r"hearth-cloud dead-letters (list|show|replay|drop --all)", "letters"),
    (r"hearth-cloud setup --influx-tokens DIRECTORY", "tokens"),
    (r"raw_temperature value=\d+i", "clash"),
    (r"(SHOW FIELD KEYS|SELECT|DROP MEASUREMENT) .*", "statement"),
    (r"influx delete .*", "influx_command"),
    (r"scrape_configs:.*", "prometheus"),
    (r"(scripts|systemd)/\S+", "is_there"),
]
NEED_PROGRAMS = {"serve", "serve_homes", "ask_homes", "letters", "tokens", "clash", "statement"}


def settings(text):
    """Flags and variables in code, which somebody has to know."""
    spans = re.findall(r"`([^`\s]+)`", text)
    return {span.partition("=")[0] for span in spans if re.fullmatch(r"(--[a-z-]{4,}|[A-Z]{3,}(_[A-Z]+)+)(=.*)?", span)}


def known_settings():
    said = shell("for c in setup serve ingest save-raw actuate 'homes serve' dead-letters; do hearth-cloud $c --help; done", {}).stdout
    return said + subprocess.run("cat scripts/* cloud/components/*/* compose/* 2>/dev/null", shell=True, capture_output=True, text=True).stdout


def check_planted(reader):
    """Each is wrong in one thing, and has to be found."""
    for text in ("kubectl -n hearth scale deployment p1-saver --replicas=0", "kubectl -n hearth rollout restart statefulset/mosquitto",
                 "kubectl -n hearth delete job -l app.kubernetes.io/component=set-up", "kubectl -n hearth port-forward deployment/homes 8081",
                 "kubectl -n hearth create job restore --from=cronjob/influxdb-restoration", "kubectl -n hearth scale deployment p1-save",
                 "kubectl apply --server-side -k cloud/overlays/productive", "kubectl -n hearth wait job influxdb-restored --for=condition=complete",
                 "kubectl -n hearth logs -l app.kubernetes.io/name=backup", "helm install hearth", "minikube start", "scripts/minikube-up --cottage",
                 "docker build -f cloud/Containerfile --target hearth -t x .", "docker compose -f compose/cloud.yaml --profile home up",
                 "scripts/cloud-secrets --homes x", "scripts/cloud-house add", "hearth-cloud homes forget NAME",
                 "influx delete --bucket raw --predicate '_measurement=\"raw_temperature\"'", "DROP DATABASE raw"):
        [command] = commands(f"`{text}`")
        check(f"planted: {text}", reader.run(command))
    [command] = commands("```sh\nkubectl -n hearth scale \\\n    deployment p9 --replicas=0  # none\n```\n")
    check("planted: in a block, over two lines", reader.run(command))


def check_found():
    """The table of what was found names commits and tests that there are."""
    text, code = pathlib.Path(found.FOUND).read_text(), found.code()
    wrong = found.missing(text, code)
    check(f"{found.FOUND}: its suites, scenarios and checks are there", not wrong, str(wrong))
    row = "| X | y | z | `No" + "Tests` `lag`, `ConformanceTests` `noSuchTest`, `no-such-scenario`, `test_nowhere.py` |\n"
    check("planted: tests that are not there", len(found.missing(row, code)) == 4, str(found.missing(row, code)))
    unknown = found.commits(text)
    if unknown is None:
        not_run("the commits of FOUND.md", "this is no whole clone")
    else:
        check(f"{found.FOUND}: its commits are in the history", not unknown, str(unknown))
        check("planted: a commit that is none", found.commits("`0000000`"))


def main():
    check_found()
    with tempfile.TemporaryDirectory() as name:
        reader = Reader(pathlib.Path(name))
        reader.api  # Before anything runs: it says where kubectl finds it.
        try:
            for path in READMES:
                check_readme(reader, path)
            check_planted(reader)
        finally:
            reader.station.end()
    return end("README")


def check_readme(reader, path):
    text = pathlib.Path(path).read_text()
    for command in commands(text):
        title = f"{path}:{command.line}: {json.dumps(command.text)[1:80]}"
        if command.text in WORDS:
            check(title, subprocess.run(["grep", "-rq", command.text.rstrip(" …"), WORDS[command.text]]).returncode == 0, "is from nowhere")
        elif command.text in LONG:
            not_run(command.text, LONG[command.text])
            check(title, re.search(rf"^#   {re.escape(command.text)}\b", pathlib.Path(command.text.split()[0]).read_text(), re.MULTILINE))
        else:
            wrong = reader.run(command)
            if wrong is None:
                not_run(command.text, "HEARTH_BIN_DIR names no programs")
            else:
                check(title, not wrong, wrong)
        if "create secret generic hearth-grafana" in command.text:
            reader.secrets_are_those_of_the_pods()
    if PROGRAMS and path == "cloud/README.md":
        known = known_settings()
        unknown = [setting for setting in settings(text) if not re.search(rf"(?<![\w-]){re.escape(setting)}(?![\w-])", known)]
        check(f"{path}: every flag and variable is one of hearth-cloud's or of a script's", not unknown, str(unknown))


if __name__ == "__main__":
    main()
