"""An address is told from a path, and a password in it is not shown."""

from __future__ import annotations

import pytest

from platform.errors import UserError
from platform.files.addresses import is_address, refuse_address, without_secret


@pytest.mark.parametrize(
    "text",
    [
        "s3://bucket/runs", "gs://bucket", "https://host/x.yaml", "http://host", "file:///data", "file:/data",
        "S3://bucket", "s3:/bucket/runs", "az+x://y", "released:s3://bucket/weights.npz",
    ],
)  # fmt: skip
def test_addresses(text: str) -> None:
    assert is_address(text)


@pytest.mark.parametrize(
    "text",
    ["runs", "/shared/runs", "./a b/c", "~/runs", "method.py:Class", "released:/data/x.npz", "a=1e-4", "",
     "-", "/mnt/s3/runs", "synthetic:20", "C:\\runs", "own", "10,0.1"],
)  # fmt: skip
def test_paths_and_other_words(text: str) -> None:
    assert not is_address(text)
    refuse_address(text, "--runs")


def test_the_sentence_has_rule_value_and_remedy_but_no_password() -> None:
    with pytest.raises(UserError) as refused:
        refuse_address("https://me:s3cret@host/runs", "--runs")
    assert str(refused.value) == (
        "files and folders must lie on a disk or a mounted file system, but --runs is 'https://me@host/runs'"
        "; mount a shared POSIX file system (NFS, EFS, FSx) on every node and pass the path of its folder, "
        "or copy the files here with the cloud's own tool (aws s3 sync, gsutil rsync)."
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("mysql://u:se@cr/et@host/db", "mysql://u@host/db"),
        ("x://host:5432/db", "x://host:5432/db"),
        ("x://u@host/db", "x://u@host/db"),
        ("no address", "no address"),
    ],
)
def test_only_the_password_goes(text: str, shown: str) -> None:
    assert without_secret(text) == shown
