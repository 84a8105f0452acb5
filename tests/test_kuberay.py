"""The RayJob, its files and its image (`clusters/`): fields that exist, and what we demand of them."""

from __future__ import annotations

import copy
import json
import re
import shlex
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from platform.tune import main as tune

Document = dict[str, Any]


def documents(root: Path, name: str) -> list[Document]:
    """All documents of a file of `clusters/`."""
    return list(yaml.safe_load_all((root / "clusters" / name).read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def job(root: Path) -> Document:
    """The RayJob."""
    (found,) = documents(root, "kuberay.yaml")
    return found


@pytest.fixture(scope="module")
def fields(root: Path) -> Document:
    """Which fields there are (tests/data/README.md says from where)."""
    return json.loads((root / "tests/data/kuberay_fields.json").read_text(encoding="utf-8"))


def complaints(fields: Document, document: Document) -> list[str]:
    """What is wrong with a document of a known kind, each with its place."""
    kinds = {"RayJob": "rayJob", "PersistentVolumeClaim": "volumeClaim", "Pod": "plainPod"}
    schema = {"$ref": f"#/definitions/{kinds[document['kind']]}", "definitions": fields["definitions"]}
    found = jsonschema.Draft7Validator(schema).iter_errors(document)
    return sorted(f"{'.'.join(map(str, one.absolute_path))}: {one.message}" for one in found)


def pods(job: Document) -> list[Document]:
    """The head's pod and the workers'."""
    cluster = job["spec"]["rayClusterSpec"]
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    return [group["template"]["spec"] for group in groups]


@pytest.mark.parametrize("name", ["kuberay.yaml", "kuberay_files.yaml"])
def test_every_field_is_one_that_kuberay_or_kubernetes_has(root: Path, fields: Document, name: str) -> None:
    for document in documents(root, name):
        assert not complaints(fields, document)


@pytest.mark.parametrize(
    ("place", "value", "text"),
    [
        (["submisionMode"], "SidecarMode", "submisionMode"),
        (["submissionMode"], "Sidecar", "is not one of"),
        (["backoffLimit"], "3", "is not of type 'integer'"),
        (["rayClusterSpec", "headGroupSpec", "rayStartParams", "num-cpus"], 0, "is not of type 'string'"),
        (["rayClusterSpec", "workerGroupSpecs", 0, "groupNam"], "a", "groupNam"),
        (["rayClusterSpec", "autoscalerOptions", "version"], "v3", "is not one of"),
    ],
)
def test_a_mistake_is_found(job: Document, fields: Document, place: list[Any], value: Any, text: str) -> None:
    changed = copy.deepcopy(job)
    part = changed["spec"]
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = value
    (found,) = complaints(fields, changed)
    assert text in found


def test_the_sidecar_gets_what_it_needs(job: Document) -> None:
    """KubeRay refuses the mode with another restart policy, and with a selector or a submitter's template."""
    spec = job["spec"]
    assert spec["submissionMode"] == "SidecarMode"
    assert not {"clusterSelector", "submitterPodTemplate"} & spec.keys()
    # Version 2 of the autoscaler wants the same of the workers.
    assert spec["rayClusterSpec"]["autoscalerOptions"]["version"] == "v2"
    assert [pod["restartPolicy"] for pod in pods(job)] == ["Never", "Never"]


def test_ray_is_the_locked_one_and_requires_the_token(job: Document, root: Path) -> None:
    cluster = job["spec"]["rayClusterSpec"]
    lock = (root / "requirements.lock").read_text(encoding="utf-8")
    assert f"ray=={cluster['rayVersion']} " in lock
    assert cluster["authOptions"] == {"mode": "token"}


def test_fold_runs_are_kept_off_the_head_and_find_a_gpu_each(job: Document) -> None:
    cluster = job["spec"]["rayClusterSpec"]
    assert cluster["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    (group,) = cluster["workerGroupSpecs"]
    assert group["minReplicas"] == group["replicas"] == 0 < group["maxReplicas"]
    resources = pods(job)[1]["containers"][0]["resources"]
    # Ray takes the limits for what a pod has.
    assert resources["limits"] == resources["requests"]
    assert resources["limits"]["nvidia.com/gpu"] == "1"


def test_all_pods_share_one_volume_that_many_may_write(job: Document, root: Path) -> None:
    claim, files = documents(root, "kuberay_files.yaml")
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    for pod in [*pods(job), files["spec"]]:
        (volume,) = pod["volumes"]
        assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
        (mount,) = pod["containers"][0]["volumeMounts"]
        assert mount == {"name": volume["name"], "mountPath": "/mnt/fer"}
        assert pod["securityContext"] == {"runAsUser": 1000, "fsGroup": 1000}


def test_the_job_is_our_search_in_words_that_a_submitter_can_pass_on(
    job: Document, capsys: pytest.CaptureFixture[str]
) -> None:
    entrypoint = job["spec"]["entrypoint"]
    assert not re.search(r"[;&|<>$`'\"\\\n]", entrypoint)
    command, name, *flags = shlex.split(entrypoint)
    assert (command, name) == ("/opt/fer-platform/fer", "tune")
    assert flags[flags.index("--address") + 1] == "auto"
    assert tune([*flags, "--print-config"]) == 0
    settings = yaml.safe_load(capsys.readouterr().out)
    assert (settings["gpus_per_run"], settings["stage2_constant_epochs"]) == ("auto", 100)


def test_a_lost_head_is_tried_again(job: Document) -> None:
    assert job["spec"]["backoffLimit"] > 0


def test_what_is_to_be_filled_in_is_marked(root: Path) -> None:
    texts = [(root / "clusters" / name).read_text() for name in ("kuberay.yaml", "kuberay_files.yaml")]
    assert set(re.findall(r"FILL_IN\w*", "".join(texts))) == {"FILL_IN_IMAGE", "FILL_IN_STORAGE_CLASS"}


def test_the_image_holds_the_checkout_where_the_job_looks_for_it(root: Path, job: Document) -> None:
    text = (root / "clusters/Dockerfile").read_text(encoding="utf-8")
    steps = [line.split(maxsplit=1) for line in text.splitlines() if re.match(r"[A-Z]+ ", line)]
    given = {}
    for name, words in steps:
        given.setdefault(name, []).append(words)
    assert given["WORKDIR"] == ["/opt/fer-platform"]
    assert job["spec"]["entrypoint"].startswith(f"{given['WORKDIR'][0]}/")
    assert given["ENV"] == ["PATH=/opt/fer-platform/.venv/bin:$PATH"]
    # The libraries before our own code, which changes more often.
    assert given["COPY"] == ["--chown=ray Makefile requirements.lock ./", "--chown=ray . ."]
    order = [name for name, words in steps if name == "COPY" or words == "make setup"]
    assert order == ["COPY", "RUN", "COPY"]
    minor = int(re.findall(r"FROM python:3\.(\d+)", text)[0])
    assert 11 <= minor <= 13
