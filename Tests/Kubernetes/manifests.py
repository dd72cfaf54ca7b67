"""Rendered Kubernetes objects, and how to walk through them. No policy here."""

import copy
import subprocess

import yaml

# libyaml's, where PyYAML was built with it: several times as fast.
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
CLOUD = "cloud"
# Made by scripts/minikube-up or by a person, never in Git. The dry run asserts that the script makes exactly these keys.
SECRETS = {
    "hearth-influxdb": {"username", "password", "token"},
    "hearth-mosquitto-users": {"passwords", "rights.json"},
    "hearth-mosquitto-tls": {"ca.crt", "tls.crt", "tls.key"},
    "hearth-mqtt": {"password"},
    "hearth-grafana": {"username", "password"},
}


def render(directory, kubectl="kubectl"):
    """The objects of a kustomization, in the order in which kustomize prints them."""
    result = subprocess.run([kubectl, "kustomize", directory], capture_output=True, text=True)
    if result.returncode != 0:
        raise SystemExit(f"kubectl kustomize {directory}: {result.stderr}")
    # Comments on labels and the like are warnings that a later version makes errors.
    if result.stderr.strip():
        raise SystemExit(f"kubectl kustomize {directory} warns: {result.stderr}")
    return [document for document in yaml.load_all(result.stdout, Loader) if document]


def name(document):
    return f"{document['kind']} {document['metadata']['name']}"


def of_kind(documents, *kinds):
    return [document for document in documents if document["kind"] in kinds]


def find(documents, kind, object_name):
    """The object of this kind and name; generated ConfigMaps, and the set-up Job, are found by their
    name without the hash."""
    for document in of_kind(documents, kind):
        full = document["metadata"]["name"]
        if full == object_name or (kind in ("ConfigMap", "Job") and full.rsplit("-", 1)[0] == object_name):
            return document
    raise KeyError(f"{kind} {object_name}")


class Pod:
    """What one workload makes: labels and a pod's specification."""

    def __init__(self, workload, labels, spec):
        self.workload = workload
        self.labels = labels
        self.spec = spec
        self.is_service = not workload.startswith(("Job ", "CronJob "))

    @property
    def containers(self):
        return self.spec.get("initContainers", []) + self.spec["containers"]

    @property
    def ports(self):
        """Named ports and numbers, as `{name: number}`."""
        return {port["name"]: port["containerPort"] for c in self.containers for port in c.get("ports", [])}


def pods(documents):
    found = []
    for document in of_kind(documents, "Deployment", "StatefulSet", "DaemonSet", "Job"):
        template = document["spec"]["template"]
        found.append(Pod(name(document), template["metadata"].get("labels", {}), template["spec"]))
    for document in of_kind(documents, "CronJob"):
        template = document["spec"]["jobTemplate"]["spec"]["template"]
        found.append(Pod(name(document), template["metadata"].get("labels", {}), template["spec"]))
    return found


def strimzi_pods(documents):
    """The pods that Strimzi makes of the custom resources, with the labels that it gives them (Labels.java of 1.2.0)."""
    found = []
    for kafka in of_kind(documents, "Kafka"):
        cluster = kafka["metadata"]["name"]
        for kind, suffix in (("kafka", "kafka"), ("entity-operator", "entity-operator")):
            labels = {
                "app.kubernetes.io/name": kind,
                "strimzi.io/cluster": cluster,
                "strimzi.io/name": f"{cluster}-{suffix}",
            }
            found.append(Pod(f"Strimzi {kind}", labels, {"containers": []}))
    return found


def selects(selector, labels):
    """Whether a label selector selects these labels; an empty one selects everything."""
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    for expression in selector.get("matchExpressions") or []:
        present = labels.get(expression["key"])
        values = expression.get("values", [])
        holds = {
            "In": present in values,
            "NotIn": present not in values,
            "Exists": present is not None,
            "DoesNotExist": present is None,
        }[expression["operator"]]
        if not holds:
            return False
    return True


def clone(documents):
    return copy.deepcopy(documents)
