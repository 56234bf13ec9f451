"""Imported once, by the process that the children of `test_interruption` are forked from.

It has imported and compiled all that they need, but has no threads, and shows no progress: tqdm
would make a lock there for all children, and one killed while it holds it would stop the others.
"""

from pathlib import Path

import tests.data.test_interruption  # noqa: F401
from bubbleloc.physics import simulate_rf
from tests.conftest import planned

simulate_rf(planned(Path()).scene("train", 0))
