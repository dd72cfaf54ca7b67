"""What every rendered overlay has to fulfil. A policy is a function from the objects to complaints; an empty list is
what is wanted. test_manifests.py plants a violation of each and expects the complaint."""

import re

from manifests import SECRETS, find, name, of_kind, pods, selects, strimzi_pods

# Official images that are maintained, with what a tag of theirs looks like. Wurstmeister's Kafka, ZooKeeper and
# Bitnami's free images are not among them.
IMAGES = {
    "eclipse-mosquitto": r"2\.0\.\d+",
    "apache/kafka": r"3\.8\.\d+",
    "influxdb": r"2\.7\.\d+",
    "grafana/grafana": r"1[1-3]\.\d+\.\d+",
    "hearth-cloud": r"\d+\.\d+\.\d+",
    "registry.example.org/hearth/hearth-cloud": r"\d+\.\d+\.\d+",
}
VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
SECRET_WORDS = re.compile(r"passw|token|secret|credential|private|apikey", re.IGNORECASE)


def images_are_pinned_and_maintained(documents):
    complaints = []
    for pod in pods(documents):
        for container in pod.containers:
            repository, _, tag = container["image"].partition(":")
            if repository not in IMAGES:
                complaints.append(f"{pod.workload}: {container['image']} is not on the list of maintained images")
            elif not re.fullmatch(IMAGES[repository], tag):
                complaints.append(f"{pod.workload}: {container['image']} is not pinned to a version")
    return complaints


def restricted(documents):
    """The restricted Pod Security Standard, which the namespace enforces, and a read-only root file system."""
    complaints = []
    for pod in pods(documents):
        spec, context = pod.spec, pod.spec.get("securityContext", {})
        for key in ("hostNetwork", "hostPID", "hostIPC"):
            if spec.get(key):
                complaints.append(f"{pod.workload}: {key}")
        if context.get("runAsNonRoot") is not True or context.get("runAsUser", 0) == 0:
            complaints.append(f"{pod.workload}: may run as root")
        if context.get("seccompProfile", {}).get("type") != "RuntimeDefault":
            complaints.append(f"{pod.workload}: no seccomp profile")
        for volume in spec.get("volumes", []):
            if set(volume) - {"name"} - VOLUMES:
                complaints.append(f"{pod.workload}: volume {volume['name']} is of a forbidden kind")
        for container in pod.containers:
            own = container.get("securityContext", {})
            where = f"{pod.workload}, {container['name']}"
            if own.get("privileged") or own.get("allowPrivilegeEscalation") is not False:
                complaints.append(f"{where}: may gain privileges")
            if own.get("capabilities", {}).get("drop") != ["ALL"] or own.get("capabilities", {}).get("add"):
                complaints.append(f"{where}: keeps capabilities")
            if own.get("runAsUser", 1) == 0 or own.get("runAsNonRoot") is False:
                complaints.append(f"{where}: may run as root")
            if own.get("readOnlyRootFilesystem") is not True:
                complaints.append(f"{where}: its root file system is writable")
            if any("hostPort" in port for port in container.get("ports", [])):
                complaints.append(f"{where}: takes a port of the node")
    for namespace in of_kind(documents, "Namespace"):
        if namespace["metadata"].get("labels", {}).get("pod-security.kubernetes.io/enforce") != "restricted":
            complaints.append(f"{name(namespace)}: does not enforce the restricted standard")
    if not of_kind(documents, "Namespace"):
        complaints.append("there is no Namespace that enforces the restricted standard")
    return complaints


def nothing_of_the_cluster_leaks_in(documents):
    """No API token, and no variables named after services: Kafka takes KAFKA_* for settings."""
    return [
        f"{pod.workload}: {key} is not off"
        for pod in pods(documents)
        for key in ("automountServiceAccountToken", "enableServiceLinks")
        if pod.spec.get(key) is not False
    ]


