"""Ports on this machine: is one free, which one is, and does somebody listen."""

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from app.failure import Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A port that a part wants, and the setting that names another one."""

    part: str
    host: str
    port: int
    setting: str


def check_free(claims: Sequence[Claim]) -> None:
    """Raises Failure with a line for each port that is taken, and a guess where all of them are."""
    taken = [
        f"port {claim.port} for {claim.part} is in use; free it or set {claim.setting} to another"
        for claim in claims
        if not _is_free(claim.host, claim.port)
    ]
    if len(taken) == len(claims) > 1:
        taken.append("another `up` seems to be running")
    if taken:
        raise Failure("\n".join(taken))


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: a connection of yesterday that lingers is no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


async def listens(address: str) -> bool:
    """Whether somebody takes connections at HOST:PORT."""
    host, _, port = address.rpartition(":")
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except OSError:
        return False
    writer.close()
    return True
