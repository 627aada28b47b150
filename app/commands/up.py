"""`up`: all of it on this machine."""

from functools import partial

from rich.console import Console

from app.embedded.stack import Stack, embedded_stack, on_loopback
from app.logging import configure_logging
from app.process import run_until_signal
from app.settings import Settings

_console = Console(stderr=True, highlight=False)


def up(settings: Settings) -> None:
    """Runs it until a signal, or until a part of it ends."""
    settings = on_loopback(settings)
    configure_logging(level=settings.log_level, format=settings.log_format)
    run_until_signal(_up(settings), say=partial(_say_stopping, settings))


async def _up(settings: Settings) -> None:
    async with embedded_stack(settings, say=_console.print) as stack:
        for name, address in _addresses(stack):
            _console.print(f"  {name:<10} {address}")
        if kinds := stack.settings.processes:
            _console.print(
                f"[bold red]Definitions may run {' and '.join(kinds)} processes on this machine. "
                "PROCESSES=none turns that off."
            )
        _console.print("Ready. Ctrl-C stops all of it.")
        await stack.until_failure()


def _say_stopping(settings: Settings) -> None:
    _console.print(
        f"Stopping; calls in flight get up to {settings.drain_seconds:g} s. "
        "Ctrl-C again stops at once."
    )


def _addresses(stack: Stack) -> list[tuple[str, str]]:
    settings = stack.settings
    temporal = settings.temporal_ui_url or settings.temporal_address
    return [
        ("HTTP", f"{stack.http_url}/api/v1/templates"),
        ("gRPC", stack.grpc_address),
        ("Temporal", temporal),
        ("Metrics", f"http://{settings.metrics_address}/metrics"),
        ("State", str(settings.state_directory)),
    ]
