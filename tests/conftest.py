"""Fixtures of all tests; each module under tests/fixtures brings one real part."""

import pytest

pytest_plugins = [
    "tests.fixtures.authority",
    "tests.fixtures.a2a_agent",
    "tests.fixtures.chain",
    "tests.fixtures.container_engine",
    "tests.fixtures.envoy",
    "tests.fixtures.grpc_peer",
    "tests.fixtures.grpc_service",
    "tests.fixtures.http_service",
    "tests.fixtures.mcp_server",
    "tests.fixtures.message_service",
    "tests.fixtures.nats_server",
    "tests.fixtures.postgres",
    "tests.fixtures.processes",
    "tests.fixtures.repos",
    "tests.fixtures.run_service",
    "tests.fixtures.scheduled_service",
    "tests.fixtures.sql_database",
    "tests.fixtures.stack",
    "tests.fixtures.team_worker",
    "tests.fixtures.temporal",
    "tests.fixtures.terminal",
]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Shows the figures that tests have measured, from whichever process they ran in."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "figures":
                terminalreporter.write_line(str(value))
