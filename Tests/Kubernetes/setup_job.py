"""The set-up Job can be applied again. Kubernetes refuses a change of a Job, so whatever changes it has to change its name:
settings are changed in a copy of the manifests, which is rendered before and after."""

import pathlib
import shutil
import tempfile

from manifests import name, of_kind, render

BASE, PRODUCTION = "cloud/base/settings.env", "cloud/overlays/production/settings.env"


def edit(path, old, new):
    """A change of one file of a tree."""
    def change(directory):
        text = (directory / path).read_text()
        assert old in text, f"{path} has no {old}"
        (directory / path).write_text(text.replace(old, new))
    return change


RETENTION = edit(BASE, "RETENTION=8760h", "RETENTION=17520h")
PARTITIONS = edit(PRODUCTION, "KAFKA_PARTITIONS=24", "KAFKA_PARTITIONS=48")
IMAGE = edit("cloud/overlays/production/kustomization.yaml", "newTag: 0.1.0", "newTag: 0.2.0")
FIXED_NAME = edit("cloud/base/kustomization.yaml", "configurations:\n  - names.yaml\n", "")


def still_the_same(kustomization, *changes, before=()):
    """Complaints if the changes reach the set-up Job and leave its name, or do not reach it at all."""
    with tempfile.TemporaryDirectory() as directory:
        for tree in ("cloud", "Tests/Kubernetes"):
            shutil.copytree(tree, f"{directory}/{tree}", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        for change in before:
            change(pathlib.Path(directory))
        [old] = of_kind(render(f"{directory}/{kustomization}"), "Job")
        for change in changes:
            change(pathlib.Path(directory))
        [new] = of_kind(render(f"{directory}/{kustomization}"), "Job")
    if old["spec"] == new["spec"]:
        return ["the change does not reach the set-up Job"]
    return [f"the set-up Job changes and is still {name(new)}"] if name(old) == name(new) else []


def set_up_job_checks(kustomizations):
    """Pairs of a title and complaints."""
    for kustomization in kustomizations:
        yield f"{kustomization}: another setting is another set-up Job", still_the_same(kustomization, RETENTION)
        [job] = of_kind(render(kustomization), "Job")
        yield f"{kustomization}: the set-up Job goes by itself", \
            [] if job["spec"].get("ttlSecondsAfterFinished") else ["no ttlSecondsAfterFinished"]
        if "production" in kustomization:
            yield f"{kustomization}: so is its own setting", still_the_same(kustomization, PARTITIONS)
            yield f"{kustomization}: and so is another version", still_the_same(kustomization, IMAGE)
    found = still_the_same("cloud/base", RETENTION, before=[FIXED_NAME])
    yield "planted: a set-up Job with one name for good", [] if found else ["nobody complained"]
