"""One node for the folder; what a test does is taken back after it."""

from tests.standards.fixtures import ground as ground
from tests.standards.fixtures import grown as grown