def probes_are_there(documents):
    return [
        f"{pod.workload}, {container['name']}: no {probe}"
        for pod in pods(documents)
        if pod.is_service
        for container in pod.spec["containers"]
        for probe in ("startupProbe", "livenessProbe", "readinessProbe")
        if probe not in container
    ]


def quantity(text):
    """A Kubernetes quantity as a number."""
    number, unit = re.fullmatch(r"([0-9.]+)(m|Ki|Mi|Gi|)", str(text)).groups()
    return float(number) * {"m": 0.001, "": 1, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}[unit]


def resources_are_bounded(documents):
    complaints = []
    for pod in pods(documents):
        for container in pod.containers:
            resources = container.get("resources", {})
            for resource in ("cpu", "memory"):
                request = resources.get("requests", {}).get(resource)
                limit = resources.get("limits", {}).get(resource)
                where = f"{pod.workload}, {container['name']}"
                if request is None or limit is None:
                    complaints.append(f"{where}: no request or limit of {resource}")
                elif quantity(request) > quantity(limit):
                    complaints.append(f"{where}: asks for more {resource} than its limit")
        for volume in pod.spec.get("volumes", []):
            if "emptyDir" in volume and "sizeLimit" not in (volume["emptyDir"] or {}):
                complaints.append(f"{pod.workload}: volume {volume['name']} has no size limit")
    return complaints


def no_plain_secret(documents):
    complaints = [f"{name(document)} is in Git" for document in of_kind(documents, "Secret")]
    for pod in pods(documents):
        for container in pod.containers:
            for variable in container.get("env", []):
                value = variable.get("value")
                if value and SECRET_WORDS.search(variable["name"]) and not value.startswith("/run/secrets/"):
                    complaints.append(f"{pod.workload}: {variable['name']} has its value in the manifest")
                if "secretKeyRef" in variable.get("valueFrom", {}):
                    complaints.append(f"{pod.workload}: {variable['name']} puts a secret into the environment")
    for document in of_kind(documents, "ConfigMap"):
        for key, value in document.get("data", {}).items():
            if "PRIVATE KEY" in value or re.search(r"^[^#:\s]+:\$[67]\$", value, re.MULTILINE):
                complaints.append(f"{name(document)}: {key} holds a secret")
            if SECRET_WORDS.search(key) and not value.startswith("/run/secrets/"):
                complaints.append(f"{name(document)}: {key} holds a secret")
    return complaints


def references_exist(documents):
    """Whatever is referred to by name is there, with the key: volumes, ConfigMaps, Secrets, ports."""
    complaints = []
    for pod in pods(documents):
        volumes = {volume["name"]: volume for volume in pod.spec.get("volumes", [])}
        claims = {
            claim["metadata"]["name"]
            for document in of_kind(documents, "StatefulSet")
            if name(document) == pod.workload
            for claim in document["spec"].get("volumeClaimTemplates", [])
        }
        for volume in volumes.values():
            if "secret" in volume:
                keys = {item["key"] for item in volume["secret"].get("items", [])}
                if not keys <= SECRETS.get(volume["secret"]["secretName"], set()) or volume["secret"][
                    "secretName"] not in SECRETS:
                    complaints.append(f"{pod.workload}: nobody makes Secret {volume['secret']['secretName']}")
            for source in volume.get("projected", {}).get("sources", []):
                made = strimzi_secrets(documents).get(source["secret"]["name"], set())
                if not {item["key"] for item in source["secret"]["items"]} <= made:
                    complaints.append(f"{pod.workload}: Strimzi makes no such Secret {source['secret']['name']}")
            if "persistentVolumeClaim" in volume:
                claim = volume["persistentVolumeClaim"]["claimName"]
                if not any(d["metadata"]["name"] == claim for d in of_kind(documents, "PersistentVolumeClaim")):
                    complaints.append(f"{pod.workload}: there is no claim {claim}")
            if "configMap" in volume:
                complaints += missing_config(documents, pod, volume["configMap"]["name"], None)
        for container in pod.containers:
            mounts = [mount["mountPath"] for mount in container.get("volumeMounts", [])]
            if len(mounts) != len(set(mounts)):
                complaints.append(f"{pod.workload}: two volumes at one place")
            for mount in container.get("volumeMounts", []):
                if mount["name"] not in volumes and mount["name"] not in claims:
                    complaints.append(f"{pod.workload}: there is no volume {mount['name']}")
            for source in container.get("envFrom", []):
                complaints += missing_config(documents, pod, source["configMapRef"]["name"], None)
            for variable in container.get("env", []):
                reference = variable.get("valueFrom", {}).get("configMapKeyRef")
                if reference:
                    complaints += missing_config(documents, pod, reference["name"], reference["key"])
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                action = container.get(probe, {})
                port = (action.get("httpGet") or action.get("tcpSocket") or {}).get("port")
                if isinstance(port, str) and port not in pod.ports:
                    complaints.append(f"{pod.workload}: {probe} asks port {port}, which there is not")
    return complaints


