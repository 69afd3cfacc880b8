"""Charts: every label has its glyph, equal runs give equal files, nothing is computed twice."""

import warnings
from pathlib import Path

import pytest

import sim
from sim.figures import accounts, style, year_end, year_fan
from sim.figures.amounts import Language
from sim.figures.charts import CHARTS, draw_charts
from sim.runs.folder import StoredRun
from tests.worlds import project, write_world

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> StoredRun:
    driver = '[o]\ntitle = "o"\ndistribution = "uniform(0, 0.2)"\nacts_on = "report"\n'
    rows = [project("A", "2020-03-01", "2022-10-31", 900, 400, done_before_year=300,
                    funding="G:0.5;own:0.5")]  # fmt: skip
    folder = write_world(
        tmp_path_factory.mktemp("plan"), rows, "target = 450", driver,
        accounts=[{"id": "G", "name": "g", "class": "general_budget", "opening": 60,
                   "budget": 200}],
    )  # fmt: skip
    run = sim.simulate(sim.load_scenario(folder), replications=15)
    return sim.write_run(run, tmp_path_factory.mktemp("out"))


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("name", CHARTS)
def test_charts_have_every_glyph(
    stored: StoredRun, tmp_path: Path, name: str, language: Language
) -> None:
    """A missing glyph is a warning of matplotlib's, and warnings are errors here."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        CHARTS[name](stored, tmp_path / "chart.png", language)
    content = (tmp_path / "chart.png").read_bytes()
    assert content.startswith(PNG)
    assert len(content) > 20_000


def test_a_font_without_chinese_is_noticed(
    stored: StoredRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above can fail: with matplotlib's own font every Chinese label warns."""
    monkeypatch.setattr(style, "font_family", lambda: "DejaVu Sans")
    with pytest.warns(UserWarning, match="Glyph"):
        year_fan.draw_year_fan(stored, tmp_path / "chart.png", "zh")


def test_bold_is_shipped_too() -> None:
    from matplotlib import font_manager

    family = style.font_family()
    bold = font_manager.FontProperties(family=family, weight="bold")
    assert Path(font_manager.findfont(bold, fallback_to_default=False)).name.endswith("Bold.otf")


def test_equal_runs_give_equal_files(stored: StoredRun, tmp_path: Path) -> None:
    for name in ("one.png", "two.png"):
        year_end.draw_year_end(stored, tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_charts_that_are_there_are_left_alone(stored: StoredRun) -> None:
    draw_charts(stored, "zh")
    path = stored.folder / "figures" / "year_fan.zh.png"
    path.write_bytes(b"mine")
    draw_charts(stored, "zh")
    assert path.read_bytes() == b"mine"


def test_a_chart_appears_whole_or_not_at_all(
    stored: StoredRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder may be one that people read: a picture half drawn never bears its name."""
    seen: list[set[str]] = []

    def broken(_: StoredRun, path: Path, __: Language) -> None:
        path.write_bytes(PNG)
        seen.append({one.name for one in path.parent.glob("*.en.png") if one.name[0] != "."})
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(CHARTS, "year_end", broken)
    with pytest.raises(OSError, match="No space"):
        draw_charts(stored, "en")
    folder = stored.folder / "figures"
    assert seen == [{"year_fan.en.png"}]
    assert not [path.name for path in folder.iterdir() if "year_end.en" in path.name]
    monkeypatch.undo()
    draw_charts(stored, "en")
    assert (folder / "year_end.en.png").read_bytes().startswith(PNG)


def test_without_accounts_there_is_no_chart_of_them(tmp_path: Path) -> None:
    rows = [project("A", "2020-03-01", "2022-10-31", 900, 400, done_before_year=300)]
    folder = write_world(tmp_path / "plan", rows)
    free = sim.write_run(sim.simulate(sim.load_scenario(folder), replications=2), tmp_path)
    draw_charts(free, "en")
    drawn = {path.name for path in (free.folder / "figures").iterdir()}
    assert drawn == {"year_fan.en.png", "year_end.en.png", "causes.en.png"}
    assert "money is unlimited" in style.foot_note(free, "en")


def test_the_foot_note_says_what_holds_of_the_run(stored: StoredRun) -> None:
    assert "money is unlimited" not in style.foot_note(stored, "en")
    assert "资金不设上限" not in style.foot_note(stored, "zh")
    assert stored.manifest["fingerprint"] in style.foot_note(stored, "zh")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_year_in_which_all_is_paid(tmp_path: Path, language: Language) -> None:
    """No bar, no month that is worst: the title says so."""
    rows = [project("A", "2021-01-01", "2022-10-31", 900, 400, gates="none", funding="G:1")]
    folder = write_world(
        tmp_path / "plan", rows,
        accounts=[{"id": "G", "name": "g", "class": "general_budget", "opening": 10_000,
                   "budget": 400}],
    )  # fmt: skip
    rich = sim.write_run(sim.simulate(sim.load_scenario(folder), replications=2), tmp_path)
    titles: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accounts, "headings", lambda _, title, *__: titles.append(title))
        CHARTS["accounts"](rich, tmp_path / "chart.png", language)
    assert titles == [
        {"zh": "2021年各账户均能按期足额支付",
         "en": "In 2021 every account pays in full and in time"}[language]
    ]  # fmt: skip


def test_the_chart_of_accounts_names_the_worst_month(stored: StoredRun, tmp_path: Path) -> None:
    """Half of A is paid from an account that is empty by spring: most is unpaid in December."""
    titles: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accounts, "headings", lambda _, title, *__: titles.append(title))
        CHARTS["accounts"](stored, tmp_path / "chart.png", "en")
    assert "in Dec, chiefly general budget" in titles[0]
