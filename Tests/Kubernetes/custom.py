"""Checks custom resources against the fields of their published definitions.

custom-fields.json holds the fields that our resources use, with their types, enumerations and required neighbours, as the
CustomResourceDefinitions of Strimzi (install/cluster-operator), the Prometheus operator, cert-manager and KEDA have them.
`custom.py FILE... --crds DIRECTORY --release TEXT` makes it anew from the definitions of other releases, whose files are not
kept here."""

import argparse
import json
import pathlib

import yaml

FIELDS = pathlib.Path(__file__).with_name("custom-fields.json")
GROUPS = ("kafka.strimzi.io/", "monitoring.coreos.com/", "cert-manager.io/", "keda.sh/")
TYPES = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict, "number": (int, float)}


def check(document, fields):
    """Complaints about one custom resource."""
    title = f"{document['kind']} {document['metadata']['name']}"
    known = fields["resources"].get(document["kind"])
    if known is None:
        return [f"{title}: unknown kind"]
    if document["apiVersion"] not in known["versions"]:
        return [f"{title}: {document['apiVersion']} is not served"]
    complaints = []
    for part in document:
        if part not in ("apiVersion", "kind", "metadata", "spec"):
            complaints.append(f"{title}: unknown field {part}")
    walk(document.get("spec"), "spec", known["fields"], title, complaints)
    return complaints


def walk(value, path, fields, title, complaints):
    field = fields.get(path)
    if field is None:
        complaints.append(f"{title}: unknown field {path}")
        return
    if field.get("any"):
        return
    if not isinstance(value, TYPES[field["type"]]) or (isinstance(value, bool) and field["type"] != "boolean"):
        complaints.append(f"{title}: {path} must be a {field['type']}")
        return
    if "enum" in field and value not in field["enum"]:
        complaints.append(f"{title}: {path} must be one of {', '.join(field['enum'])}")
    if "minimum" in field and value < field["minimum"]:
        complaints.append(f"{title}: {path} must be at least {field['minimum']}")
    if isinstance(value, dict) and not field.get("map"):
        for required in field.get("required", []):
            if required not in value:
                complaints.append(f"{title}: {path} lacks {required}")
        for key, inner in value.items():
            walk(inner, f"{path}.{key}", fields, title, complaints)
    if isinstance(value, list):
        for inner in value:
            walk(inner, f"{path}[]", fields, title, complaints)


def used_fields(value, schema, path, into):
    """Copies from the schema what describes the value and everything in it."""
    kept = {key: schema[key] for key in ("type", "enum", "minimum", "required") if key in schema}
    if "x-kubernetes-int-or-string" in schema or "type" not in schema:
        kept = {"any": True}
    elif schema["type"] == "object" and "properties" not in schema:
        kept["map"] = True
    into[path] = kept
    if isinstance(value, dict) and "properties" in schema:
        for key, inner in value.items():
            if key not in schema["properties"]:
                raise SystemExit(f"{path}.{key} is not in the published definition")
            used_fields(inner, schema["properties"][key], f"{path}.{key}", into)
    if isinstance(value, list):
        for inner in value:
            used_fields(inner, schema["items"], f"{path}[]", into)


def definitions(directory):
    for file in sorted(pathlib.Path(directory).glob("*.yaml")):
        for document in yaml.safe_load_all(file.read_text()):
            if document and document["kind"] == "CustomResourceDefinition":
                yield document["spec"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("manifests", nargs="+")
    parser.add_argument("--crds", required=True)
    parser.add_argument("--release", required=True)
    arguments = parser.parse_args()
    crds = {spec["names"]["kind"]: spec for spec in definitions(arguments.crds)}
    resources = {}
    for manifest in arguments.manifests:
        for document in yaml.safe_load_all(pathlib.Path(manifest).read_text()):
            if not document or not document["apiVersion"].startswith(GROUPS):
                continue
            spec = crds[document["kind"]]
            served = {f"{spec['group']}/{v['name']}": v for v in spec["versions"] if v["served"]}
            schema = served[document["apiVersion"]]["schema"]["openAPIV3Schema"]["properties"]["spec"]
            entry = resources.setdefault(document["kind"], {"versions": sorted(served), "fields": {}})
            fields = {}
            used_fields(document["spec"], schema, "spec", fields)
            entry["fields"].update(fields)
    FIELDS.write_text(json.dumps({"release": arguments.release, "resources": resources}, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
