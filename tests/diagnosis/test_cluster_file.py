"""A whole cluster file, as `python -m platform.doctor --cluster` looks at it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from platform.diagnosis.cluster_file import cluster_checks
from platform.diagnosis.finding import Finding, findings
from platform.doctor import main
from platform.errors import UserError
from tests.cluster_files import NAMES, filled_text


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with everything that the files copy, and no network: a call of a socket would raise."""
    for path in ("build/cluster-source", "home/.ray/auth_token", "home/.ssh/my-key.pem", "home/.ssh/my-key"):
        (tmp_path / path).mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    def none(*words: object, **more: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr("socket.socket.connect", none)
    return tmp_path


def found(place: Path, text: str) -> list[Finding]:
    (place / "cluster.yaml").write_text(text, encoding="utf-8")
    return list(findings(cluster_checks(place / "cluster.yaml", place)))


@pytest.mark.parametrize("name", NAMES)
def test_a_filled_in_file_gets_ticks_alone(root: Path, place: Path, name: str) -> None:
    made = found(place, filled_text(root, name))
    assert not [one for one in made if one.state != "ok"]
    assert len(made) >= 6


@pytest.mark.parametrize("name", NAMES)
def test_as_it_is_written_the_blanks_are_all_that_is_missing(root: Path, place: Path, name: str) -> None:
    made = found(place, (root / name).read_text(encoding="utf-8"))
    assert all(one.name.startswith("FILL_IN") for one in made if one.state != "ok")


def test_what_ray_refuses_ends_the_check(root: Path, place: Path) -> None:
    made = found(place, filled_text(root, NAMES[0]).replace("max_workers: 8\n", "max_worker: 8\n", 1))
    assert made[-1].value == "cluster.yaml: is no key that Ray knows; did you mean max_workers?"


def test_another_cloud_is_checked_as_far_as_it_is_known(root: Path, place: Path) -> None:
    text = filled_text(root, NAMES[0]).replace("type: aws", "type: gcp")
    assert [one.name for one in found(place, text) if one.state == "warning"] == ["provider"]


@pytest.mark.parametrize("text", ["- a\n", "", "a: ["])
def test_what_is_no_cluster_file_is_refused(place: Path, text: str) -> None:
    with pytest.raises(UserError, match=r"cluster\.yaml"):
        found(place, text)


def test_the_command_prints_a_line_for_each(
    root: Path, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--cluster", str(root / NAMES[0])]) == 1
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == (
        "✗ FILL_IN_REGION         ray_cluster.yaml, provider.region: put the AWS region, e.g. eu-central-1"
    )
    assert len([line for line in printed if line.startswith("✗ FILL_IN")]) == 5
    (place / "mine.yaml").write_text(filled_text(root, NAMES[0]))
    assert main(["--cluster", "mine.yaml", "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["format"] == "doctor"
    assert main(["--cluster", "mine.yaml"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith("`ray up` can take it")


def test_checks_of_the_machine_cannot_be_left_out_of_those_of_a_file(place: Path) -> None:
    with pytest.raises(UserError, match="--skip"):
        main(["--cluster", "mine.yaml", "--skip", "ray"])


def test_a_file_that_is_not_there_is_bad_input(place: Path) -> None:
    with pytest.raises(UserError, match=r"nothing\.yaml"):
        main(["--cluster", "nothing.yaml"])
