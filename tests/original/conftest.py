"""Models that are built, run and saved once for all tests of this folder."""

import pytest

from tests.original import models


@pytest.fixture(scope="session")
def saved(tmp_path_factory):
    """Return a function: a builder of ``models`` to what was saved of it."""
    made = {}

    def get(build):
        if build not in made:
            made[build] = models.save(build, tmp_path_factory.mktemp(build.__name__))
        return made[build]

    return get
