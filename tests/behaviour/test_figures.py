"""Charts: every label has its glyph, equal runs give equal files, nothing is computed twice."""

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import sim
from sim.figures import accounts, causes, style, year_end, year_fan
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
    engine = {"compiled": "编译引擎", "reference": "参考引擎"}[stored.manifest["engine"]]
    assert engine in style.foot_note(stored, "zh")


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
    assert "most in Dec, mean " in titles[0]
    assert titles[0].endswith("chiefly general budget")


def drawn(chart: str, stored: StoredRun, path: Path, module: Any, language: Language = "en") -> Any:
    """Draw a chart and return its axes."""
    seen: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "save", lambda figure, _: seen.append(figure.axes[0]))
        CHARTS[chart](stored, path, language)
    return seen[0]


def test_bars_of_the_chart_of_accounts_come_to_all_arrears(tmp_path: Path) -> None:
    """Half of A's claims are its loan's, which waits for the equity that is not there."""
    rows = [project("A", "2020-03-01", "2022-10-31", 900, 400, done_before_year=300,
                    funding="G:0.5;L:0.5")]  # fmt: skip
    money = [{"id": "G", "name": "g", "class": "general_budget", "opening": 60, "budget": 200},
             {"id": "L", "name": "l", "class": "loan", "opening": 900, "budget": 900}]  # fmt: skip
    folder = write_world(tmp_path / "plan", rows, accounts=money)
    poor = sim.write_run(sim.simulate(sim.load_scenario(folder), replications=3), tmp_path)
    axes = drawn("accounts", poor, tmp_path / "chart.png", accounts)
    owed = [int(row["mean_yuan"]) for row in poor.table("months")
            if row["measure"] == "arrears" and row["month"].startswith("2021-")]  # fmt: skip
    assert "debt that waits for equity" in [text.get_text() for text in axes.get_legend().texts]
    heights = [sum(bar.get_height() for bar in axes.patches if round(bar.get_center()[0]) == month)
               for month in range(1, 13)]  # fmt: skip
    assert heights == pytest.approx([one * heights[-1] / owed[-1] for one in owed])
    assert heights[-1] > 1.5 * axes.patches[11].get_height()


