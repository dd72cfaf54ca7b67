"""Who may talk to whom, computed from the NetworkPolicies as the specification says, and compared with the list of what
is needed. A missing way and a way too many are both complaints."""

from manifests import name, of_kind, pods, selects, strimzi_pods

NAMESPACE = {"kubernetes.io/metadata.name": "hearth"}


class Peer:
    """An end of a connection: labels of its namespace and of its pod; neither for somebody outside the cluster."""

    def __init__(self, title, labels=None, namespace=None):
        self.title, self.labels, self.namespace = title, labels, namespace


OUTSIDE = Peer("outside")
PROMETHEUS = Peer("prometheus", {"app": "prometheus"}, {"kubernetes.io/metadata.name": "monitoring"})
STRANGER = Peer("stranger", {"app": "stranger"}, {"kubernetes.io/metadata.name": "default"})
INGRESS = Peer("ingress-controller", {"app": "ingress"}, {"kubernetes.io/metadata.name": "ingress-nginx"})
DNS = Peer("dns", {"k8s-app": "kube-dns"}, {"kubernetes.io/metadata.name": "kube-system"})


def names_peer(rule_peers, peer):
    """Whether the `from` or `to` of a rule names this peer; a rule without them names everybody."""
    if not rule_peers:
        return True
    for entry in rule_peers:
        if "ipBlock" in entry:
            if peer.namespace is None:
                return True
            continue
        if peer.namespace is None:
            continue
        inside = selects(entry["namespaceSelector"], peer.namespace) if "namespaceSelector" in entry \
            else peer.namespace == NAMESPACE
        if inside and selects(entry.get("podSelector", {}), peer.labels):
            return True
    return False


def names_port(rule_ports, port, protocol):
    return not rule_ports or any(
        entry.get("port", port) == port and entry.get("protocol", "TCP") == protocol for entry in rule_ports)


def allowed(policies, direction, own, other, port, protocol):
    """What the policies say about one direction at one end; an end outside the namespace has no policy of ours."""
    if own.namespace != NAMESPACE:
        return True
    kind, rules, key = (("Ingress", "ingress", "from"), ("Egress", "egress", "to"))[direction == "egress"]
    isolating = [
        policy["spec"] for policy in policies
        if kind in policy["spec"]["policyTypes"] and selects(policy["spec"]["podSelector"], own.labels)
    ]
    if not isolating:
        return True
    return any(
        names_peer(rule.get(key), other) and names_port(rule.get("ports"), port, protocol)
        for spec in isolating for rule in spec.get(rules) or [])


def connections(documents):
    """Every way that is open, as (from, to, port)."""
    policies = of_kind(documents, "NetworkPolicy")
    ours = [Peer(pod.labels["app.kubernetes.io/name"], pod.labels, NAMESPACE)
            for pod in pods(documents) + strimzi_pods(documents)]
    ports = {53, 443, 1883, 3000, 8080, 8086, 8883, 9090, 9091, 9092, 9093}
    found = set()
    for source in ours + [OUTSIDE, PROMETHEUS, STRANGER, INGRESS]:
        for target in ours + [OUTSIDE, DNS]:
            for port in ports:
                protocol = "UDP" if port == 53 else "TCP"
                inside = source.namespace == NAMESPACE or target.namespace == NAMESPACE
                if source is not target and inside and \
                        allowed(policies, "egress", source, target, port, protocol) and \
                        allowed(policies, "ingress", target, source, port, protocol):
                    found.add((source.title, target.title, port))
    return found


def needed(documents):
    """What has to be open, and nothing else."""
    kinds = {pod.labels["app.kubernetes.io/name"] for pod in pods(documents)}
    is_strimzi = bool(of_kind(documents, "Kafka"))
    ways = {(kind, "dns", 53) for kind in kinds}
    for outsider in ("outside", "prometheus", "stranger", "ingress-controller"):
        ways.add((outsider, "mosquitto", 8883))
    listeners = [listener.get("port") for kafka in of_kind(documents, "Kafka") for listener in kafka["spec"]["kafka"]["listeners"]]
    for kind in kinds & {"ingestor", "p1-save", "p2-clean", "p4-aggregate", "p3-actuate", "hearth-setup"}:
        ways |= {(kind, "kafka", port) for port in listeners or [9092]}
    for kind in kinds & {"ingestor", "p1-save", "p2-clean", "p4-aggregate", "p3-actuate", "homes"}:
        ways.add(("prometheus", kind, 8080))
    for kind in kinds & {"p1-save", "p2-clean", "p4-aggregate", "hearth-setup", "grafana", "influxdb-backup", "influxdb-restore"}:
        ways.add((kind, "influxdb", 8086))
    for kind in kinds & {"ingestor", "p1-save", "p3-actuate", "homes"}:
        ways.add((kind, "mosquitto", 1883))
    opened = {service["metadata"]["name"] for service in of_kind(documents, "Service")
              if service["spec"].get("type") in ("NodePort", "LoadBalancer")}
    if "influxdb-ui" in opened:
        ways |= {(outsider, "influxdb", 8086) for outsider in ("outside", "prometheus", "stranger", "ingress-controller")}
    if "grafana-ui" in opened:
        ways |= {(outsider, "grafana", 3000) for outsider in ("outside", "prometheus", "stranger", "ingress-controller")}
    if of_kind(documents, "Ingress"):
        ways.add(("ingress-controller", "influxdb", 8086))
    if is_strimzi:
        # Ingress rules of Strimzi's own policies, which the operator makes, are not in these files.
        ways |= {("kafka", "dns", 53), ("entity-operator", "dns", 53)}
        ways |= {("entity-operator", "outside", 443), ("entity-operator", "dns", 443)}
    return ways


def network_is_exact(documents):
    is_open, wanted = connections(documents), needed(documents)
    complaints = [f"NetworkPolicy: {a} cannot reach {b}:{port}" for a, b, port in sorted(wanted - is_open)]
    complaints += [f"NetworkPolicy: {a} can reach {b}:{port}" for a, b, port in sorted(is_open - wanted)]
    policies = of_kind(documents, "NetworkPolicy")
    every = pods(documents) + strimzi_pods(documents)
    for pod in every:
        covering = [policy["spec"]["policyTypes"] for policy in policies
                    if selects(policy["spec"]["podSelector"], pod.labels)]
        for kind in ("Ingress", "Egress"):
            if not any(kind in types for types in covering):
                complaints.append(f"{pod.workload}: no NetworkPolicy covers its {kind.lower()}")
    for policy in policies:
        if not any(selects(policy["spec"]["podSelector"], pod.labels) for pod in every):
            complaints.append(f"{name(policy)} covers nothing")
    return complaints
