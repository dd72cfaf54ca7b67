#!/usr/bin/env python3
"""Renders every overlay, validates it and holds it against the policies; then plants a violation of each policy and
expects the complaint. Called by scripts/test-kubernetes from the repository's root."""

import functools
import itertools
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import kubernetes_validate
import yaml

sys.path.append(__file__.rsplit("/", 2)[0])  # Tests, where House is
from House.checks import check, end, not_run
from manifests import clone, find, name, of_kind, pods, render
from network import network_is_exact
from planted import VIOLATIONS
from policies import POLICIES
from setup_job import set_up_job_checks
import custom

# The version that a cluster of today runs, not the newest that there is.
KUBERNETES = "1.33"
OVERLAYS = ["cloud/base", "cloud/overlays/minikube", "cloud/overlays/production", "Tests/Kubernetes/everything",
            "Tests/Kubernetes/everything-production"]
# The names that the prototype had; other people's manifests and notes rely on them.
NAMES = {"mosquitto-svc", "kafka-svc", "influxdb-svc", "ingestor", "p1-save", "p2-clean", "p4-aggregate"}
FIELDS = json.loads(custom.FIELDS.read_text())


def expect(title, complaints):
    """A check that passes when there is nothing to complain about."""
    check(title, not complaints, "".join(f"\n        {complaint}" for complaint in complaints))


def schema_complaints(documents):
    """Strict: a field that the API does not know is an error, as it would be dropped silently."""
    return [complaint for document in documents for complaint in complaints_of(json.dumps(document, sort_keys=True, default=str))]


@functools.cache
def complaints_of(text):
    """Of one object. Overlays share most of theirs, and reading the API's schemas is what takes the time."""
    document = json.loads(text)
    if document["apiVersion"].startswith(custom.GROUPS):
        return custom.check(document, FIELDS)
    try:
        kubernetes_validate.validate(document, KUBERNETES, strict=True)
    except kubernetes_validate.ValidationError as error:
        return [f"{name(document)}: {error.message} at {'.'.join(map(str, error.path))}"]
    except kubernetes_validate.SchemaNotFoundError as error:
        return [f"{name(document)}: {error}"]
    return []


def in_namespace(documents):
    return [f"{name(document)} is in no namespace or another" for document in documents
            if document["kind"] != "Namespace" and document["metadata"].get("namespace") != "hearth"]


def names_are_kept(documents):
    have = {document["metadata"]["name"] for document in documents}
    return [f"{missing} is missing" for missing in sorted(NAMES - have)]


def ingestor_reaches_its_session(documents):
    """Names at the broker last: one Deployment with Recreate, or a StatefulSet whose pods keep their names."""
    try:
        workload = find(documents, "Deployment", "ingestor")
    except KeyError:
        workload = find(documents, "StatefulSet", "ingestor")
    spec = workload["spec"]
    [identity] = [v for v in spec["template"]["spec"]["containers"][0]["env"] if v["name"] == "MQTT_CLIENT_NAME"]
    if workload["kind"] == "Deployment":
        if "value" in identity and spec["replicas"] == 1 and spec["strategy"]["type"] == "Recreate":
            return []
        return ["two pods could use one session, or none finds it again"]
    if identity.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath") == "metadata.name" and spec["replicas"] > 1:
        return []
    return ["the ingestors' names at the broker are not their pods'"]


def everything_is_part_of_hearth(documents):
    """scripts/minikube-down ends what has the label and is of the kinds that it names, and says that everything has ended."""
    script = pathlib.Path("scripts/minikube-down").read_text()
    kept = ("Namespace", "PersistentVolumeClaim")
    return [f"{name(document)} is left by minikube-down" for document in documents
            if document["kind"] not in kept
            and (document["metadata"].get("labels", {}).get("app.kubernetes.io/part-of") != "hearth"
                 or not re.search(rf"\b{plural(document['kind'])}\b", script))]


def plural(kind):
    word = kind.lower()
    return word[:-1] + "ies" if word.endswith("y") else word + "es" if word.endswith("s") else word + "s"


def rules_are_the_published_ones(documents):
    """The Prometheus operator and a plain Prometheus know the same alerts."""
    plain = yaml.safe_load(pathlib.Path("cloud/alerts.rules.yml").read_text())
    ours = find(documents, "PrometheusRule", "hearth")["spec"]
    return [] if ours == plain else ["components/monitoring/rules.yaml is not cloud/alerts.rules.yml; see its first line"]


def version(kubectl):
    """Of a program, as 1.28."""
    return re.search(r"Client Version: v(\d+\.\d+)", subprocess.run([kubectl, "version", "--client"], capture_output=True, text=True).stdout)[1]