def test_a_year_without_a_day_lost(tmp_path: Path) -> None:
    """No axis of what rounding left over, and no number outside it."""
    rows = [project("A", "2021-01-01", "2021-10-31", 900, 400, gates="none")]
    folder = write_world(tmp_path / "plan", rows)
    plain = sim.write_run(sim.simulate(sim.load_scenario(folder), replications=2), tmp_path)
    axes = drawn("causes", plain, tmp_path / "chart.png", causes)
    assert axes.get_xlim() == (-1, 1)
    assert axes.figure.texts[0].get_text().startswith("No day lost or won")


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(("chart", "module"), [("year_fan", year_fan), ("year_end", year_end)])
def test_headings_fit_the_chart(
    chart: str, module: Any, language: Language, stored: StoredRun, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """With odds as long as they can be."""
    monkeypatch.setattr(module, "SMALL_SAMPLE", 1)
    long = {"value": 0.982, "low": 0.980, "high": 0.983}
    ends = {
        measure: found | {"probability_target_met": found["probability_target_met"] | long}
        for measure, found in stored.summary["year_end"].items()
    }
    told = replace(stored, summary={**stored.summary, "year_end": ends})
    figure = drawn(chart, told, tmp_path / "chart.png", module, language).figure
    for text in figure.texts:
        assert text.get_window_extent().x1 <= figure.bbox.x1, text.get_text()


def test_few_replications_tell_no_odds(stored: StoredRun, tmp_path: Path) -> None:
    axes = drawn("year_fan", stored, tmp_path / "chart.png", year_fan)
    told = " ".join(text.get_text() for text in axes.figure.texts)
    assert "Only 15 replications" in told
    assert "target met" not in told


@pytest.mark.parametrize(("count", "told"), [(29, False), (30, True)])
def test_the_year_end_tells_what_is_left_at_approved_prices(
    stored: StoredRun, count: int, told: bool, tmp_path: Path
) -> None:
    many = replace(stored, summary={**stored.summary, "replications": count})
    axes = drawn("year_end", many, tmp_path / "chart.png", year_end)
    net = stored.summary["net_of_growth"]["work_done"]
    met = f"{net['probability_target_met']['value']:.0%}"
    lines = [one.get_text() for one in axes.figure.texts if "Net of cost growth" in one.get_text()]
    assert len(lines) == told
    assert all(line.endswith(f"work done {net['p50'] / 1e4:,.0f}, {met}") for line in lines)


def lines_and_notes(values: tuple[float, float, float]) -> tuple[list[Any], list[Any], Any]:
    """Draw marks as the chart of the year-end does; return boxes of lines, of notes, of all."""
    import matplotlib

    with matplotlib.rc_context(style.settings()):
        figure, axes = style.new_chart()
        axes.set_xlim(min(values) - 1, max(values) + 1)
        axes.set_ylim(0, 10)
        notes = ("目标 3,000", "P50 3,118", "P50 3,283")
        marks = [
            year_end._Mark(value, note, "black", "solid")
            for value, note in zip(values, notes, strict=True)
        ]
        year_end._draw_marks(axes, marks, 10)
        figure.canvas.draw()
        return (
            [line.get_window_extent() for line in axes.lines],
            [text.get_window_extent() for text in axes.texts],
            axes.get_window_extent(),
        )


@pytest.mark.parametrize(
    "values",
    [(3000, 3099, 3283), (3150, 3118, 3283), (3500, 3118, 3283), (3000, 3000, 3000),
     (3283, 3282, 3281), (3000, 3000.5, 3001), (0, 3118, 3119)],
)  # fmt: skip
def test_no_line_of_the_year_end_runs_through_a_note(values: tuple[float, float, float]) -> None:
    lines, notes, chart = lines_and_notes(values)
    assert len(lines) == len(notes) == 3
    for note in notes:
        assert not any(note.overlaps(line) for line in lines)
        assert not any(note.overlaps(other) for other in notes if other is not note)
        assert (chart.x0 <= note.x0, note.x1 <= chart.x1) == (True, True)
        assert note.y1 <= chart.y1


def test_numbers_at_the_end_of_the_year_stand_apart() -> None:
    assert year_fan._apart([3108, 3273, 2377], 100) == [3108, 3273, 2377]
    assert year_fan._apart([3030, 3030, 2990], 100) == [3090, 3190, 2990]


def test_the_target_ends_where_the_numbers_begin(
    stored: StoredRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Any] = []
    monkeypatch.setattr(year_fan, "save", lambda figure, _: drawn.append(figure))
    year_fan.draw_year_fan(stored, tmp_path / "chart.png", "zh")
    (axes,) = drawn[0].axes
    drawn[0].canvas.draw()
    numbers = [one.get_window_extent() for one in axes.texts if one.get_text()[0].isdigit()]
    assert len(numbers) == 3
    for line in axes.lines:
        assert not any(number.overlaps(line.get_window_extent()) for number in numbers)


class TestChanges:
    """What `--set` changes is named on every chart; a scenario's own words are its title's."""

    @staticmethod
    def foot(stored: StoredRun, changes: list[tuple[str, str]], language: Language) -> str:
        named = [{"path": path, "old": "", "new": new} for path, new in changes]
        given = [path for path, _ in changes]
        manifest = {**stored.manifest, "changes": named, "overrides": given}
        return style.foot_note(replace(stored, manifest=manifest), language)

    def test_none(self, stored: StoredRun) -> None:
        told_elsewhere = [("run.seed", "7"), ("run.replications", "9"), ("run.workers", "2")]
        assert "改动" not in self.foot(stored, told_elsewhere, "zh")
        assert "changed" not in self.foot(stored, told_elsewhere, "en")

    def test_some(self, stored: StoredRun) -> None:
        changes = [("uncertainties.flood", "off"), ("run.sampling", "plain")]
        told = "改动：uncertainties.flood=off；run.sampling=plain"
        assert told in self.foot(stored, changes, "zh")
        told = "changed: uncertainties.flood=off; run.sampling=plain"
        assert told in self.foot(stored, changes, "en")

    def test_what_a_scenario_says_is_not_named(self, stored: StoredRun) -> None:
        named = [{"path": path, "old": "", "new": "off"} for path in ("levers.a", "levers.b")]
        manifest = {**stored.manifest, "changes": named, "overrides": ["levers.b.deep"]}
        foot = style.foot_note(replace(stored, manifest=manifest), "zh")
        assert "levers.b=off" in foot
        assert "levers.a" not in foot

    def test_many_are_counted(self, stored: StoredRun) -> None:
        changes = [(f"projects.LY-{k:04d}.duration", "lognormal(median=1)") for k in range(30)]
        assert "projects.LY-0001" not in self.foot(stored, changes, "zh").split("；")[-1]
        assert "等 30 项" in self.foot(stored, changes, "zh")
        assert "(30 in all)" in self.foot(stored, changes, "en")

    def test_a_long_one_is_cut(self, stored: StoredRun) -> None:
        foot = self.foot(stored, [("projects.P1.note", "长" * 500)], "zh")
        assert "projects.P1.note=长" in foot
        assert max(map(len, foot.splitlines())) < 150
        assert "长…" in foot


class TestOdds:
    @pytest.mark.parametrize(
        ("one", "told"),
        [
            ((0.5, 0.4, 0.6), "50% [40%, 60%]"),
            ((0.985, 0.98, 0.99), "98.5% [98.0%, 99.0%]"),
            ((1.0, 0.74113, 1.0), "100% [≥74%]"),
            ((0.0, 0.0, 0.25887), "0% [≤26%]"),
            ((1.0, 0.999707, 1.0), "100% [≥99.97%]"),
            ((0.0, 0.0, 0.000293), "0% [≤0.03%]"),
            ((1.0, 1.0, 1.0), "100%"),
        ],
    )
    def test_an_interval_or_a_bound(self, one: tuple[float, float, float], told: str) -> None:
        value, low, high = one
        assert style.odds({"value": value, "low": low, "high": high}) == told

    def test_what_is_certain_has_neither(self) -> None:
        assert style.odds({"value": 1.0, "low": 0.74, "high": 1.0}, certain=True) == "100%"
