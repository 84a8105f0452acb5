"""A run of two Train workers on a cluster of two nodes with one CPU each, for test_teams.py.

python -m tests.distributed.two_nodes DATA RUNS
"""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

from platform.distributed.ray_settings import QUIET, workers_environment

# Read when Ray is imported. The calling test's private cluster is closed to other machines; this one is not.
os.environ.update({**QUIET, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)})
os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "1"


def main() -> None:
    """Store the result in RUNS."""
    import ray
    from ray._private import services
    from ray.cluster_utils import Cluster

    from platform.distributed.ray_dispatcher import start_dispatcher
    from platform.runs.attempts import driver_folder
    from platform.runs.fold_tasks import plan_data
    from tests.distributed.test_teams import PLAN, team_task
    from tests.tiny_faces import tiny_configuration

    data_root, runs = sys.argv[1:]
    own = services.get_node_ip_address()
    head = {"num_cpus": 1, "include_dashboard": False, "node_ip_address": own}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    cluster.add_node(num_cpus=1, node_ip_address=own)
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
    finally:
        ray.shutdown()
        cluster.shutdown()


if __name__ == "__main__":
    main()
