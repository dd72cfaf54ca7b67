#!/usr/bin/env python3
"""Stands in for minikube, kubectl and docker, by the name under which it is called; for openssl and python3 it only
writes down how they were called and runs the real one.

DOUBLE_HOME holds what it remembers: `calls` (one JSON array a line), `running`, `images`, `secrets.json`, `applied` (the
objects of every `kubectl apply`, one JSON object a line). DOUBLE_FAIL: a call whose words contain this fails.
`pods` is the list of names, `pids` the processes that are frozen while their workload has no replica. DOUBLE_AT_UNCORDON: run when
the node takes pods again.
DOUBLE_KUBECTL: the real kubectl, for what needs no cluster."""

import base64
import json
import os
import pathlib
import signal
import subprocess
import sys

HOME = pathlib.Path(os.environ["DOUBLE_HOME"])
# One string with spaces on both sides of every word, to look for sequences of words in.
WORDS = f" {' '.join([pathlib.Path(sys.argv[0]).name] + sys.argv[1:])} "


def remembered(name, default):
    path = HOME / name
    return json.loads(path.read_text()) if path.exists() else default


def remember(name, value):
    (HOME / name).write_text(json.dumps(value))


def note(name, value):
    with open(HOME / name, "a") as file:
        file.write(json.dumps(value) + "\n")


def minikube():
    if " status " in WORDS:
        if not remembered("running", False):
            sys.exit(7)
        print("Running")
    elif " start " in WORDS:
        remember("running", True)
    elif " ip " in WORDS:
        print(os.environ.get("DOUBLE_ADDRESS", "192.168.49.2"))
    elif " image ls " in WORDS:
        print("\n".join(remembered("images", [])))
    elif " image load " in WORDS:
        remember("images", remembered("images", []) + [f"docker.io/library/{sys.argv[-1]}"])


def docker():
    if " image inspect " in WORDS:
        print(f"sha256:{os.environ.get('DOUBLE_IMAGE', 'a1b2c3d4e5f6') + 'f' * 52}")


def kubectl():
    secrets = remembered("secrets.json", {})
    if " kustomize " in WORDS:
        sys.exit(subprocess.run([os.environ["DOUBLE_KUBECTL"], *sys.argv[1:]]).returncode)
    if " create secret " in WORDS:
        # The real one reads the files; it needs no cluster for it, but knows none called minikube either.
        arguments = sys.argv[sys.argv.index("create"):]
        if "--dry-run=client" not in arguments:
            arguments += ["--dry-run=client", "--output=name"]
        sys.exit(subprocess.run([os.environ["DOUBLE_KUBECTL"], "--namespace", "hearth", *arguments]).returncode)
    if " apply " in WORDS:
        apply(secrets)
    elif " get secrets " in WORDS:
        print("\n".join(f"secret/{secret}" for secret in secrets))
    elif " get secret " in WORDS:
        secret = sys.argv[sys.argv.index("secret") + 1]
        key = sys.argv[-1].removeprefix("jsonpath={.data.").removesuffix("}").replace("\\.", ".")
        if secret not in secrets:
            sys.exit(f'Error from server (NotFound): secrets "{secret}" not found')
        print(secrets[secret].get(key, ""), end="")
    elif " current-context " in WORDS:
        print("double")
    elif " get namespace " in WORDS and not remembered("namespace", False):
        sys.exit("Error from server (NotFound)")
    elif " get nodes " in WORDS and "jsonpath" in WORDS:
        print("127.0.0.1")
    elif " get nodes " in WORDS and " name " in WORDS:
        print("node/double")
    elif " get pods " in WORDS and " name " in WORDS:
        print("\n".join(f"pod/{pod}" for pod in remembered("pods", [])))
    elif " scale " in WORDS:
        scale()
    elif " uncordon " in WORDS:
        subprocess.run(os.environ.get("DOUBLE_AT_UNCORDON", ":"), shell=True, check=True)
    elif " get statefulset " in WORDS and not remembered("has-broker", False):
        sys.exit("Error from server (NotFound)")


def scale():
    """Without a replica a workload gives no answer: its process on this machine, if it has one, is frozen."""
    workload = sys.argv[sys.argv.index("scale") + 1].removeprefix("statefulset/")
    process = remembered("pids", {}).get(workload)
    if process:
        os.kill(process, signal.SIGSTOP if "--replicas=0" in sys.argv else signal.SIGCONT)


def apply(secrets):
    import yaml
    source = sys.argv[sys.argv.index("--filename") + 1]
    text = sys.stdin.read() if source == "-" else pathlib.Path(source).read_text()
    for document in yaml.safe_load_all(text):
        if not document:
            continue
        note("applied", document)
        if document["kind"] == "Secret":
            for value in document["data"].values():
                base64.b64decode(value, validate=True)
            secrets[document["metadata"]["name"]] = document["data"]
        if document["kind"] == "StatefulSet":
            remember("has-broker", True)
    remember("secrets.json", secrets)


def main():
    program = pathlib.Path(sys.argv[0]).name
    note("calls", [program] + sys.argv[1:])
    wanted = os.environ.get("DOUBLE_FAIL")
    if wanted and wanted in WORDS:
        sys.exit(f"{program}: told to fail")
    if program in ("openssl", "python3"):
        os.execv(os.environ[f"DOUBLE_{program.upper()}"], [program] + sys.argv[1:])
    {"minikube": minikube, "docker": docker, "kubectl": kubectl}[program]()


main()
