"""What --address may say."""

from __future__ import annotations

import pytest

from platform.distributed.cluster_address import check_form, read_address
from platform.errors import UserError


def read(asked: str, environment: dict[str, str] | None = None, stores: tuple[str, ...] = (), last: str = ""):  # type: ignore[no-untyped-def]
    return read_address(asked, environment or {}, lambda: (list(stores), last))


@pytest.mark.parametrize(
    ("asked", "environment", "stores", "last", "found"),
    [
        ("10.0.0.1:6379", {}, (), "", ("10.0.0.1", 6379, "10.0.0.1:6379")),
        ("[::1]:6379", {}, (), "", ("::1", 6379, "[::1]:6379")),
        ("auto", {}, ("10.0.0.1:6379",), "", ("10.0.0.1", 6379, "auto (10.0.0.1:6379)")),
        ("auto", {}, ("a:1", "b:2"), "b:2", ("b", 2, "auto (b:2)")),
        ("auto", {}, ("a:1",), "gone:9", ("a", 1, "auto (a:1)")),
        ("auto", {"RAY_ADDRESS": "c:3"}, ("a:1",), "", ("c", 3, "auto (c:3, as RAY_ADDRESS says)")),
        ("d:4", {"RAY_ADDRESS": "c:3"}, ("a:1",), "", ("d", 4, "d:4")),
    ],
)
def test_an_address_is_a_place_or_the_cluster_of_this_machine(
    asked: str,
    environment: dict[str, str],
    stores: tuple[str, ...],
    last: str,
    found: tuple[str, int, str],
) -> None:
    made = read(asked, environment, stores, last)
    assert (made.host, made.port, made.words) == found


@pytest.mark.parametrize("asked", ["10.0.0.1", "local", "http://head:8265", "head:0", "head:99999", "a b:1"])
def test_what_is_no_place_is_refused_with_an_example(asked: str) -> None:
    with pytest.raises(UserError, match=r"takes auto or HOST:PORT of the control store, e\.g\. 10"):
        check_form(asked)
    check_form("auto")


def test_rays_client_is_refused_with_what_to_use_instead() -> None:
    with pytest.raises(UserError, match=r"on a node of the cluster, .* `ray job submit --address") as error:
        read("ray://user:secret@head:10001")
    assert "secret" not in str(error.value)
    with pytest.raises(UserError, match="as RAY_ADDRESS says"):
        read("auto", {"RAY_ADDRESS": "ray://head:10001"})


def test_auto_needs_exactly_one_cluster_here() -> None:
    with pytest.raises(
        UserError, match=r"no node of a Ray cluster runs here; start one \(`ray start --head`"
    ):
        read("auto", last="gone:9")
    with pytest.raises(UserError, match="there are 2: a:1, b:2; pass one of them"):
        read("auto", {}, ("b:2", "a:1"))
