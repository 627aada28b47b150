"""Fixtures of all tests; each module under tests/fixtures brings one real part."""

pytest_plugins = [
    "tests.fixtures.chain",
    "tests.fixtures.envoy",
    "tests.fixtures.grpc_service",
    "tests.fixtures.http_service",
    "tests.fixtures.postgres",
    "tests.fixtures.processes",
    "tests.fixtures.repos",
    "tests.fixtures.sql_database",
    "tests.fixtures.stack",
    "tests.fixtures.temporal",
]
