"""Probe of the cluster that `--address` names, before data are drawn and before Ray's own client connects.

It answers within PROBE_SECONDS, with one sentence for each thing that can be wrong. Ray's own client takes
one to four minutes for some of them, and prints lines of C++.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platform.config.configuration import Plan
from platform.distributed.cluster_address import ON_THE_HEAD, Address, check_form, read_address
from platform.distributed.cluster_token import HOW_TO_GIVE, MODE, token_here
from platform.distributed.control_store import (
    ControlStore,
    ControlStoreError,
    NotTheStore,
    StoreNode,
    TokenRefused,
    check_listens,
)
from platform.distributed.node_types import (
    REPORTED_KEY,
    REPORTED_NAMESPACE,
    NodeType,
    autoscaler_files,
    startable_types,
)
from platform.distributed.placement_check import refuse_impossible
from platform.errors import UserError

PROBE_SECONDS = 15.0
"""Upper bound: a name, a connection and an answer of TIMEOUT_SECONDS each; then answers of a live store."""
JOINING_SECONDS = 10.0
"""For the node of this machine, where it has just been started."""
START_ONE = "start one with `ray up ray_cluster.yaml`, or leave out --address to use this machine alone"
MATCH_LEVEL = "RAY_DEFAULT_PYTHON_VERSION_MATCH_LEVEL"
"""Ray's environment variable: `minor` allows another patch version of Python."""


class NotReached(UserError):
    """The cluster cannot be joined as things are."""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What a probe looks at on this machine."""

    environment: Mapping[str, str]
    home: Path
    versions: tuple[str, str]
    """Of Ray and Python."""
    running: Callable[[], tuple[list[str], str]]
    """As for `read_address`."""
    node_ids: Callable[[], Iterable[str]]
    """Ray nodes that run here, of any cluster."""
    autoscalers: Callable[[int], list[Path]] = autoscaler_files
    looked_for_at: Callable[[str], str] = lambda host: host
    """Where Ray's own client looks for a host: it replaces loopback by this machine's address."""
    joining_seconds: float = JOINING_SECONDS


@dataclass(frozen=True, kw_only=True)
class Reached:
    """A cluster that can be connected to."""

    words: str
    """As the user gave it."""
    address: str
    """As `ray.init` takes it."""
    store: ControlStore
    cluster_id: bytes
    nodes: tuple[StoreNode, ...]
    startable: tuple[NodeType, ...]
    own_node: StoreNode
    """The node of this machine to which the command connects."""

    def check(self, plan: Plan) -> None:
        """UserError: no node, and none that the autoscaler may add, could ever run a fold run of the plan."""
        refuse_impossible(plan, self.nodes, self.startable, self.words)


def this_machine() -> Machine:
    """The machine of this process."""
    import ray

    python = ".".join(map(str, sys.version_info[:3]))
    return Machine(
        environment=os.environ,
        home=Path.home(),
        versions=(ray.__version__, python),
        running=_running,
        node_ids=_node_ids,
        looked_for_at=_looked_for_at,
    )


def _running() -> tuple[list[str], str]:
    from ray._private import services, utils

    find: Any = services.find_gcs_addresses
    find.cache_clear()
    return sorted(find()), utils.read_ray_address() or ""


def _looked_for_at(host: str) -> str:
    from ray._private import services

    replaced: str = services.resolve_ip_for_localhost(host)
    return replaced


def _node_ids() -> Iterable[str]:
    from ray._private import services

    return services.find_node_ids()


def probe(asked: str, machine: Machine | None = None) -> Reached:
    """The cluster at `asked` (`auto`, HOST:PORT). NotReached in PROBE_SECONDS: why nothing can run there.

    UserError: `asked` is neither.
    """
    check_form(asked)
    try:
        return _reached(asked, machine or this_machine())
    except UserError as error:
        raise NotReached(str(error)) from error


def _reached(asked: str, machine: Machine) -> Reached:
    address = read_address(asked, machine.environment, machine.running)
    try:
        store, cluster_id = _admitted(address, machine)
        _check_versions(store.versions(), machine, address.words)
        _check_place(store, machine, address.words)
        nodes, own = _nodes_with_own(store, machine, address.words)
        reported = store.value(REPORTED_KEY, REPORTED_NAMESPACE)
    except ControlStoreError as error:
        raise _unreachable(address, error) from error
    return Reached(
        words=address.words,
        address=store.address,
        store=store,
        cluster_id=cluster_id,
        nodes=tuple(nodes),
        startable=startable_types(reported, machine.autoscalers(address.port)),
        own_node=own,
    )


def follow(reached: Reached, environment: MutableMapping[str, str] = os.environ) -> None:
    """Let Ray in this process use tokens as the cluster does. Ray itself asks RAY_AUTH_MODE alone."""
    from ray import _raylet

    environment[MODE] = "token" if reached.store.token else "disabled"
    core: Any = _raylet
    core.Config.initialize("")  # it may have read the environment before
    core.AuthenticationTokenLoader.instance().reset_cache()


def _admitted(address: Address, machine: Machine) -> tuple[ControlStore, bytes]:
    """The store, with the token that it wants, and its cluster.

    UserError: a token that is not wanted, missing or wrong.
    """
    mode = machine.environment.get(MODE, "").lower()
    store = ControlStore(address.host, address.port)
    try:
        cluster_id = store.cluster_id()
    except TokenRefused:
        return _with_token(address, machine, mode)
    if mode == "token":
        raise UserError(
            f"the cluster at {address.words} takes no token, but {MODE} is token here, so that its workers "
            f"could not answer this command; start the cluster with {MODE}=token on every node, or unset it "
            "here if nobody else reaches the cluster's ports."
        )
    return store, cluster_id


def _with_token(address: Address, machine: Machine, mode: str) -> tuple[ControlStore, bytes]:
    if mode == "disabled":
        raise UserError(
            f"the cluster at {address.words} requires a token, but {MODE} is disabled here; unset it, or set "
            "it to token."
        )
    token = token_here(machine.environment, machine.home)
    if token is None:
        raise UserError(
            f"the cluster at {address.words} requires a token, but there is none here; {HOW_TO_GIVE}."
        )
    store = ControlStore(address.host, address.port, token.value)
    try:
        return store, store.cluster_id()
    except TokenRefused:
        raise UserError(
            f"the cluster at {address.words} refuses the token from {token.source}; {HOW_TO_GIVE}."
        ) from None


def _check_versions(cluster: tuple[str, str] | None, machine: Machine, words: str) -> None:
    """UserError: another Ray or Python; Ray refuses them too."""
    if cluster is None:
        return
    (ray, python), (own_ray, own_python) = cluster, machine.versions
    parts = 2 if machine.environment.get(MATCH_LEVEL) == "minor" else 3
    if ray == own_ray and python.split(".")[:parts] == own_python.split(".")[:parts]:
        return
    raise UserError(
        f"a cluster and its commands must have the same versions, but the cluster at {words} runs Ray {ray} "
        f"with Python {python}, and this command Ray {own_ray} with Python {own_python}; start the cluster "
        "with the .venv of this checkout (`make setup` on every node)."
    )


def _check_place(store: ControlStore, machine: Machine, words: str) -> None:
    """UserError: Ray's own client looks for the store in another place, where it would wait for minutes."""
    place = machine.looked_for_at(store.host)
    if place == store.host:
        return
    try:
        check_listens(place, store.port)
    except ControlStoreError:
        raise UserError(
            f"the cluster at {words} listens at {store.host} alone, but Ray looks for it at {place}, this "
            "machine's address; start its head without --node-ip-address."
        ) from None


