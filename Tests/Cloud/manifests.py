"""Checks of rendered Kubernetes manifests: schemas, Strimzi's fields, and the rules of cloud/README.md.

usage: manifests.py OVERLAY=FILE...    FILE is what `kubectl kustomize` printed
"""

import copy
import json
import os
import sys

import kubernetes_validate
import yaml

KUBERNETES = "1.33"
# Images that somebody maintains, and ours.
IMAGES = ("docker.io/library/eclipse-mosquitto:", "docker.io/apache/kafka:", "docker.io/library/influxdb:2.",
          "docker.io/grafana/grafana:", "hearth-cloud:")
# Secrets that scripts/minikube-up makes; nothing secret is in the manifests.
SECRETS = {"mosquitto-passwords", "mosquitto-tls", "hearth-cloud-mqtt", "hearth-cloud-influxdb", "influxdb-admin", "grafana-admin"}
WORKLOADS = {"Deployment", "StatefulSet", "Job"}


def name(resource):
    return f"{resource['kind']}/{resource['metadata']['name']}"


def pod_of(resource):
    return resource["spec"]["template"]


def check_schema(resources):
    """Against the published schemas, unknown fields refused; Strimzi's against the fields of its CRDs that are used."""
    with open(os.path.join(os.path.dirname(__file__), "strimzi-fields.json")) as f:
        strimzi = json.load(f)
    for resource in resources:
        if resource["apiVersion"].startswith("kafka.strimzi.io/"):
            if resource["apiVersion"] != "kafka.strimzi.io/v1beta2":
                yield f"{name(resource)}: {resource['apiVersion']}"
            for problem in check_fields(resource["spec"], strimzi[resource["kind"]]["properties"]["spec"], "spec"):
                yield f"{name(resource)}: {problem}"
            continue
        try:
            kubernetes_validate.validate(resource, KUBERNETES, strict=True)
        except kubernetes_validate.ValidationError as error:
            yield f"{name(resource)}: {error.message} at {list(error.path)}"


def check_fields(value, schema, path):
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}
    if schema.get("type") in kinds and not isinstance(value, kinds[schema["type"]]):
        yield f"{path} is no {schema['type']}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path} is {value!r}, not one of {schema['enum']}"
    if isinstance(value, dict):
        for missing in set(schema.get("required", [])) - set(value):
            yield f"{path}.{missing} is required"
        if "x-known" in schema:
            for key in value:
                if key not in schema["properties"]:
                    known = " (known to the CRD, but not in this extract)" if key in schema["x-known"] else ""
                    yield f"{path}.{key} is no field{known}"
                else:
                    yield from check_fields(value[key], schema["properties"][key], f"{path}.{key}")
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from check_fields(item, schema.get("items", {}), f"{path}[{index}]")


def check_pods(resources):
    """Pod Security `restricted`, limits, probes, images."""
    for resource in resources:
        if resource["kind"] not in WORKLOADS:
            continue
        pod = pod_of(resource)["spec"]
        who = name(resource)
        security = pod.get("securityContext", {})
        if not security.get("runAsNonRoot") or not security.get("runAsUser"):
            yield f"{who}: may run as root"
        if security.get("seccompProfile", {}).get("type") != "RuntimeDefault":
            yield f"{who}: no seccomp profile"
        if pod.get("automountServiceAccountToken") is not False:
            yield f"{who}: gets a token of the cluster"
        if pod.get("enableServiceLinks") is not False:
            yield f"{who}: services become environment variables"
        for key in ("hostNetwork", "hostPID", "hostIPC"):
            if pod.get(key):
                yield f"{who}: {key}"
        for volume in pod.get("volumes", []):
            if "hostPath" in volume:
                yield f"{who}: mounts the node's files"
            if "emptyDir" in volume and "sizeLimit" not in volume["emptyDir"]:
                yield f"{who}: volume {volume['name']} has no limit"
        for container in pod["containers"] + pod.get("initContainers", []):
            yield from check_container(container, who, is_job=resource["kind"] == "Job")


