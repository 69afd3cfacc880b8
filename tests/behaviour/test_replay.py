"""The event log: every line is one that a person can follow, in both languages."""

import datetime
import re
from pathlib import Path

import numpy as np
import pytest

import sim
from sim.briefing.replay import replay_lines
from sim.engine.rules import NEVER, Happening
from sim.engine.trajectory import Event
from sim.figures.amounts import Language
from sim.plan.rows import Plan
from sim.runs.replay import Replay, replay_one
from tests.behaviour.test_outputs import money_world
from tests.worlds import Row, project, write_world

LANGUAGES: tuple[Language, ...] = ("zh", "en")


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return sim.load_scenario(money_world(tmp_path_factory.mktemp("plan"))).plan


@pytest.fixture(scope="module")
def replay(plan: Plan) -> Replay:
    return replay_one(plan, 2021, 0)


def poor_town(folder: Path) -> Replay:
    """Replay a year that is known by hand.

    B waits for its first instalment (half of its year's 100) until money comes on 15 March; A's
    file holds the one place of the window until B's is ready, so that B queues.
    """
    gates: list[Row] = [
        {"procedure": "approval", "gate": "permit", "name": "施工许可", "preparation": "fixed(1)",
         "review": "fixed(15)", "window": "W"},
    ]  # fmt: skip
    rows = [
        project("A", "2021-02-01", "2021-12-31", 100, 100, gates="permit", funding="G:1"),
        project("B", "2021-02-01", "2021-12-31", 100, 100, gates="permit", funding="G:1",
                type="poor"),
    ]  # fmt: skip
    write_world(
        folder, rows, 'calendar = "continuous"', gates=gates,
        types=[{"type": "poor", "advance": 0.5}],
        windows=[{"window": "W", "name": "住建窗口", "places": 1}],
        accounts=[{"id": "G", "name": "市本级预算", "class": "general_budget", "opening": 9}],
        releases=[{"account": "G", "available": "2021-03-15", "amount": 150}],
    )  # fmt: skip
    return replay_one(sim.load_scenario(folder).plan, 2021, 0)


class TestByHand:
    """What the poor town's log says of B: dates, amounts, names, causes."""

    @pytest.fixture(scope="class")
    def town(self, tmp_path_factory: pytest.TempPathFactory) -> Replay:
        return poor_town(tmp_path_factory.mktemp("plan"))

    def test_chinese(self, town: Replay) -> None:
        lines = list(replay_lines(town, "B", "zh"))
        assert lines[0] == (
            "计划  B  B  计划开工 2021-02-01，计划竣工 2021-12-31，总投资 100.00 万元，"
            "年度计划 100.00 万元"
        )
        told = [line.split("  B  B  ")[1] for line in lines]
        assert "“施工许可”材料备齐，报送住建窗口" in told
        assert any(re.fullmatch(r"“施工许可”受理（排队 \d+ 天）", one) for one in told)
        assert any("其他条件已具备，首笔资本金未落实" in one for one in told)
        assert "2021-03-15  B  B  首笔资本金落实，留存 50.00 万元（市本级预算）" in lines
        assert "2021-03-31  B  B  支付 50.00 万元（市本级预算）" in lines
        started = next(line for line in lines if "开工，" in line)
        assert started.startswith("2021-03-15  B  B  开工，比计划晚 42 天：")
        # 42 days from 1 February to 15 March, all of them named.
        assert sum(int(days) for days in re.findall(r" \+(\d+) 天", started)) == 42
        assert "等待资本金 +" in started

    def test_english(self, town: Replay) -> None:
        lines = list(replay_lines(town, "B", "en"))
        assert (
            "2021-03-15  B  B  first instalment secured, 500,000 yuan set aside (市本级预算)"
            in (lines)
        )
        assert any("file ready for 'permit', handed in at window 'W'" in line for line in lines)
        assert any(re.search(r"'permit' under review \(queued for \d+ days\)", x) for x in lines)
        assert any("started, 42 days later than planned: " in line for line in lines)

    def test_money_that_is_nobodys(self, town: Replay) -> None:
        assert "2021-03-15  资金  到账 150.00 万元（市本级预算）" in list(replay_lines(town))
        assert all("  资金  " not in line for line in replay_lines(town, "B"))

    def test_what_is_unfinished_says_so(self, town: Replay) -> None:
        of_a = list(replay_lines(town, "A"))
        assert any("  A  A  完工，" in line for line in of_a)
        assert not any(line.startswith("期末") for line in of_a)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_finish_names_its_causes_and_they_add_up(replay: Replay, language: Language) -> None:
    late = {"zh": r"完工，比计划(晚|早) (\d+) 天：", "en": r"finished, (\d+) days (later|earlier)"}
    found = 0
    for one in replay.projects:
        for line in replay_lines(replay, one.id, language):
            match = re.search(late[language], line)
            if match is None:
                continue
            found += 1
            sign = -1 if {"早", "earlier"} & set(match.groups()) else 1
            total = sign * int(next(part for part in match.groups() if part.isdigit()))
            finished = datetime.date.fromisoformat(line[:10])
            assert (finished - one.planned_finish).days == total
            parts = [float(part) for part in re.findall(r" ([+-][\d.]+)", line)]
            assert len(parts) > 1
            assert sorted(parts, key=abs, reverse=True) == parts
            # Each part is rounded to a tenth, and parts below a twentieth are left out.
            assert sum(parts) == pytest.approx(total, abs=0.05 * 14)
    assert found >= 3


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("happening", Happening)
def test_every_happening_has_its_words(
    replay: Replay, happening: Happening, language: Language
) -> None:
    """No placeholder left, no number lost, each happening told apart from the others."""
    one = Event(31, 1, 0, happening, 1_230_000, 0)
    told = [
        next(iter(replay_lines(_with(replay, event), language=language)))
        for event in (one, *(one._replace(happening=other) for other in Happening))
    ]
    line = told[0]
    assert told.count(line) == 2  # itself, and among all the others once
    assert line.startswith("2021-02-01  P1  P1  ")
    assert "{" not in line
    chinese = re.search(r"[\u4e00-\u9fff]", line.split("  ", 3)[3])
    assert bool(chinese) == (language == "zh")


