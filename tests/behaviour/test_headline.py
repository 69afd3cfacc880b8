"""The headline: what decides comes first, 80 columns hold it, and what adds up is seen to."""

import io
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

import sim
from sim.briefing import headline_tables
from sim.briefing.tables import folded
from sim.briefing.terminal import print_headline
from sim.briefing.words import TEXT
from sim.figures.amounts import Language
from sim.runs.folder import StoredRun
from tests.behaviour.test_outputs import money_world, store
from tests.worlds import project, write_world

LANGUAGES: tuple[Language, ...] = ("zh", "en")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return money_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def stored(world: Path, tmp_path_factory: pytest.TempPathFactory) -> StoredRun:
    out = tmp_path_factory.mktemp("out")
    poorer = ("accounts.L1.opening=100", "accounts.T1.opening=5")
    return store(world, out, 40, "levers.payment_rule=fifo", *poorer)


def printed(stored: StoredRun, language: Language, width: int = 80) -> list[str]:
    told = io.StringIO()
    print_headline(stored, Console(file=told, width=width), language)
    return [line.rstrip() for line in told.getvalue().splitlines()]


def table(lines: list[str], title: str) -> list[list[str]]:
    """Return the rows of a table below its heads, cells split where two blanks stand."""
    start = next(k for k, line in enumerate(lines) if line.startswith(title)) + 4
    rows = lines[start : lines.index("", start)]
    return [[cell for cell in row.strip().split("  ") if cell] for row in rows]


def number(cell: str) -> float:
    return float(cell.replace(",", ""))


