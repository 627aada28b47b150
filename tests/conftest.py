"""Fixtures of all tests; each module under tests/fixtures brings one real part."""

pytest_plugins = [
    "tests.fixtures.chain",
    "tests.fixtures.envoy",
    "tests.fixtures.grpc_service",
    "tests.fixtures.postgres",
    "tests.fixtures.sql_database",
    "tests.fixtures.stub_server",
    "tests.fixtures.temporal",
]