def strimzi_secrets(documents):
    """What Strimzi makes: the authority of each cluster, a certificate and key for each user."""
    made = {f"{d['metadata']['name']}-cluster-ca-cert": {"ca.crt"} for d in of_kind(documents, "Kafka")}
    made.update({d["metadata"]["name"]: {"ca.crt", "user.crt", "user.key"} for d in of_kind(documents, "KafkaUser")})
    return made


def missing_config(documents, pod, config_name, key):
    for document in of_kind(documents, "ConfigMap"):
        if document["metadata"]["name"] == config_name:
            return [] if key is None or key in document["data"] else [f"{pod.workload}: {config_name} has no {key}"]
    return [f"{pod.workload}: there is no ConfigMap {config_name}"]


def services_select_pods(documents):
    complaints = []
    every = pods(documents) + strimzi_pods(documents)
    taken = {}
    for service in of_kind(documents, "Service"):
        selected = [pod for pod in every if selects({"matchLabels": service["spec"]["selector"]}, pod.labels)]
        if len({pod.workload for pod in selected}) != 1:
            complaints.append(f"{name(service)} selects {len(selected)} workloads")
            continue
        for port in service["spec"]["ports"]:
            if port["targetPort"] not in selected[0].ports:
                complaints.append(f"{name(service)}: {selected[0].workload} has no port {port['targetPort']}")
            if "nodePort" in port and taken.setdefault(port["nodePort"], name(service)) != name(service):
                complaints.append(f"{name(service)}: node port {port['nodePort']} is taken")
    for document in of_kind(documents, "Deployment", "StatefulSet"):
        if not selects(document["spec"]["selector"], document["spec"]["template"]["metadata"]["labels"]):
            complaints.append(f"{name(document)} does not select its own pods")
        governing = document["spec"].get("serviceName")
        if document["kind"] == "StatefulSet" and governing not in {
            service["metadata"]["name"] for service in of_kind(documents, "Service")}:
            complaints.append(f"{name(document)}: there is no Service {governing}")
    return complaints


def services_have_budgets(documents):
    complaints = []
    every = [pod for pod in pods(documents) if pod.is_service]
    budgets = of_kind(documents, "PodDisruptionBudget")
    for pod in every:
        matching = [budget for budget in budgets if selects(budget["spec"]["selector"], pod.labels)]
        if len(matching) != 1:
            complaints.append(f"{pod.workload} has {len(matching)} disruption budgets")
    for budget in budgets:
        if not any(selects(budget["spec"]["selector"], pod.labels) for pod in every):
            complaints.append(f"{name(budget)} protects nothing")
    return complaints


