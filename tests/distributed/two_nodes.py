"""A run of two Train workers on a cluster of two nodes with one CPU each, for test_teams.py.

python -m tests.distributed.two_nodes DATA RUNS
"""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

from platform.distributed.ray_settings import QUIET, workers_environment

# Read when Ray is imported.
os.environ.update({**QUIET, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)})


def main() -> None:
    """Store the result in RUNS."""
    import ray
    from ray.cluster_utils import Cluster

    from platform.distributed.ray_dispatcher import start_dispatcher
    from platform.runs.attempts import driver_folder
    from platform.runs.fold_tasks import plan_data
    from tests.distributed.test_teams import PLAN, team_task
    from tests.tiny_faces import tiny_configuration

    data_root, runs = sys.argv[1:]
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    cluster.add_node(num_cpus=1)
    try:
        ray.init(
            address=cluster.address,
            log_to_driver=False,
            runtime_env={"env_vars": workers_environment()},
        )
        nodes = ray.nodes()
        assert [node["Resources"]["CPU"] for node in nodes] == [1, 1], nodes
        assert not ray.util.get_node_ip_address().startswith("127.")
        one = team_task(plan_data(Path(data_root), "synthetic", tiny_configuration(), PLAN, search=True))
        dispatcher = start_dispatcher(PLAN, Path(runs), None, driver_folder(Path(runs)))
        (manifest,) = ray.get(dispatcher.run.remote([one]), timeout=500)
        assert manifest["status"] == "complete", manifest
        assert ray.get(dispatcher.snapshot.remote())["slots"] == 1
        ray.shutdown()
    finally:
        cluster.shutdown()


if __name__ == "__main__":
    main()
