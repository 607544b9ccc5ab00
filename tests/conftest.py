import os

import pytest
from hypothesis import settings

# With CI set every run draws the same examples: a change is judged by itself, not by
# luck. Elsewhere each run looks somewhere new. How long an example takes says something
# of the machine, and nothing else.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("here", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(scope="session", autouse=True)
def _jupyter_data_directory(tmp_path_factory):
    """Keep what no test names, keys and answers, out of the account's own folders."""
    before = os.environ.get("JUPYTER_DATA_DIR")
    os.environ["JUPYTER_DATA_DIR"] = str(tmp_path_factory.mktemp("jupyter_data"))
    yield
    del os.environ["JUPYTER_DATA_DIR"]
    if before is not None:
        os.environ["JUPYTER_DATA_DIR"] = before