def autoscalers_fit(documents):
    """Targets exist and leave the number of replicas to their autoscaler; no more replicas than partitions."""
    complaints = []
    topics = of_kind(documents, "KafkaTopic")
    for scaler in of_kind(documents, "HorizontalPodAutoscaler", "ScaledObject"):
        target = scaler["spec"]["scaleTargetRef"]
        try:
            workload = find(documents, target["kind"], target["name"])
        except KeyError:
            complaints.append(f"{name(scaler)}: there is no {target['kind']} {target['name']}")
            continue
        if "replicas" in workload["spec"]:
            complaints.append(f"{name(workload)} fixes the replicas that {name(scaler)} decides")
        partitions = {topic["spec"]["partitions"] for topic in topics}
        most = scaler["spec"].get("maxReplicas", scaler["spec"].get("maxReplicaCount"))
        if partitions and {most} != partitions:
            complaints.append(f"{name(scaler)}: {most} replicas for {partitions} partitions")
    settings = find(documents, "ConfigMap", "hearth-settings")["data"]
    for topic in topics:
        wanted = (str(topic["spec"]["partitions"]), str(topic["spec"]["replicas"]))
        if wanted != (settings["KAFKA_PARTITIONS"], settings["KAFKA_REPLICATION"]):
            complaints.append(f"{name(topic)} and the set-up Job ask for different partitions or replicas")
    return complaints


def instances_are_one_pods(documents):
    """A name at Kafka that lasts (KAFKA_INSTANCE) is one pod's, which is back with it before its partitions go to others. Two of
    one name would put each other out; one that never comes back keeps its partitions waiting for nobody."""
    complaints = [f"{name(config)}: whoever reads it has one KAFKA_INSTANCE with the others"
                  for config in of_kind(documents, "ConfigMap") if "KAFKA_INSTANCE" in config.get("data", {})]
    for pod in pods(documents):
        for container in pod.containers:
            if any("--kafka-instance" in word for word in container.get("command", []) + container.get("args", [])):
                complaints.append(f"{pod.workload}: KAFKA_INSTANCE is a flag, where nobody looks at it")
            variables = {variable["name"]: variable for variable in container.get("env", [])}
            instance = variables.get("KAFKA_INSTANCE")
            if instance is None:
                continue
            if not pod.workload.startswith("StatefulSet "):
                complaints.append(f"{pod.workload}: its pods have no names that last, as KAFKA_INSTANCE is one")
            if instance.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath") != "metadata.name":
                complaints.append(f"{pod.workload}: KAFKA_INSTANCE is not its pod's name")
            timeout = int(variables.get("KAFKA_SESSION_TIMEOUT", {}).get("value", 45))
            if timeout <= pod.spec.get("terminationGracePeriodSeconds", 30):
                complaints.append(f"{pod.workload}: a pod that uses all its grace is back too late for its partitions")
    return complaints


def kafka_rights_are_those_of_the_services(documents):
    """A client certificate for each service, and none may read and write what another's work is."""
    complaints = []
    for user in of_kind(documents, "KafkaUser"):
        service = user["metadata"]["name"].removeprefix("hearth-")
        mounted = {source["secret"]["name"] for pod in pods(documents) for volume in pod.spec.get("volumes", [])
                   for source in volume.get("projected", {}).get("sources", [])
                   if pod.labels["app.kubernetes.io/name"].removeprefix("hearth-") == service}
        if user["metadata"]["name"] not in mounted:
            complaints.append(f"{name(user)}: nobody uses it")
        for rule in user["spec"]["authorization"]["acls"]:
            if rule["resource"]["patternType"] != "literal" or "All" in rule["operations"]:
                complaints.append(f"{name(user)}: rights for more than its topics")
        readable = {rule["resource"]["name"] for rule in user["spec"]["authorization"]["acls"] if "Read" in rule["operations"]}
        waiting = {"raw_sensor_data.dead-letter", "raw_sensor_data.held"}
        if service.startswith(("p1", "p2", "p4")) and not waiting <= readable:
            complaints.append(f"{name(user)}: it cannot read back what waits among the dead letters")
    return complaints


POLICIES = [
    images_are_pinned_and_maintained, restricted, nothing_of_the_cluster_leaks_in, probes_are_there,
    resources_are_bounded, no_plain_secret, references_exist, services_select_pods, services_have_budgets,
    autoscalers_fit, instances_are_one_pods, kafka_rights_are_those_of_the_services,
]
