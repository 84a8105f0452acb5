"""The probe of a cluster: one sentence for each thing that can be wrong, and no token in any."""

from __future__ import annotations

import dataclasses
import logging
import os
from pathlib import Path
from typing import Any

import pytest

from platform.distributed.connection_probe import Machine, probe, this_machine
from platform.errors import UserError
from tests.distributed.fake_store import NODE, FakeStore, free_port, listening, serving

SECRET = "0123456789abcdef" * 4
OWN = {"node_manager_hostname": "here", "is_head_node": True, "resources": {"CPU": 2.0}}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(
        environment={},
        home=tmp_path,
        versions=("2.60.0", "3.11.7"),
        running=lambda: ([], ""),
        node_ids=lambda: [NODE],
        autoscalers=lambda port: [],
        joining_seconds=0.0,
    )


def refused(machine: Machine, address: str) -> str:
    with pytest.raises(UserError) as error:
        probe(address, machine)
    text = str(error.value)
    assert "\n" not in text
    assert SECRET not in text + repr(error.value.__cause__) + repr(error.value.__context__)
    return text


def of(store: FakeStore) -> str:
    return f"127.0.0.1:{store.port}"


def test_a_cluster_that_answers_is_reached(machine: Machine) -> None:
    with serving(FakeStore(nodes=[OWN])) as store:
        here = dataclasses.replace(machine, running=lambda: ([of(store)], ""))
        found = probe("auto", here)
    assert (found.address, found.cluster_id, found.own_node.host) == (of(store), b"one", "here")
    assert found.words == f"auto ({of(store)})"
    assert found.startable == ()
    assert not found.store.token


def test_a_head_at_loopback_alone_is_told_from_one_where_ray_looks_for_it(machine: Machine) -> None:
    elsewhere = dataclasses.replace(machine, looked_for_at=lambda host: "127.0.0.2")
    with serving(FakeStore(nodes=[OWN])) as store:
        said = refused(elsewhere, of(store))
        assert said == (
            f"the cluster at {of(store)} listens at 127.0.0.1 alone, but Ray looks for it at 127.0.0.2, this "
            "machine's address; start its head without --node-ip-address."
        )
        same = dataclasses.replace(machine, looked_for_at=lambda host: "localhost")
        assert probe(of(store), same).own_node.host == "here"


def test_a_token_is_sent_only_where_it_is_wanted(machine: Machine) -> None:
    known = dataclasses.replace(machine, environment={"RAY_AUTH_TOKEN": SECRET})
    with serving(FakeStore(nodes=[OWN], token=SECRET)) as store:
        found = probe(of(store), known)
        assert found.store.token == SECRET
        assert SECRET not in repr(found)
    with serving(FakeStore(nodes=[OWN])) as store:
        assert not probe(of(store), known).store.token


def test_tokens_that_do_not_fit_are_told_apart(machine: Machine) -> None:
    def with_(**environment: str) -> Machine:
        return dataclasses.replace(machine, environment=environment)

    with serving(FakeStore(nodes=[OWN], token="another")) as store:
        assert "requires a token, but there is none here; copy the head's token to" in refused(
            machine, of(store)
        )
        wrong = refused(with_(RAY_AUTH_TOKEN=SECRET), of(store))
        assert wrong.startswith(f"the cluster at {of(store)} refuses the token from RAY_AUTH_TOKEN; copy")
        off = with_(RAY_AUTH_MODE="disabled", RAY_AUTH_TOKEN=SECRET)
        assert "requires a token, but RAY_AUTH_MODE is disabled here" in refused(off, of(store))
    with serving(FakeStore(nodes=[OWN])) as store:
        needless = refused(with_(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=SECRET), of(store))
        assert "takes no token, but RAY_AUTH_MODE is token here" in needless


@pytest.mark.parametrize(("ray", "python"), [("2.9.3", "3.11.7"), ("2.60.0", "3.10.12")])
def test_other_versions_are_named_on_both_sides(machine: Machine, ray: str, python: str) -> None:
    with serving(FakeStore(nodes=[OWN], ray=ray, python=python)) as store:
        text = refused(machine, of(store))
        assert f"runs Ray {ray} with Python {python}, and this command Ray 2.60.0 with Python 3.11.7" in text


def test_another_patch_version_of_python_is_allowed_where_ray_allows_it(machine: Machine) -> None:
    minor = dataclasses.replace(machine, environment={"RAY_DEFAULT_PYTHON_VERSION_MATCH_LEVEL": "minor"})
    with serving(FakeStore(nodes=[OWN], python="3.11.9")) as store:
        probe(of(store), minor)
        assert "Python 3.11.9" in refused(machine, of(store))


def test_a_machine_that_is_no_node_is_refused_with_the_nodes(machine: Machine) -> None:
    elsewhere = dataclasses.replace(machine, node_ids=lambda: ["cd" * 28])
    with serving(FakeStore(nodes=[OWN])) as store:
        text = refused(elsewhere, of(store))
    assert "this machine is none of the nodes of the cluster" in text
    assert "(here); run the command on the cluster's head" in text


def test_what_does_not_answer_is_said(machine: Machine) -> None:
    port = free_port()
    text = refused(machine, f"127.0.0.1:{port}")
    assert text == (
        f"no Ray cluster answers at 127.0.0.1:{port}: nothing listens there; start one with `ray up "
        "ray_cluster.yaml`, or leave out --address to use this machine alone."
    )
    assert "the name 'no-such-host.invalid' has no address" in refused(machine, "no-such-host.invalid:6379")
    with listening(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        assert "something else listens at 127.0.0.1" in refused(machine, f"127.0.0.1:{port}")
    assert "no node of a Ray cluster runs here" in refused(machine, "auto")


def test_no_token_is_logged(machine: Machine, caplog: Any, capfd: Any) -> None:
    caplog.set_level(logging.DEBUG)
    known = dataclasses.replace(machine, environment={"RAY_AUTH_TOKEN": SECRET})
    with serving(FakeStore(nodes=[OWN], token="another")) as store:
        refused(known, of(store))
    written = capfd.readouterr()
    assert SECRET not in caplog.text + written.out + written.err
    assert (written.out, written.err) == ("", "")


@pytest.mark.ray
@pytest.mark.timeout(300)
def test_a_real_cluster_is_reached_and_refuses_another_token(cluster: Any, tmp_path: Path) -> None:
    import ray

    address = ray.get_runtime_context().gcs_address
    found = probe(address)
    assert [node.resources["CPU"] for node in found.nodes] == [found.own_node.resources["CPU"]]
    assert found.own_node.node_id == ray.get_runtime_context().get_node_id()
    assert found.startable == ()
    strange = {**os.environ, "RAY_AUTH_TOKEN": "0" * 64}
    text = refused(dataclasses.replace(this_machine(), environment=strange), address)
    assert "refuses the token from RAY_AUTH_TOKEN" in text
