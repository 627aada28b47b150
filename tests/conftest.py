"""Fixtures of all tests; each module under tests/fixtures brings one real part."""

pytest_plugins = [
    "tests.fixtures.envoy",
    "tests.fixtures.stub_server",
    "tests.fixtures.temporal",
]
