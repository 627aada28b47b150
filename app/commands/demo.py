"""`demo`: the whole of it for a moment, with an example that runs live."""

import asyncio
import json
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from app import execution_output
from app.commands import apply, executions
from app.embedded.child import Child
from app.embedded.ports import free_port, listens
from app.embedded.stack import embedded_stack
from app.failure import Failure
from app.logging import configure_logging
from app.process import run_until_signal
from app.settings import Settings, load_settings

_EXAMPLES = Path(__file__).parents[2] / "examples"
_EXAMPLE = _EXAMPLES / "order-fulfilment"
_SERVICE_START_LIMIT = timedelta(seconds=10)
_SERVICE_STOP_GRACE = timedelta(seconds=1)
_console = Console(stderr=True, highlight=False)


def demo() -> None:
    """Runs an example on a stack of its own, on free ports, which leaves nothing behind."""
    if not _EXAMPLE.is_dir():
        raise Failure(f"the demo runs an example from the repository; there is no {_EXAMPLE}")
    configure_logging(level="warning", format="text", output=sys.stderr)
    logging.getLogger(execution_output.__name__).setLevel(logging.CRITICAL)  # it shows the run
    with TemporaryDirectory(prefix="workflow-engine-") as state:
        stopping = partial(_console.print, "Stopping")
        run_until_signal(_demo(_settings(Path(state))), say=stopping)


async def _demo(settings: Settings) -> None:
    example = json.loads(_example_file("input.json"))
    async with (
        embedded_stack(settings, say=_console.print) as stack,
        example_service(settings.state_directory / "logs" / "service.log") as service,
    ):
        _console.print(f"HTTP at {stack.http_url}, Temporal at {stack.settings.temporal_ui_url}")
        server = stack.grpc_address
        definition = _EXAMPLE / "workflow.yaml"
        if not await asyncio.to_thread(
            apply.apply, [definition], server=server, namespace="", output="table"
        ):
            raise Failure(f"{definition} can't be applied")
        await asyncio.to_thread(
            executions.run,
            server=server,
            namespace="examples",
            name="order-fulfilment",
            version="",
            alias="",
            input=json.dumps({**example, "shop": service}),
            follow=True,
            output="json",
        )
        _console.print("Stopping")


def _settings(state: Path) -> Settings:
    """Of this stack alone: what the environment says of a database or a Temporal isn't meant."""
    return Settings.model_construct(
        state_directory=state,
        temporal_binary=load_settings().temporal_binary,
        temporal_port=free_port(),
        temporal_ui_port=free_port(),
        http_port=free_port(),
        grpc_address=f"127.0.0.1:{free_port()}",
        metrics_address=f"127.0.0.1:{free_port()}",
    )


def _example_file(name: str) -> str:
    return (_EXAMPLE / name).read_text(encoding="utf-8")


@asynccontextmanager
async def example_service(log: Path) -> AsyncIterator[str]:
    """The service that the examples call; gives its URL."""
    port = free_port()
    command: list[str | Path] = [sys.executable, _EXAMPLES / "service.py", "--port", str(port)]
    child = Child.start(name="the example's service", command=command, log=log)
    try:
        await child.until(lambda: listens(f"127.0.0.1:{port}"), within=_SERVICE_START_LIMIT)
        yield f"http://127.0.0.1:{port}"
    finally:
        await child.stop(grace=_SERVICE_STOP_GRACE)