def _with(replay: Replay, event: Event) -> Replay:
    values = {name: getattr(replay, name) for name in Replay.__slots__}
    return Replay(**values | {"events": (event,)})


@pytest.mark.parametrize("language", LANGUAGES)
def test_rates_say_why(replay: Replay, language: Language) -> None:
    words = {"zh": ("放缓", "恢复正常", "赶工"), "en": ("slow", "back to normal", "accelerates")}
    for rate, word in zip((700_000, 1_000_000, 1_200_000), words[language], strict=True):
        event = Event(31, 9, 0, Happening.RATE_SET, rate, -1)
        line = next(iter(replay_lines(_with(replay, event), language=language)))
        assert f"{rate / 10_000:.1f}%" in line
        assert word in line


def test_small_amounts_are_not_rounded_away(replay: Replay) -> None:
    for amount, shown in ((37, "37 元"), (999, "999 元"), (1_000, "0.10 万元")):
        event = Event(31, 7, 0, Happening.OWED, amount, -1)
        assert shown in next(iter(replay_lines(_with(replay, event), language="zh")))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_last_line_counts_what_is_open(replay: Replay, language: Language) -> None:
    *_, last = replay_lines(replay, language=language)
    open_ones = [
        int((getattr(replay.trajectory, name) == NEVER).sum()) for name in ("start", "finish")
    ]
    assert [int(number) for number in re.findall(r"\d+", last)] == open_ones


def test_a_project_that_never_starts_says_so(tmp_path: Path) -> None:
    rows = [project("A", "2021-02-01", "2021-12-31", 100, 100, gates="none", funding="G:1",
                    type="poor")]  # fmt: skip
    write_world(
        tmp_path, rows, types=[{"type": "poor", "advance": 0.5}],
        accounts=[{"id": "G", "name": "g", "class": "general_budget"}],
    )  # fmt: skip
    story = replay_one(sim.load_scenario(tmp_path).plan, 2021, 0)
    assert list(replay_lines(story, "A", "zh"))[-1] == "期末  A  A  模拟期末仍未开工"
    assert list(replay_lines(story, "A", "en"))[-1] == "horizon  A  A  not started by the horizon"


def test_titles_of_calendar_causes(tmp_path: Path) -> None:
    """The plan's own name comes first, then the title of the driver, then the code."""
    calendar: list[Row] = [
        {"season": "*", "from": "02-04", "to": "02-20", "availability": 0.1, "cause": cause}
        for cause in ("named", "driven", "bare")
    ]
    drivers = "".join(
        f'[{name}_driver]\ntitle = "{name}题"\ntitle_en = "{name} title"\n'
        f'distribution = "fixed(9)"\nacts_on = "calendar"\ncause = "{name}"\n'
        for name in ("named", "driven")
    )
    write_world(
        tmp_path, [project("A", "2021-02-01", "2021-12-31", 100, 100, gates="none")],
        "", drivers, calendar=calendar,
    )  # fmt: skip
    plan_file = tmp_path / "plan.toml"
    plan_file.write_text(plan_file.read_text() + '[causes]\nnamed = "自有名称"\n', encoding="utf-8")
    titles = replay_one(sim.load_scenario(tmp_path).plan, 2021, 0).cause_titles
    assert titles == {
        "calendar_bare": {"zh": "bare", "en": "bare"},
        "calendar_driven": {"zh": "driven题", "en": "driven title"},
        "calendar_named": {"zh": "自有名称", "en": "named title"},
    }


def test_every_cause_has_a_column_of_days(replay: Replay) -> None:
    columns = np.hstack([replay.trajectory.waits, replay.trajectory.causes]).shape[1]
    assert len(replay.causes) == columns
