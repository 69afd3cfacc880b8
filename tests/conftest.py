"""Options of the test suite."""

import pytest
from hypothesis import settings

# The same examples every time, so that a red run is red for everybody. To look for new ones:
# `pytest --hypothesis-profile explore`.
settings.register_profile("repeatable", derandomize=True)
settings.register_profile("explore", derandomize=False)
settings.load_profile("repeatable")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--slow-share",
        type=float,
        default=1.0,
        help="share of the repetitions of the slow checks (continuous integration: 0.1)",
    )


@pytest.fixture(scope="session")
def slow_share(request: pytest.FixtureRequest) -> float:
    """Share of the full number of repetitions that a slow check should make."""
    share = request.config.getoption("--slow-share")
    assert isinstance(share, float)
    return share
