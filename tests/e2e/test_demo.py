"""`workflow-engine demo`, as a stranger sees it."""

import json
import os
import subprocess
import sys

from tests.patience import PATIENCE_SECONDS


def test_the_demo_runs_an_example_live_and_leaves_nothing_behind() -> None:
    # Settings of another stack must not matter.
    environment = {**os.environ, "TEMPORAL_ADDRESS": "127.0.0.1:1", "HTTP_PORT": "1"}
    process = subprocess.run(
        [sys.executable, "-m", "app", "demo"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE_SECONDS,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    created, _, output = process.stdout.partition("\n")
    assert created == "template examples/order-fulfilment 1.0.0 created (id 1)"
    assert json.loads(output)["result"] == "shipped"
    for task in ("/do/0/getOrder", "/do/5/pick", "/do/6/ship"):
        assert task in process.stderr
    assert process.stderr.splitlines()[-1] == "Stopping"
