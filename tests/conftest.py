"""Options of the test suite."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from sim.engine.compiled import run_compiled
from sim.figures import charts
from sim.runs import simulate
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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let what hardly needs the engine come last.

    Of two workers the second begins there: it need not compile, in a fresh clone, what the first
    is compiling.
    """
    items.sort(key=lambda item: item.path.parent.name in ("architecture", "unit"))


@pytest.fixture(scope="session", autouse=True)
def temporary_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Folders made by `tempfile`, as for drawn plans that have no `tmp_path`, go in the end."""
    usual, folder = tempfile.tempdir, tmp_path_factory.mktemp("temporary")
    tempfile.tempdir = str(folder)
    yield
    tempfile.tempdir = usual
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def part(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two districts of the Luoyang plan, with all its years: small enough to be calibrated."""
    folder = tmp_path_factory.mktemp("part")
    return cut_luoyang(folder, ("laocheng", "chanhe"), "2024-12-31") / "baseline.toml"


@pytest.fixture
def told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs told by the kernels alone, with the same numbers: on the whole plan in a tenth of time.

    Nearly all of a short run is the reference engine's: the baseline, and three replications told
    again. That both engines tell the same, and that every run looks, is tested in
    `agreement/test_engines.py` and `behaviour/test_compiled_runs.py`.
    """
    monkeypatch.setattr(simulate, "chosen_of", lambda _: ())
    monkeypatch.setattr(simulate, "run_reference", run_compiled)


@pytest.fixture
def no_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs written without charts, which take two thirds of the time of a small one."""
    monkeypatch.setattr(charts, "CHARTS", {})


@pytest.fixture(scope="session")
def slow_share(request: pytest.FixtureRequest) -> float:
    """Share of the full number of repetitions that a slow check should make."""
    share = request.config.getoption("--slow-share")
    assert isinstance(share, float)
    return share