@pytest.mark.parametrize("language", LANGUAGES)
def test_eighty_columns_hold_it(stored: StoredRun, language: Language) -> None:
    narrow, wide = printed(stored, language), printed(stored, language, 200)
    assert max(map(cell_len, narrow)) <= 80
    tables = [line for line in wide if line.startswith(" ")]
    assert len(tables) > 40
    assert [line for line in narrow if line.startswith(" ")] == tables, "a cell is broken"


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_decides_comes_first(stored: StoredRun, language: Language) -> None:
    lines, text = printed(stored, language), TEXT[language]
    titles = ("headline", "bridge", "execution", "short", "causes", "detail")
    starts = [text[key].partition("{")[0] or text[key][:6] for key in titles]
    places = [next(k for k, line in enumerate(lines) if line.startswith(one)) for one in starts]
    assert places == sorted(places)
    assert places[0] < 8
    heads = lines[places[0] + 2].split()
    assert [one for one in heads if one.startswith("P")] == ["P5", "P50", "P95"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_plan_leads_to_the_result(stored: StoredRun, language: Language) -> None:
    rows = table(printed(stored, language), TEXT[language]["bridge"][:6])
    plan, behind, growth, work, filing, reported = (number(row[-1]) for row in rows)
    assert plan + behind + growth == pytest.approx(work, abs=0.21)
    assert work + filing == pytest.approx(reported, abs=0.16)
    assert abs(behind) > 1
    found = stored.summary["year_end"]
    unit = {"万元": 1e4, "亿元": 1e8}[next(one for one in ("万元", "亿元") if one in
                                         printed(stored, "zh")[1])]  # fmt: skip
    assert work == pytest.approx(found["work_done"]["mean"] / unit, abs=0.06)
    assert reported == pytest.approx(found["reported"]["mean"] / unit, abs=0.06)


@pytest.mark.parametrize("most", [5, 2])
@pytest.mark.parametrize("language", LANGUAGES)
def test_arrears_add_up(
    stored: StoredRun, language: Language, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Accounts, owners and what waits for equity are all that is due and unpaid."""
    monkeypatch.setattr(headline_tables, "_HARDEST", most)
    text = TEXT[language]
    rows = table(printed(stored, language), text["short"][:6])
    amounts = {row[0]: number(row[-1]) for row in rows}
    total = amounts.pop(text["all_owed"])
    assert total == pytest.approx(stored.summary["arrears"]["mean"] / 1e4, abs=0.006)
    assert sum(amounts.values()) == pytest.approx(total, abs=0.005 * (len(amounts) + 1))
    december = [row for row in stored.table("accounts") if row["month"] == "2021-12"]
    unmet = {row["name"]: int(row["unmet_mean_yuan"]) / 1e4 for row in december}
    own = sum(unmet.pop(row["name"]) for row in december if row["class"] == "own")
    assert own > 0
    assert amounts[text["own"]] == pytest.approx(own, abs=0.006)
    elsewhere = sum(amount for name, amount in unmet.items() if name not in amounts)
    assert amounts[text["elsewhere"]] == pytest.approx(elsewhere, abs=0.006)
    assert (elsewhere > 1) == (most == 2)
    waits = stored.summary["arrears"]["mean"] / 1e4 - own - sum(unmet.values())
    assert waits > 1
    assert amounts[text["waits"]] == pytest.approx(waits, abs=0.006)
    assert min(amounts.values()) >= 0
    assert len(amounts) == 3 + min(most, 4)


@pytest.mark.parametrize("language", LANGUAGES)
def test_days_add_up(stored: StoredRun, language: Language) -> None:
    rows = table(printed(stored, language), TEXT[language]["causes"])
    causes = [row for row in stored.table("causes") if row["dimension"] == "all"]
    for column, key in ((1, "mean_days"), (2, "mean_days_by_plan")):
        *parts, total = (number(row[column]) for row in rows)
        assert sum(parts) == pytest.approx(total, abs=0.05 * (len(parts) + 1))
        assert total == pytest.approx(sum(float(row[key]) for row in causes), abs=0.051)
    assert len(rows) == 8


@pytest.mark.parametrize("language", LANGUAGES)
def test_changed_settings_are_named(
    stored: StoredRun, world: Path, tmp_path: Path, language: Language
) -> None:
    changed = ["levers.payment_rule=fifo", "accounts.L1.opening=100", "accounts.T1.opening=5",
               "run.sampling=plain"]  # fmt: skip
    line = {"zh": f"改动：{'；'.join(changed)}", "en": f"changed: {'; '.join(changed)}"}[language]
    assert line in printed(stored, language, 140)
    scenario = sim.load_scenario(world, [])
    plain = sim.write_run(sim.simulate(scenario, replications=1), tmp_path)
    assert not [one for one in printed(plain, language) if one.startswith(line[:3])]


class TestCertainty:
    """One road that is finished in time in every replication, whatever its cost."""

    @pytest.fixture(scope="class")
    def world(self, tmp_path_factory: pytest.TempPathFactory) -> Path:
        promise = {"id": "C1", "text": "完工", "strength": "must", "kind": "finish",
                   "projects": "A", "deadline": "2022-12-31"}  # fmt: skip
        return write_world(
            tmp_path_factory.mktemp("plan"),
            [project("A", "2021-01-01", "2021-12-31", 365, 365, gates="none", type="t")],
            'calendar = "continuous"\ntarget = 1',
            types=[{"type": "t", "cost": "uniform(0.9, 1.1)"}], commitments=[promise],
        )  # fmt: skip

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_what_always_happened_has_a_bound(
        self, world: Path, tmp_path: Path, language: Language
    ) -> None:
        """Ten replications tell no more than 1 - 0.05^(1/10) = 26 % on the other side."""
        lines = printed(store(world, tmp_path, 10), language)
        (kept,) = [line for line in lines if "完工" in line]
        assert kept.endswith("100% [≥74%]")
        told = "".join(lines).replace(" ", "")
        assert TEXT[language]["always"].format(count=10).replace(" ", "") in told

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_without_any_uncertainty_there_is_no_bound(
        self, world: Path, tmp_path: Path, language: Language
    ) -> None:
        sure = store(world, tmp_path, 10, "uncertainties.all=off")
        assert sure.summary["year_end"]["reported"]["sd"] == 0
        lines = printed(sure, language)
        (kept,) = [line for line in lines if "完工" in line]
        assert kept.split()[-1] == "100%"
        assert not [line for line in lines if "≥" in line or "≤" in line]
        assert TEXT[language]["certain"][:12] in " ".join(lines)
        assert TEXT[language]["few"].format(count=10)[:12] not in " ".join(lines)


def test_lines_are_folded_where_they_pause() -> None:
    line = "按批复概算：填报 P50 2,973 亿元，达标 38% [32%, 44%]；形象进度 P50 2,805 亿元。"
    for width in range(45, 100):
        parts = folded(line, width).split("\n")
        assert "".join(parts) == line
        assert all(cell_len(part) <= width for part in parts)
        assert all(part[-1] in "，；。" for part in parts)
    assert folded(line, 100) == line


def test_the_lines_of_the_headline_are(stored: StoredRun) -> None:
    wide, narrow = (
        [line for line in printed(stored, "zh", width) if line[:1].strip()] for width in (200, 60)
    )
    long = [line for line in wide if cell_len(line) > 60 and "，" in line]
    assert len(long) > 2
    for line in long:
        assert set(folded(line, 60).split("\n")) <= set(narrow), line


def test_months_are_told_by_quarter(stored: StoredRun) -> None:
    rows = table(printed(stored, "zh"), TEXT["zh"]["own_months"])
    assert [row[0] for row in rows] == ["3月", "6月", "9月", "12月"]
    assert rows[-1][1].strip() == "100%"
