"""Options of the test suite."""

from pathlib import Path

import pytest
from hypothesis import settings

from tests.cutting import cut_luoyang

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
        help="share of the repetitions of the slow checks (continuous integration: 0.05)",
    )


@pytest.fixture(scope="module")
def part(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two districts of the Luoyang plan, with all its years: small enough to be calibrated."""
    folder = tmp_path_factory.mktemp("part")
    return cut_luoyang(folder, ("laocheng", "chanhe"), "2024-12-31") / "baseline.toml"


@pytest.fixture(scope="session")
def slow_share(request: pytest.FixtureRequest) -> float:
    """Share of the full number of repetitions that a slow check should make."""
    share = request.config.getoption("--slow-share")
    assert isinstance(share, float)
    return share
