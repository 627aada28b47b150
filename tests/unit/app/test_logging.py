import asyncio
import json
import logging
from collections.abc import Iterator
from typing import Literal

import pytest
import structlog

from app.logging import configure_logging


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Logging is a matter of the whole process: it is left as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers = []
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def test_json_is_one_line_an_event_from_ours_and_from_libraries(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging(level="info", format="json")
    structlog.contextvars.bind_contextvars(request_id="r-1")
    structlog.get_logger("ours").info("served", code="OK")
    structlog.contextvars.clear_contextvars()
    logging.getLogger("library").warning("low on %s", "space", extra={"left": 3})
    ours, library = map(json.loads, capsys.readouterr().out.splitlines())
    assert ours.pop("timestamp").endswith("Z")
    assert ours == {
        "event": "served",
        "code": "OK",
        "request_id": "r-1",
        "level": "info",
        "logger": "ours",
    }
    assert library["event"] == "low on space"
    assert (library["logger"], library["left"]) == ("library", 3)


def test_text_is_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(level="info", format="text")
    structlog.get_logger("ours").info("served", code="OK")
    assert capsys.readouterr().out.partition(" ")[2].split() == [
        "[info",
        "]",
        "served",
        "code=OK",
    ]


def test_text_names_the_logger_of_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(level="info", format="text")
    structlog.get_logger("ours").warning("slow")
    logging.getLogger("library").error("broken")
    slow, broken = capsys.readouterr().out.splitlines()
    assert "[ours]" in slow
    assert "[library]" in broken


def called(method: str, code: str) -> None:
    log = structlog.get_logger("access")
    log.info("rpc", method=f"/service/{method}", code=code, request_id="r-1")


def test_text_leaves_out_what_went_well_and_only_read(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(level="info", format="text")
    called("GetExecution", "OK")
    called("ListExecutions", "OK")
    called("StartExecution", "OK")
    called("GetExecution", "NOT_FOUND")
    started, missing = capsys.readouterr().out.splitlines()
    assert "StartExecution" in started
    assert "r-1" not in started
    assert "NOT_FOUND" in missing
    assert "r-1" in missing


@pytest.mark.parametrize(("level", "format"), [("debug", "text"), ("info", "json")])
def test_calls_that_read_are_there_for_programs_and_for_debugging(
    level: str, format: Literal["json", "text"], capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging(level=level, format=format)
    called("GetExecution", "OK")
    assert "GetExecution" in capsys.readouterr().out


def test_what_is_below_the_level_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(level="warning", format="json")
    structlog.get_logger("ours").info("served")
    logging.getLogger("library").info("started")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("format", ["json", "text"])
def test_a_trace_shows_no_values_of_variables(
    format: Literal["json", "text"], capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging(level="info", format=format)
    password = "-".join(["very", "secret"])
    try:
        int(password[:0])
    except ValueError:
        structlog.get_logger("ours").exception("failed")
    shown = capsys.readouterr().out
    assert "ValueError" in shown
    assert "very-secret" not in shown


@pytest.mark.parametrize(("error", "lines"), [(asyncio.CancelledError(), 0), (ValueError("x"), 1)])
def test_a_cancelled_activity_is_no_failure(
    error: BaseException, lines: int, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging(level="info", format="json")
    log = logging.getLogger("temporalio.activity")
    log.warning("Completing activity as failed ({'attempt': 1})", exc_info=error)
    assert len(capsys.readouterr().out.splitlines()) == lines


def test_what_else_is_cancelled_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(level="info", format="json")
    for name, text in (("ours", "Completing activity as failed"), ("temporalio.activity", "lost")):
        logging.getLogger(name).warning(text, exc_info=asyncio.CancelledError())
    assert len(capsys.readouterr().out.splitlines()) == 2