def check_container(container, who, is_job):
    image = container["image"]
    if not image.startswith(IMAGES) or image.endswith(":latest") or ":" not in image.rsplit("/", 1)[-1]:
        yield f"{who}: image {image} is not a maintained one with a fixed tag"
    security = container.get("securityContext", {})
    if security.get("allowPrivilegeEscalation") is not False or not security.get("readOnlyRootFilesystem"):
        yield f"{who}: may gain privileges or write its root"
    if security.get("capabilities", {}).get("drop") != ["ALL"] or security.get("privileged"):
        yield f"{who}: keeps capabilities"
    for kind in ("requests", "limits"):
        for resource in ("cpu", "memory"):
            if resource not in container.get("resources", {}).get(kind, {}):
                yield f"{who}: no {kind} of {resource}"
    if not is_job:
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            if probe not in container:
                yield f"{who}: no {probe}"
    for variable in container.get("env", []):
        secret = any(word in variable["name"] for word in ("PASSWORD", "TOKEN", "SECRET"))
        if secret and "value" in variable and "_FILE" not in variable["name"]:
            yield f"{who}: {variable['name']} stands in the manifest"


def matches(selector, labels):
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())


def check_references(resources):
    """Everything that is named is there, and everything that should be covered is covered."""
    by_kind = {}
    for resource in resources:
        by_kind.setdefault(resource["kind"], []).append(resource)
    names = {kind: {r["metadata"]["name"] for r in rs} for kind, rs in by_kind.items()}
    pods = {name(r): pod_of(r)["metadata"]["labels"] for r in resources if r["kind"] in WORKLOADS}
    if "Secret" in by_kind:
        yield "a secret is in the manifests"
    for resource in resources:
        if resource["kind"] in WORKLOADS:
            pod = pod_of(resource)["spec"]
            for volume in pod.get("volumes", []):
                if "secret" in volume and volume["secret"]["secretName"] not in SECRETS:
                    yield f"{name(resource)}: nobody makes the secret {volume['secret']['secretName']}"
                if "configMap" in volume and volume["configMap"]["name"] not in names.get("ConfigMap", ()):
                    yield f"{name(resource)}: there is no ConfigMap {volume['configMap']['name']}"
            mounts = {v["name"] for v in pod.get("volumes", [])}
            mounts |= {v["metadata"]["name"] for v in resource["spec"].get("volumeClaimTemplates", [])}
            for container in pod["containers"]:
                for source in container.get("envFrom", []):
                    if source["configMapRef"]["name"] not in names.get("ConfigMap", ()):
                        yield f"{name(resource)}: there is no ConfigMap {source['configMapRef']['name']}"
                for mount in container.get("volumeMounts", []):
                    if mount["name"] not in mounts:
                        yield f"{name(resource)}: there is no volume {mount['name']}"
            labels = pods[name(resource)]
            for direction in ("Ingress", "Egress"):
                if not any(matches(p["spec"]["podSelector"], labels) and direction in p["spec"]["policyTypes"]
                           and not p["spec"].get(direction.lower()) for p in by_kind.get("NetworkPolicy", [])):
                    yield f"{name(resource)}: no network policy denies {direction.lower()} by default"
            if resource["kind"] != "Job" and not any(
                    matches(b["spec"]["selector"], labels) for b in by_kind.get("PodDisruptionBudget", [])):
                yield f"{name(resource)}: no disruption budget"
        if resource["kind"] == "Service" and not any(
                matches({"matchLabels": resource["spec"]["selector"]}, labels) for labels in pods.values()):
            yield f"{name(resource)}: selects nothing"
        if resource["kind"] == "HorizontalPodAutoscaler":
            target = resource["spec"]["scaleTargetRef"]
            found = [r for r in by_kind.get(target["kind"], []) if r["metadata"]["name"] == target["name"]]
            if not found:
                yield f"{name(resource)}: there is no {target['kind']} {target['name']}"
            elif "replicas" in found[0]["spec"]:
                yield f"{name(resource)}: the manifest says how many, too"
        if resource["kind"] == "NetworkPolicy":
            yield from check_policy(resource, pods)


