"""Facts of nodes of which some lack something, as environment variables of their raylets say."""

from __future__ import annotations

import os
from dataclasses import replace

from platform.runs.node_proof import Expected, NodeFacts, node_facts

AHEAD = "TEST_NODE_CLOCK_AHEAD_SECONDS"
"""Environment variable: by how much the node's clock is ahead."""


def facts_of_some(expected: Expected, node: str, offers_gpus: bool) -> NodeFacts:
    """As `node_facts`, on a node whose clock may be wrong."""
    facts = node_facts(expected, node, offers_gpus)
    return replace(facts, clock=facts.clock + float(os.environ.get(AHEAD, "0")))


def facts_of_other_code(expected: Expected, node: str, offers_gpus: bool) -> NodeFacts:
    """As `node_facts`, on a node with another checkout."""
    return replace(node_facts(expected, node, offers_gpus), code="f" * 64)
