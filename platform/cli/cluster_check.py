"""Check of the cluster that `--address` names, before a command draws data or plans."""

from __future__ import annotations

import argparse

from platform.config.configuration import Plan, plan_with


def check_cluster(arguments: argparse.Namespace, plan: Plan, automatic: frozenset[str]) -> list[str]:
    """Lines for a dry run: whether the cluster answers. Without --address there is nothing to check.

    automatic: settings that are `auto`, which the cluster decides later.
    UserError: the address is none, the cluster cannot be joined, or none of its nodes could ever run a fold
    run of the plan. A dry run only says that the cluster cannot be joined: it may be started later.
    """
    if arguments.address is None:
        return []
    from platform.distributed.connection_probe import NotReached, probe

    try:
        reached = probe(arguments.address)
    except NotReached as error:
        if not arguments.dry_run:
            raise
        return [f"cluster: a start would end at once: {error}"]
    reached.check(plan_with(plan, gpus_per_run=0.0) if "gpus_per_run" in automatic else plan)
    hosts = len({node.host for node in reached.nodes})
    return [f"cluster: {reached.words} answers, with {hosts} {'host' if hosts == 1 else 'hosts'}"]