def check_policy(policy, pods):
    """A policy or a peer that names nobody is a misspelling. Strimzi makes the brokers' pods."""
    selectors = [policy["spec"]["podSelector"]]
    for direction, key in (("ingress", "from"), ("egress", "to")):
        for rule in policy["spec"].get(direction, []):
            selectors += [peer["podSelector"] for peer in rule.get(key, []) if "podSelector" in peer]
    for selector in selectors:
        if "strimzi.io/cluster" in selector.get("matchLabels", {}):
            continue
        if not any(matches(selector, labels) for labels in pods.values()):
            yield f"{name(policy)}: {selector} selects nothing"


CHECKS = (check_schema, check_pods, check_references)


def problems(resources):
    return [problem for check in CHECKS for problem in check(resources)]


def first(resources, kind, wanted=None):
    return next(r for r in resources if r["kind"] == kind and wanted in (None, r["metadata"]["name"]))


# Each makes one thing wrong; each has to be found.
def planted():
    def container(resources):
        return pod_of(first(resources, "Deployment", "p1-save"))["spec"]["containers"][0]

    def pod(resources):
        return pod_of(first(resources, "Deployment", "p1-save"))["spec"]

    yield "tag latest", lambda r: container(r).update(image="hearth-cloud:latest")
    yield "no tag", lambda r: container(r).update(image="hearth-cloud")
    yield "abandoned image", lambda r: container(r).update(image="wurstmeister/kafka:2.13")
    yield "root", lambda r: pod(r)["securityContext"].update(runAsNonRoot=False)
    yield "no probe", lambda r: container(r).pop("livenessProbe")
    yield "no limit", lambda r: container(r)["resources"]["limits"].pop("memory")
    yield "writable root", lambda r: container(r)["securityContext"].update(readOnlyRootFilesystem=False)
    yield "a plain secret", lambda r: container(r).setdefault("env", []).append({"name": "INFLUX_TOKEN", "value": "x"})
    yield "a secret object", lambda r: r.append({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}})
    yield "unknown field", lambda r: container(r).update(imagePolicy="Always")
    yield "unknown secret", lambda r: pod(r)["volumes"][0]["secret"].update(secretName="other")
    yield "unknown ConfigMap", lambda r: container(r)["envFrom"][0]["configMapRef"].update(name="other")
    yield "no budget", lambda r: r.remove(first(r, "PodDisruptionBudget", "p1-save"))
    yield "no default deny", lambda r: r.remove(first(r, "NetworkPolicy", "default-deny"))
    yield "misspelled policy", lambda r: first(r, "NetworkPolicy", "ingestor")["spec"]["podSelector"]["matchLabels"].update(
        {"app.kubernetes.io/name": "ingester"})
    yield "service without pods", lambda r: first(r, "Service", "mosquitto-svc")["spec"]["selector"].update(
        {"app.kubernetes.io/name": "nobody"})
    yield "service links", lambda r: pod(r).pop("enableServiceLinks")


def main():
    failed = 0
    rendered = dict(argument.split("=", 1) for argument in sys.argv[1:])
    for overlay, path in rendered.items():
        with open(path) as f:
            resources = [r for r in yaml.safe_load_all(f) if r]
        found = problems(resources)
        print(f"{overlay}: {len(resources)} resources, {len(found)} problems")
        for problem in found:
            print(f"    {problem}")
        failed += len(found)
    with open(rendered["minikube"]) as f:
        good = [r for r in yaml.safe_load_all(f) if r]
    plants = list(planted())
    for title, spoil in plants:
        resources = copy.deepcopy(good)
        spoil(resources)
        if not problems(resources):
            print(f"not found: {title}")
            failed += 1
    print(f"{len(plants)} planted mistakes, every one found" if not failed else f"{failed} failures")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