def _nodes_with_own(
    store: ControlStore, machine: Machine, words: str, sleep: Callable[[float], None] = time.sleep
) -> tuple[list[StoreNode], StoreNode]:
    """The cluster's nodes and the one of this machine, the head first. UserError: none runs here."""
    waited = 0.0
    while True:
        here, nodes = set(machine.node_ids()), store.nodes()
        own = sorted((node for node in nodes if node.node_id in here), key=lambda node: not node.is_head)
        if own:
            return nodes, own[0]
        if waited >= machine.joining_seconds:
            break
        sleep(1.0)
        waited += 1.0
    hosts = sorted({node.host or node.ip for node in nodes})
    shown = ", ".join(hosts[:5]) + (f" and {len(hosts) - 5} more" if len(hosts) > 5 else "")
    raise UserError(
        f"a search must be started on a node of its cluster, but this machine is none of the nodes of the "
        f"cluster at {words} ({shown or 'none is up'}); {ON_THE_HEAD}."
    )


def _unreachable(address: Address, error: ControlStoreError) -> UserError:
    if isinstance(error, NotTheStore):
        return UserError(
            f"--address takes the port of the control store (6379, unless `ray start --port` says "
            f"otherwise), but something else listens at {address.words}; 8265 is the dashboard, and 10001 "
            "Ray's client."
        )
    if isinstance(error, TokenRefused):  # it was accepted a moment before
        return UserError(f"the cluster at {address.words} was replaced while it was asked; run it again.")
    return UserError(f"no Ray cluster answers at {address.words}: {error}; {START_ONE}.")
