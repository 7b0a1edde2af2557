"""The api in process, on a fresh database for each test."""

from tests.api.in_process import api as api
