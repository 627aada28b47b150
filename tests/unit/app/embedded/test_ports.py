import socket

import pytest

from app.embedded.ports import Claim, check_free, free_port, listens
from app.failure import Failure


def claim(port: int, part: str = "Envoy", setting: str = "HTTP_PORT") -> Claim:
    return Claim(part=part, host="127.0.0.1", port=port, setting=setting)


def test_free_ports_are_no_obstacle() -> None:
    check_free([claim(free_port())])


def test_each_taken_port_is_a_line() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as first,
        socket.create_server(("127.0.0.1", 0)) as second,
    ):
        one, two = first.getsockname()[1], second.getsockname()[1]
        with pytest.raises(Failure) as failure:
            check_free([claim(one), claim(free_port()), claim(two, "metrics", "METRICS_ADDRESS")])
    assert failure.value.message.splitlines() == [
        f"port {one} for Envoy is in use; free it or set HTTP_PORT to another",
        f"port {two} for metrics is in use; free it or set METRICS_ADDRESS to another",
    ]


def test_another_up_is_guessed_where_all_ports_are_taken() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as first,
        socket.create_server(("127.0.0.1", 0)) as second,
    ):
        claims = [claim(server.getsockname()[1]) for server in (first, second)]
        with pytest.raises(Failure) as failure:
            check_free(claims)
    assert failure.value.message.splitlines()[2:] == ["another `up` seems to be running"]


def test_a_connection_that_lingers_is_no_obstacle() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port))
        accepted, _ = server.accept()
        accepted.close()  # the server's side closes first, and waits for stragglers
        client.close()
    check_free([claim(port)])


async def test_it_is_told_whether_somebody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert await listens(f"127.0.0.1:{port}")
    assert not await listens(f"127.0.0.1:{port}")