def check_older_kubectls(rendered):
    """What older kubectls make of every kustomization, and that those of before 1.34 end at a patch of two deletions, which is what
    `deletions_are_single` is there for."""
    older = {version(program): program for program in os.environ.get("OLDER_KUBECTLS", "").split()}
    if not {"1.28", "1.33"} <= set(older):
        not_run("kubectl 1.28 and 1.33", f"there are {sorted(older)}: the packages have them for x86-64 only")
    for number, program in older.items():
        expect(f"kubectl {number} renders the same", [f"{directory} differs" for directory, documents in rendered.items()
                                                      if render(directory, program) != documents])
        refuses = planted_deletions(program) != 0
        check(f"kubectl {number} {'refuses' if refuses else 'takes'} a patch that deletes twice", refuses == (number < "1.34"))


def planted_deletions(kubectl):
    """- Returns: the exit code with which a kubectl renders two objects away by one patch."""
    kinds = {"StatefulSet": "apps/v1", "Service": "v1"}
    objects = [f"apiVersion: {api}\nkind: {kind}\nmetadata: {{name: a}}\n" for kind, api in kinds.items()]
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        (directory / "objects.yaml").write_text("---\n".join(objects))
        (directory / "remove.yaml").write_text("---\n".join(text + "$patch: delete\n" for text in objects))
        (directory / "kustomization.yaml").write_text("resources: [objects.yaml]\npatches:\n  - path: remove.yaml\n")
        if not deletions_are_single([(str(directory / "remove.yaml"), (directory / "remove.yaml").read_text())]):
            raise AssertionError("the policy takes what old kubectls refuse")
        return subprocess.run([kubectl, "kustomize", directory], capture_output=True).returncode


def deletions_are_single(files):
    """kubectl 1.27 to 1.33 end with an error, or a panic, at a patch of several documents that delete."""
    return [f"{path} deletes several objects in one patch" for path, text in files
            if any(part.count("$patch: delete") > 1 for part in text.split("\n  - ")) or
            (not path.endswith("kustomization.yaml") and text.count("$patch: delete") > 1)]


def rights_are_asked_at_subscribe(documents):
    """An ACL file is not: with one a home could join the ingestors' shared subscription."""
    text = find(documents, "ConfigMap", "mosquitto-config")["data"]["mosquitto.conf"]
    lines = [line.split(" ")[0] for line in text.splitlines() if line and not line.startswith("#")]
    wrong = [f"{word} in mosquitto.conf" for word in ("acl_file", "password_file") if word in lines]
    return wrong + ([] if {"plugin", "plugin_opt_config_file"} <= set(lines) else ["no dynamic-security plugin"])


def gateways_come_in_at_30001(documents):
    opened = [(service["metadata"]["name"], port["nodePort"], port["targetPort"])
              for service in of_kind(documents, "Service") if service["spec"].get("type") == "NodePort"
              for port in service["spec"]["ports"]]
    return [] if ("mosquitto-gateway", 30001, "mqtts") in opened and all(port != "mqtt" for _, _, port in opened) \
        else [f"open are {opened}"]


def policy_complaints(documents, with_schema=True):
    """By policy; everything that looks at objects."""
    found = {policy.__name__: policy(documents) for policy in POLICIES}
    found["network_is_exact"] = network_is_exact(documents)
    if with_schema:
        found["schema_complaints"] = schema_complaints(documents)
    found["in_namespace"] = in_namespace(documents)
    found["ingestor_reaches_its_session"] = ingestor_reaches_its_session(documents)
    return found


def check_overlay(directory):
    documents = render(directory)
    replaced = "production" in directory
    for policy, complaints in policy_complaints(documents).items():
        expect(f"{directory}: {policy.replace('_', ' ')}", complaints)
    expect(f"{directory}: rights are asked at SUBSCRIBE", rights_are_asked_at_subscribe(documents))
    missing = names_are_kept(documents)
    expect(f"{directory}: names are kept", [m for m in missing if not (replaced and m.startswith("kafka-svc"))])
    return documents


def rendered_with(overlay, components):
    """An overlay with components, in their order."""
    with tempfile.TemporaryDirectory(dir="Tests/Kubernetes") as name:
        places = ", ".join(f"../../../cloud/components/{component}" for component in components)
        (pathlib.Path(name) / "kustomization.yaml").write_text(
            f"kind: Kustomization\nnamespace: hearth\nresources: [../../../cloud/overlays/{overlay}]\ncomponents: [{places}]\n")
        return render(name)


