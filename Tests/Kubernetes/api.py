"""A double of Kubernetes' API for a real kubectl: keeps objects, finds them by name and label, takes applies, patches and deletions,
and answers 404 for what is not there. Workloads have one running pod each. It starts nothing: what needs a stream to a pod
(`exec`, `port-forward`) is written down and refused."""

import base64
import http.server
import json
import threading
import urllib.parse

import yaml

NOT_NAMESPACED = ("Namespace",)
WORKLOADS = ("Deployment", "StatefulSet")
REFUSED = "the double starts no pod"


def plural(kind):
    word = kind.lower()
    return word[:-1] + "ies" if word.endswith("y") else word + "es" if word.endswith("s") else word + "s"


def merged(old, new):
    """RFC 7386, as far as the strategic merge is the same."""
    if not isinstance(new, dict):
        return new
    result = dict(old) if isinstance(old, dict) else {}
    for key, value in new.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def fields(data):
    """Of a protobuf message: number → values, for the two kinds of fields that matter here."""
    found, at = {}, 0

    def varint():
        nonlocal at
        value, shift = 0, 0
        while True:
            byte = data[at]
            at, value, shift = at + 1, value | (byte & 0x7f) << shift, shift + 7
            if byte < 0x80:
                return value

    while at < len(data):
        number, wire = divmod(varint(), 8)
        value = varint()
        if wire == 2:
            at, value = at + value, data[at:at + value]
        found.setdefault(number, []).append(value)
    return found


def made(kind, version, body):
    """The object of a creation: JSON, or what kubectl sends of kinds that it knows, of which the name and a Secret's data are read
    (runtime.Unknown, ObjectMeta and Secret in the API's generated.proto)."""
    if not body.startswith(b"k8s\0"):
        return json.loads(body)
    content = fields(fields(body[4:])[2][0])
    result = {"apiVersion": version, "kind": kind, "metadata": {"name": fields(content[1][0])[1][0].decode()}}
    if kind == "Secret":
        result["data"] = {fields(entry)[1][0].decode(): base64.b64encode(fields(entry)[2][0]).decode() for entry in content[2]}
    return result


def wanted(labels, selector):
    """Whether labels have what `a=b,c=d` says."""
    pairs = [part.split("=", 1) for part in selector.replace("==", "=").split(",") if part]
    return all(labels.get(key) == value for key, value in pairs)


