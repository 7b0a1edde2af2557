"""Fixtures for every test; what they are is said in tests/support."""

pytest_plugins = ["tests.support.servers"]