def check_orders():
    """Three components change the pipelines or name them: the same comes out whichever is first."""
    wanted, *others = [rendered_with("production", order) for order in itertools.permutations(("static-membership", "kafka-tls", "keda"))]
    check("static-membership, kafka-tls and keda come in any order", all(other == wanted for other in others))
    expect("with all three a StatefulSet has the certificate, and KEDA scales it",
           [complaint for complaints in policy_complaints(wanted, with_schema=False).values() for complaint in complaints]
           + [name(w) for w in of_kind(wanted, "Deployment") if re.match("p[124]-", w["metadata"]["name"])])


def check_components():
    """Each component alone, on every overlay that its first line does not keep it from; its objects' schemas were looked at
    with all of them."""
    for component in sorted(pathlib.Path("cloud/components").iterdir()):
        in_production_only = (component / "kustomization.yaml").read_text().startswith("# On overlays/production")
        for overlay in ("minikube", "production")[in_production_only:]:
            documents = rendered_with(overlay, [component.name])
            wrong = [complaint for complaints in policy_complaints(documents, with_schema=False).values() for complaint in complaints]
            left = everything_is_part_of_hearth(documents) if overlay == "minikube" else []
            expect(f"{component.name} alone on {overlay}", wrong + left)


def check_violations(rendered):
    """Each planted violation has to be found by the policy it is meant for. A policy without one is not trusted."""
    guarded = set()
    for title, directory, policy, plant in VIOLATIONS:
        documents = clone(rendered[directory])
        plant(documents)
        guarded.add(policy)
        expect(f"planted: {title} ({policy})", [] if policy_complaints(documents)[policy] else ["nobody complained"])
    unproven = set(policy_complaints(rendered["cloud/base"])) - guarded
    expect("every policy has been seen to fail", [f"{policy} has no planted violation" for policy in sorted(unproven)])


def main():
    rendered = {directory: check_overlay(directory) for directory in OVERLAYS}
    minikube, production = rendered["cloud/overlays/minikube"], rendered["cloud/overlays/production"]
    expect("minikube: gateways come in at 30001, with TLS only", gateways_come_in_at_30001(minikube))
    expect("minikube: one replica of each", [
        name(w) for w in of_kind(minikube, "Deployment", "StatefulSet") if w["spec"]["replicas"] != 1])
    expect("production: three brokers", [] if [
        pool["spec"]["replicas"] for pool in of_kind(production, "KafkaNodePool")] == [3] else ["not three"])
    expect("production: a topic for each of the event log", [] if {
        topic["spec"]["topicName"] for topic in of_kind(production, "KafkaTopic")
    } == {"raw_sensor_data", "clean-data", "heatpump_state", "raw_sensor_data.dead-letter", "raw_sensor_data.held"} else ["topics differ"])
    expect("production: spread over nodes and zones", [
        pod.workload for pod in pods(production) if pod.is_service and len(pod.spec.get("topologySpreadConstraints", [])) != 2])
    everything = rendered["Tests/Kubernetes/everything"]
    expect("the alerts are those of a plain Prometheus", rules_are_the_published_ones(everything))
    changed = clone(everything)
    find(changed, "PrometheusRule", "hearth")["spec"]["groups"][0]["rules"].pop()
    expect("planted: an alert is missing", [] if rules_are_the_published_ones(changed) else ["nobody complained"])
    check_older_kubectls(rendered)
    every = {str(path.parent) for path in pathlib.Path("cloud/components").glob("*/kustomization.yaml")}
    tested = " ".join(path.read_text() for path in pathlib.Path("Tests/Kubernetes").glob("*/kustomization.yaml"))
    expect("every component is in the tests", [component for component in every if component not in tested])
    for directory, documents in rendered.items():
        if "production" not in directory:
            expect(f"{directory}: minikube-down ends all of it", everything_is_part_of_hearth(documents))
    unlabelled = clone(minikube)
    find(unlabelled, "Service", "mosquitto-gateway")["metadata"]["labels"].pop("app.kubernetes.io/part-of")
    expect("planted: a service that minikube-down leaves", [] if everything_is_part_of_hearth(unlabelled) else ["nobody complained"])
    files = [(str(path), path.read_text()) for path in pathlib.Path("cloud").rglob("*.yaml")]
    expect("older kubectls render every patch", deletions_are_single(files))
    twice = "kind: A\n$patch: delete\n---\nkind: B\n$patch: delete\n"
    expect("planted: a patch that deletes twice", [] if deletions_are_single([("a.yaml", twice)]) else ["nobody complained"])
    for title, complaints in set_up_job_checks(OVERLAYS):
        expect(title, complaints)
    check_components()
    check_orders()
    check_violations(rendered)
    print(f"{sum(map(len, rendered.values()))} objects of {len(rendered)} kustomizations against Kubernetes {KUBERNETES}, "
          f"{FIELDS['release']}")
    return end("manifests")


if __name__ == "__main__":
    main()
