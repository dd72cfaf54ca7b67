"""Violations to plant: (what, in which kustomization, the policy that has to complain, how)."""

from manifests import find

BASE, MINIKUBE, PRODUCTION = "cloud/base", "cloud/overlays/minikube", "cloud/overlays/production"
EVERYTHING, ALL_PRODUCTION = "Tests/Kubernetes/everything", "Tests/Kubernetes/everything-production"


def spec_of(documents, kind, name):
    return find(documents, kind, name)["spec"]["template"]["spec"]


def container(documents, kind="Deployment", name="p1-save"):
    return spec_of(documents, kind, name)["containers"][0]


def put(target, key, value):
    target[key] = value


def drop(documents, kind, name):
    documents.remove(find(documents, kind, name))


def policy(documents, name):
    return find(documents, "NetworkPolicy", name)["spec"]


def environment(documents, name, value):
    container(documents)["env"].append({"name": name, "value": value})


INSTANCE = {"name": "KAFKA_INSTANCE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}


def replace_variable(documents, name, variable):
    """In the environment of the StatefulSet p1-save."""
    variables = container(documents, "StatefulSet")["env"]
    variables[:] = [variable if one["name"] == name else one for one in variables]


VIOLATIONS = [
    # Images
    ("latest", BASE, "images_are_pinned_and_maintained", lambda d: put(container(d), "image", "hearth-cloud:latest")),
    ("no tag", BASE, "images_are_pinned_and_maintained", lambda d: put(container(d), "image", "hearth-cloud")),
    ("an unmaintained image", BASE, "images_are_pinned_and_maintained",
     lambda d: put(container(d, "StatefulSet", "kafka-svc"), "image", "wurstmeister/kafka:2.13-2.8.1")),
    ("latest in an init container", BASE, "images_are_pinned_and_maintained",
     lambda d: put(spec_of(d, "Job", "hearth-settings")["initContainers"][0], "image", "hearth-cloud:latest")),
    # Pod security
    ("root", BASE, "restricted", lambda d: put(spec_of(d, "StatefulSet", "influxdb-svc")["securityContext"], "runAsUser", 0)),
    ("no runAsNonRoot", BASE, "restricted",
     lambda d: spec_of(d, "Deployment", "ingestor")["securityContext"].pop("runAsNonRoot")),
    ("root in one container", BASE, "restricted", lambda d: put(container(d)["securityContext"], "runAsUser", 0)),
    ("no seccomp", BASE, "restricted",
     lambda d: spec_of(d, "Deployment", "ingestor")["securityContext"].pop("seccompProfile")),
    ("privilege escalation", BASE, "restricted",
     lambda d: container(d)["securityContext"].pop("allowPrivilegeEscalation")),
    ("a capability", BASE, "restricted",
     lambda d: put(container(d)["securityContext"]["capabilities"], "add", ["NET_BIND_SERVICE"])),
    ("kept capabilities", BASE, "restricted", lambda d: container(d)["securityContext"].pop("capabilities")),
    ("a writable root", BASE, "restricted", lambda d: container(d)["securityContext"].pop("readOnlyRootFilesystem")),
    ("the node's network", BASE, "restricted", lambda d: put(spec_of(d, "Deployment", "p1-save"), "hostNetwork", True)),
    ("the node's disk", BASE, "restricted",
     lambda d: spec_of(d, "Deployment", "p1-save")["volumes"].append({"name": "x", "hostPath": {"path": "/"}})),
    ("a port of the node", BASE, "restricted", lambda d: put(container(d)["ports"][0], "hostPort", 80)),
    ("a lax namespace", BASE, "restricted", lambda d: put(
        find(d, "Namespace", "hearth")["metadata"]["labels"], "pod-security.kubernetes.io/enforce", "baseline")),
    ("no namespace", BASE, "restricted", lambda d: drop(d, "Namespace", "hearth")),
    ("an API token", BASE, "nothing_of_the_cluster_leaks_in",
     lambda d: spec_of(d, "Deployment", "ingestor").pop("automountServiceAccountToken")),
    ("service links for Kafka", BASE, "nothing_of_the_cluster_leaks_in",
     lambda d: put(spec_of(d, "StatefulSet", "kafka-svc"), "enableServiceLinks", True)),
    # Probes and resources
    ("no liveness", BASE, "probes_are_there", lambda d: container(d).pop("livenessProbe")),
    ("no readiness", BASE, "probes_are_there",
     lambda d: container(d, "StatefulSet", "mosquitto-svc").pop("readinessProbe")),
    ("no start-up probe", BASE, "probes_are_there", lambda d: container(d, "StatefulSet", "kafka-svc").pop("startupProbe")),
    ("no limit", BASE, "resources_are_bounded", lambda d: container(d)["resources"].pop("limits")),
    ("no memory request", BASE, "resources_are_bounded", lambda d: container(d)["resources"]["requests"].pop("memory")),
    ("a request beyond its limit", BASE, "resources_are_bounded",
     lambda d: put(container(d)["resources"]["requests"], "memory", "2Gi")),
    ("a volume without a limit", BASE, "resources_are_bounded",
     lambda d: spec_of(d, "Deployment", "p1-save")["volumes"].append({"name": "x", "emptyDir": {}})),
    # Secrets
    ("a Secret", BASE, "no_plain_secret", lambda d: d.append(
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"password": "x"}})),
    ("a token in the environment", BASE, "no_plain_secret", lambda d: environment(d, "INFLUX_TOKEN", "abc")),
    ("a Secret in the environment", BASE, "no_plain_secret", lambda d: container(d)["env"].append(
        {"name": "X", "valueFrom": {"secretKeyRef": {"name": "hearth-mqtt", "key": "password"}}})),
    ("a token in a ConfigMap", BASE, "no_plain_secret",
     lambda d: put(find(d, "ConfigMap", "hearth-settings")["data"], "INFLUX_TOKEN", "abc")),
    ("hashed passwords in a ConfigMap", BASE, "no_plain_secret",
     lambda d: put(find(d, "ConfigMap", "mosquitto-config")["data"], "users", "home1:$7$101$c2FsdA==$aGFzaA==")),
    # References
    ("a Secret that nobody makes", BASE, "references_exist",
     lambda d: put(spec_of(d, "Deployment", "ingestor")["volumes"][0]["secret"], "secretName", "other")),
    ("a key that the Secret lacks", BASE, "references_exist", lambda d: put(
        spec_of(d, "Deployment", "p1-save")["volumes"][0]["secret"], "items", [{"key": "other", "path": "token"}])),
    ("a ConfigMap that is not there", BASE, "references_exist", lambda d: drop(d, "ConfigMap", "mosquitto-config")),
    ("a key that the ConfigMap lacks", BASE, "references_exist",
     lambda d: find(d, "ConfigMap", "hearth-settings")["data"].pop("RETENTION")),
    ("a mount without its volume", BASE, "references_exist",
     lambda d: spec_of(d, "Deployment", "p1-save")["volumes"].clear()),
    ("two volumes at one place", BASE, "references_exist",
     lambda d: put(container(d)["volumeMounts"][0], "mountPath", "/tmp")),
    ("a probe of a port that is not there", BASE, "references_exist",
     lambda d: put(container(d)["readinessProbe"]["httpGet"], "port", "metrics")),
    # Services, budgets, autoscalers
    ("a Service that selects nothing", BASE, "services_select_pods",
     lambda d: put(find(d, "Service", "mosquitto-svc")["spec"], "selector", {"app": "other"})),
    ("a Service's port that is not there", BASE, "services_select_pods",
     lambda d: put(find(d, "Service", "influxdb-svc")["spec"]["ports"][0], "targetPort", "other")),
    ("a node port twice", MINIKUBE, "services_select_pods",
     lambda d: put(find(d, "Service", "influxdb-ui")["spec"]["ports"][0], "nodePort", 30001)),
    ("a StatefulSet without its Service", PRODUCTION, "services_select_pods", lambda d: drop(d, "Service", "ingestor")),
    ("pods that their Deployment does not select", BASE, "services_select_pods", lambda d: put(
        find(d, "Deployment", "p1-save")["spec"]["selector"], "matchLabels", {"app.kubernetes.io/name": "other"})),
    ("no budget", BASE, "services_have_budgets", lambda d: drop(d, "PodDisruptionBudget", "ingestor")),
    ("a budget for nothing", BASE, "services_have_budgets", lambda d: put(
        find(d, "PodDisruptionBudget", "kafka")["spec"]["selector"], "matchLabels", {"app": "other"})),
    ("an autoscaler of nothing", PRODUCTION, "autoscalers_fit",
     lambda d: put(find(d, "HorizontalPodAutoscaler", "p1-save")["spec"]["scaleTargetRef"], "name", "other")),
    ("more replicas than partitions", PRODUCTION, "autoscalers_fit",
     lambda d: put(find(d, "HorizontalPodAutoscaler", "p1-save")["spec"], "maxReplicas", 48)),
    ("replicas beside an autoscaler", PRODUCTION, "autoscalers_fit",
     lambda d: put(find(d, "Deployment", "p1-save")["spec"], "replicas", 2)),
    ("topics that the set-up Job would make differently", PRODUCTION, "autoscalers_fit",
     lambda d: put(find(d, "ConfigMap", "hearth-settings")["data"], "KAFKA_PARTITIONS", "12")),
    # Names at Kafka
    ("a Deployment with names at Kafka", BASE, "instances_are_one_pods", lambda d: container(d)["env"].append(INSTANCE)),
    ("replicas that share a name at Kafka", ALL_PRODUCTION, "instances_are_one_pods",
     lambda d: replace_variable(d, "KAFKA_INSTANCE", {"name": "KAFKA_INSTANCE", "value": "p1-save"})),
    ("replicas that have their node's name at Kafka", ALL_PRODUCTION, "instances_are_one_pods", lambda d: replace_variable(
        d, "KAFKA_INSTANCE", {"name": "KAFKA_INSTANCE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}})),
    ("a name at Kafka in the settings of all", BASE, "instances_are_one_pods",
     lambda d: put(find(d, "ConfigMap", "hearth-settings")["data"], "KAFKA_INSTANCE", "one")),
    ("a name at Kafka as a flag", BASE, "instances_are_one_pods", lambda d: container(d)["args"].append("--kafka-instance=one")),
    ("a session at Kafka that ends before its pod", ALL_PRODUCTION, "instances_are_one_pods",
     lambda d: replace_variable(d, "KAFKA_SESSION_TIMEOUT", {"name": "KAFKA_SESSION_TIMEOUT", "value": "30"})),
    # Network
    ("no default", BASE, "network_is_exact", lambda d: drop(d, "NetworkPolicy", "default-deny")),
    ("no DNS", BASE, "network_is_exact", lambda d: drop(d, "NetworkPolicy", "dns")),
    ("DNS without UDP", BASE, "network_is_exact", lambda d: policy(d, "dns")["egress"][0]["ports"].pop(0)),
    ("the plain listener for everybody", BASE, "network_is_exact", lambda d: policy(d, "mosquitto")["ingress"][1].pop("from")),
    ("a database for everybody", BASE, "network_is_exact", lambda d: policy(d, "influxdb")["ingress"][0].pop("from")),
    ("a way out", BASE, "network_is_exact", lambda d: policy(d, "dns")["egress"].append({})),
    ("a pipeline without its database", BASE, "network_is_exact", lambda d: find(
        d, "Deployment", "p2-clean")["spec"]["template"]["metadata"]["labels"].pop("hearth/influxdb-client")),
    ("Kafka without its clients", BASE, "network_is_exact", lambda d: drop(d, "NetworkPolicy", "kafka")),
    ("a policy for nobody", BASE, "network_is_exact",
     lambda d: put(policy(d, "influxdb"), "podSelector", {"matchLabels": {"app": "other"}})),
    ("the plain port beside the one with TLS", ALL_PRODUCTION, "network_is_exact",
     lambda d: [rule["ports"].append({"protocol": "TCP", "port": 9092})
                for rule in (policy(d, "kafka-client")["egress"][0], policy(d, "kafka")["ingress"][0])]),
    ("a database open to more than the ingress controller", ALL_PRODUCTION, "network_is_exact",
     lambda d: policy(d, "influxdb-ingress")["ingress"][0]["from"].append(
         {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "default"}}})),
    # Components
    ("a user of Kafka that nobody uses", ALL_PRODUCTION, "kafka_rights_are_those_of_the_services",
     lambda d: put(find(d, "KafkaUser", "hearth-p1-save")["metadata"], "name", "hearth-p9")),
    ("a user of Kafka who may do everything", ALL_PRODUCTION, "kafka_rights_are_those_of_the_services",
     lambda d: find(d, "KafkaUser", "hearth-p1-save")["spec"]["authorization"]["acls"][0]["operations"].append("All")),
    ("a pipeline that may not read what it has set aside", ALL_PRODUCTION, "kafka_rights_are_those_of_the_services",
     lambda d: find(d, "KafkaUser", "hearth-p1-save")["spec"]["authorization"]["acls"][2]["operations"].remove("Read")),
    ("a certificate that Strimzi does not make", ALL_PRODUCTION, "references_exist",
     lambda d: drop(d, "KafkaUser", "hearth-setup")),
    ("a backup without its volume", EVERYTHING, "references_exist", lambda d: drop(d, "PersistentVolumeClaim", "influxdb-backup")),
    ("KEDA with more replicas than partitions", ALL_PRODUCTION, "autoscalers_fit",
     lambda d: put(find(d, "ScaledObject", "p1-save")["spec"], "maxReplicaCount", 48)),
    ("a backup that runs as root", EVERYTHING, "restricted", lambda d: put(
        find(d, "CronJob", "influxdb-backup")["spec"]["jobTemplate"]["spec"]["template"]["spec"]["securityContext"],
        "runAsUser", 0)),
    # Schemas
    ("a field that the Prometheus operator does not have", EVERYTHING, "schema_complaints",
     lambda d: put(find(d, "PodMonitor", "hearth")["spec"], "endpoints", [])),
    ("a field that KEDA does not have", ALL_PRODUCTION, "schema_complaints",
     lambda d: put(find(d, "ScaledObject", "p1-save")["spec"], "maxReplicas", 24)),
    ("a field that cert-manager does not have", EVERYTHING, "schema_complaints",
     lambda d: put(find(d, "Certificate", "mosquitto")["spec"], "hosts", [])),
    ("a misspelt field", BASE, "schema_complaints", lambda d: put(container(d), "imagePullPolice", "Always")),
    ("a wrong type", BASE, "schema_complaints", lambda d: put(find(d, "Deployment", "p1-save")["spec"], "replicas", "1")),
    ("a field that Strimzi does not have", PRODUCTION, "schema_complaints",
     lambda d: put(find(d, "Kafka", "hearth")["spec"]["kafka"], "replicas", 3)),
    ("a type that Strimzi does not take", PRODUCTION, "schema_complaints",
     lambda d: put(find(d, "KafkaTopic", "clean-data")["spec"], "partitions", "24")),
    ("a value that Strimzi does not take", PRODUCTION, "schema_complaints",
     lambda d: put(find(d, "Kafka", "hearth")["spec"]["kafka"]["listeners"][0], "type", "cluster-ip-only")),
    ("a field that Strimzi needs", PRODUCTION, "schema_complaints",
     lambda d: find(d, "Kafka", "hearth")["spec"]["kafka"]["listeners"][0].pop("port")),
    ("an old version of Strimzi's API", PRODUCTION, "schema_complaints",
     lambda d: put(find(d, "Kafka", "hearth"), "apiVersion", "kafka.strimzi.io/v1beta2")),
    # Ours
    ("another namespace", EVERYTHING, "in_namespace",
     lambda d: put(find(d, "Deployment", "p3-actuate")["metadata"], "namespace", "default")),
    ("two ingestors with one name", BASE, "ingestor_reaches_its_session",
     lambda d: put(find(d, "Deployment", "ingestor")["spec"], "replicas", 2)),
    ("ingestors with names that do not last", PRODUCTION, "ingestor_reaches_its_session",
     lambda d: put(find(d, "StatefulSet", "ingestor")["spec"]["template"]["spec"]["containers"][0], "env",
                   [{"name": "MQTT_CLIENT_NAME", "value": "one"}])),
]
