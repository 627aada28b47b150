"""Records the histories that later versions of the workflow code must replay.

Run it once for a release: `python -m tests.replay.record VERSION TEMPORAL_ADDRESS`.
"""

import asyncio
import json
import sys
import threading
from pathlib import Path
from typing import Any

from temporalio.client import Client

from tests.fixtures.http_service import HttpService
from tests.replay.runs import record

HISTORIES = Path(__file__).parent / "histories"


async def main(version: str, address: str) -> None:
    """Writes `histories/VERSION/NAME.json`."""
    client = await Client.connect(address, identity="recorder")
    service = HttpService()
    threading.Thread(target=service.serve_forever, daemon=True).start()
    folder = HISTORIES / version
    folder.mkdir(exist_ok=True)
    for name, history in (await record(client, service.url)).items():
        text = json.dumps(_without_stack_traces(json.loads(history.to_json())), indent=1)
        (folder / f"{name}.json").write_text(text + "\n")


def _without_stack_traces(value: Any) -> Any:
    """A replay doesn't read them, and they name the files of this machine."""
    if isinstance(value, dict):
        return {k: _without_stack_traces(v) for k, v in value.items() if k != "stackTrace"}
    if isinstance(value, list):
        return [_without_stack_traces(item) for item in value]
    return value


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
