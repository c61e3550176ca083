import pytest

import mpt


@pytest.fixture(autouse=True)
def ctx():
    with mpt.Context(threads=1, seed=1) as ctx:
        yield ctx