class API:
    """- known: objects whose kinds it knows, as a cluster with all operators would."""

    def __init__(self, known):
        self.objects = {}
        self.kinds = {(d["apiVersion"], plural(d["kind"])): d["kind"] for d in known}
        self.kinds |= {("v1", "pods"): "Pod", ("v1", "namespaces"): "Namespace", ("v1", "secrets"): "Secret", ("v1", "nodes"): "Node"}
        self.streams, self.deleted, self.count = [], [], 0
        double = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one(self):
                url = urllib.parse.urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                query = urllib.parse.parse_qs(url.query)
                status, content = double.answer(self.command, url.path.strip("/"), query, body)
                data = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def kubeconfig(self, path):
        port = self.server.server_address[1]
        path.write_text(yaml.safe_dump({
            "apiVersion": "v1", "kind": "Config", "current-context": "double", "users": [{"name": "double", "user": {}}],
            "clusters": [{"name": "double", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
            "contexts": [{"name": "double", "context": {"cluster": "double", "user": "double"}}]}))
        return path

    def of(self, kind):
        return [found for (_, one, _, _), found in sorted(self.objects.items()) if one == kind]

    # MARK: What there is to ask for

    def answer(self, method, path, query, body):
        parts = path.split("/")
        if path == "version":
            return 200, {"major": "1", "minor": "33", "gitVersion": "v1.33.0"}
        if path == "api":
            return 200, {"kind": "APIVersions", "versions": ["v1"]}
        if path == "apis":
            return 200, {"kind": "APIGroupList", "apiVersion": "v1", "groups": self.groups()}
        if parts[0] == "openapi":
            return self.openapi(path)
        version, rest = ("v1", parts[2:]) if parts[0] == "api" else ("/".join(parts[1:3]), parts[3:])
        if not rest:
            return 200, self.resources(version)
        return self.resource(method, version, rest, query, body)

    def groups(self):
        versions = sorted({version for version, _ in self.kinds if "/" in version})
        entries = {version.split("/")[0]: {"groupVersion": version, "version": version.split("/")[1]} for version in versions}
        return [{"name": name, "versions": [entry], "preferredVersion": entry} for name, entry in entries.items()]

    def resources(self, version):
        found = [{"name": name, "singularName": kind.lower(), "kind": kind, "namespaced": kind not in NOT_NAMESPACED,
                  "verbs": ["get", "list", "create", "patch", "update", "delete", "watch"]}
                 for (one, name), kind in self.kinds.items() if one == version]
        found += [{"name": f"{plural(kind)}/scale", "kind": "Scale", "group": "autoscaling", "version": "v1", "namespaced": True,
                   "verbs": ["get", "patch", "update"]} for kind in WORKLOADS if version == "apps/v1"]
        found += [{"name": f"pods/{name}", "kind": "Pod", "namespaced": True, "verbs": ["create", "get"]}
                  for name in ("exec", "portforward") if version == "v1"]
        return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": found}

    def openapi(self, path):
        """No more than that every kind's patch takes `fieldValidation`: without it kubectl asks for schemas."""
        if path != "openapi/v3" and not path.startswith("openapi/v3/"):
            return 404, self.status(404, "NotFound", path)
        roots = {("api/" if "/" not in version else "apis/") + version: version for version, _ in self.kinds}
        if path == "openapi/v3":
            return 200, {"paths": {root: {"serverRelativeURL": f"/openapi/v3/{root}"} for root in roots}}
        version = roots[path.removeprefix("openapi/v3/")]
        group, _, number = version.rpartition("/")
        paths = {f"/{name}/{{name}}": {"patch": {
            "x-kubernetes-group-version-kind": {"group": group, "version": number, "kind": kind},
            "parameters": [{"name": "fieldValidation", "in": "query"}]}} for (one, name), kind in self.kinds.items() if one == version}
        return 200, {"openapi": "3.0.0", "info": {"title": "double", "version": "1"}, "paths": paths}

    # MARK: Objects

    def resource(self, method, version, rest, query, body):
        namespace = ""
        if rest[0] == "namespaces" and len(rest) > 2:
            namespace, rest = rest[1], rest[2:]
        kind = self.kinds.get((version, rest[0]))
        if not kind:
            return 404, self.status(404, "NotFound", f"no kind {rest[0]}")
        if namespace and ("v1", "Namespace", "", namespace) not in self.objects:
            return 404, self.status(404, "NotFound", f'namespaces "{namespace}" not found')
        if len(rest) == 1:
            if method == "POST":
                return self.create(version, kind, namespace, made(kind, version, body))
            return 200, self.list(version, kind, namespace, query)
        key = (version, kind, namespace, rest[1])
        if len(rest) > 2 and kind == "Pod":
            return self.stream(key, rest[2], query)
        if method == "PATCH" and "fieldManager" in query and key not in self.objects and len(rest) == 2:
            return 201, self.put(key, yaml.safe_load(body))
        found = self.pod(namespace, rest[1]) if kind == "Pod" else self.objects.get(key)
        if not found:
            return 404, self.status(404, "NotFound", f'{rest[0]} "{rest[1]}" not found')
        if method == "DELETE":
            self.deleted.append(f"{kind}/{rest[1]}")
            del self.objects[key]
            return 200, {"kind": "Status", "apiVersion": "v1", "status": "Success", "details": {"name": rest[1], "uid": found["metadata"]["uid"]}}
        if len(rest) > 2 and rest[2] == "scale":
            return self.scale(found, method, body)
        if method in ("PATCH", "PUT"):
            change = yaml.safe_load(body)
            return 200, self.put(key, change if method == "PUT" else merged(found, change))
        return 200, found

    def put(self, key, content):
        self.count += 1
        old = self.objects.get(key)
        identity = {**({"namespace": key[2]} if key[2] else {}), "uid": old["metadata"]["uid"] if old else f"uid-{self.count}", "resourceVersion": str(self.count)}
        self.objects[key] = {**content, "metadata": {**content["metadata"], **identity}}
        return self.objects[key]

    def create(self, version, kind, namespace, content):
        key = (version, kind, namespace, content["metadata"]["name"])
        if key in self.objects:
            return 409, self.status(409, "AlreadyExists", f"{kind} {key[3]} already exists")
        if kind == "Job":
            content["status"] = {"conditions": [{"type": "Complete", "status": "True"}]}
        return 201, self.put(key, content)

    def list(self, version, kind, namespace, query):
        found = self.pods(namespace) if kind == "Pod" else [
            found for (one, other, place, _), found in self.objects.items() if (one, other) == (version, kind) and namespace in ("", place)]
        selector = query.get("labelSelector", [""])[0]
        names = [part.split("=", 1)[1] for part in query.get("fieldSelector", [""])[0].split(",") if part.startswith("metadata.name=")]
        found = [one for one in found if wanted(one["metadata"].get("labels", {}), selector)
                 and (not names or one["metadata"]["name"] in names)]
        return {"kind": f"{kind}List", "apiVersion": version, "metadata": {"resourceVersion": str(self.count)}, "items": found}

    def scale(self, found, method, body):
        if method != "GET":
            found["spec"]["replicas"] = yaml.safe_load(body)["spec"]["replicas"]
        return 200, {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": found["metadata"],
                     "spec": {"replicas": found["spec"].get("replicas", 1)}, "status": {"replicas": found["spec"].get("replicas", 1)}}

    # MARK: Pods

    def pods(self, namespace):
        found = []
        for (_, kind, place, name), workload in self.objects.items():
            if kind in WORKLOADS and place == namespace and workload["spec"].get("replicas", 1) > 0:
                template = workload["spec"]["template"]
                containers = [{"name": c["name"], "ready": True, "state": {"running": {}}} for c in template["spec"]["containers"]]
                found.append({"apiVersion": "v1", "kind": "Pod", "spec": template["spec"],
                              "metadata": {**template["metadata"], "name": f"{name}-0", "namespace": namespace, "uid": f"pod-{name}"},
                              "status": {"phase": "Running", "containerStatuses": containers,
                                         "conditions": [{"type": "Ready", "status": "True"}]}})
        return found

    def pod(self, namespace, name):
        return next((pod for pod in self.pods(namespace) if pod["metadata"]["name"] == name), None)

    def stream(self, key, what, query):
        pod = self.pod(key[2], key[3])
        if not pod:
            return 404, self.status(404, "NotFound", f"no pod {key[3]}")
        self.streams.append((what, pod, query.get("command", [])))
        return 403, self.status(403, "Forbidden", REFUSED)

    @staticmethod
    def status(code, reason, message):
        return {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message}
