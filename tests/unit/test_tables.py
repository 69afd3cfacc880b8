"""Cells of tables: what is read from each kind of text, and the bounds of what can be drawn."""

import datetime
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.plan.cells import Converter, extremes, month_day
from sim.plan.configuration import TomlFile
from sim.plan.language import parse_distribution
from sim.plan.problems import Problem, meant, nearest, nearest_place
from sim.plan.tables import RawTable, decode, fields_of

TABLES = ["projects", "accounts", "releases", "types", "gates", "windows", "calendar", "risks",
          "commitments", "correlations"]  # fmt: skip


def convert(table: str, cells: dict[str, str], unit: str = "万元") -> dict[str, object]:
    """Convert one sound row."""
    problems: list[Problem] = []
    raw = RawTable(f"{table}.csv", [cells], [2])
    (row,) = Converter(Path("."), unit, problems).rows(raw, table)
    assert row is not None, problems
    return row


def refused(table: str, cells: dict[str, str]) -> list[str]:
    """Return the codes of the problems of one row."""
    problems: list[Problem] = []
    raw = RawTable(f"{table}.csv", [cells], [2])
    assert Converter(Path("."), "万元", problems).rows(raw, table) == [None]
    return [one.code for one in problems]


ACCOUNT = {"id": "A", "name": "a", "class": "loan"}


@pytest.mark.parametrize(
    ("text", "unit", "yuan"),
    [("1", "元", 1), ("0.0001", "万元", 1), ("1,234.5", "万元", 12_345_000),
     ("2", "亿元", 2 * 10**8), ("100000000", "万元", 10**12), ("-0", "万元", 0), ("", "万元", 0)],
)  # fmt: skip
def test_amounts_are_exact_yuan(text: str, unit: str, yuan: int) -> None:
    assert convert("accounts", {**ACCOUNT, "opening": text}, unit)["opening"] == yuan


@given(st.integers(0, 10**12))
def test_every_yuan_survives(yuan: int) -> None:
    text = f"{yuan // 10**4}.{yuan % 10**4:04d}"
    assert convert("accounts", {**ACCOUNT, "opening": text})["opening"] == yuan


@pytest.mark.parametrize("text", ["2021-03-05", "2021/3/5", "2021-3-05"])
def test_dates(text: str) -> None:
    row = convert("releases", {"account": "A", "available": text, "amount": "1"})
    assert row["available"] == datetime.date(2021, 3, 5)
    assert row["issued"] is None


def test_days_of_a_year() -> None:
    assert month_day("02-29") == (2, 29)
    for text in ("02-30", "13-01", "0-1", "2021-01-01", "1-1-1", ""):
        with pytest.raises(ValueError, match=r"^.*$"):
            month_day(text)


def test_shares_are_exact() -> None:
    row = convert("types", {"type": "t", "funding": "own:1/3; loan:0.5;A1:1/6"})
    assert row["funding"] == (
        ("own", Fraction(1, 3)), ("loan", Fraction(1, 2)), ("A1", Fraction(1, 6)),
    )  # fmt: skip
    assert refused("types", {"type": "t", "funding": "own:0.333333333333333333;loan:2/3"}) == [
        "shares_do_not_sum"
    ]


@pytest.mark.parametrize("share", ["1e9", "inf", "nan", "-1", "1/0", "1/00", "0x1", "1_0", "1//2"])
def test_shares_that_are_none(share: str) -> None:
    assert refused("types", {"type": "t", "funding": f"own:{share}"}) == ["not_funding"]


def test_blank_cells_take_their_defaults() -> None:
    row = convert("types", {"type": "t"})
    assert row["cost"] == row["duration"] == parse_distribution("fixed(1)")
    assert (row["pay_ratio"], row["advance_recovery"], row["funding"]) == (1, (0, 0), ())


def test_a_missing_column_is_told_once_not_of_every_row() -> None:
    problems: list[Problem] = []
    raw = RawTable("accounts.csv", [{"id": "A", "name": "a"}] * 2, [2, 3])
    assert Converter(Path("."), "元", problems).rows(raw, "accounts") == [None, None]
    assert [one.code for one in problems] == ["duplicate_id"]


@settings(deadline=None)  # the first of them loads what reads distributions
@given(st.text(), st.sampled_from(TABLES), st.data())
def test_any_text_in_any_cell_is_read_or_told(text: str, table: str, data: st.DataObject) -> None:
    column = data.draw(st.sampled_from(sorted(fields_of(table))))
    problems: list[Problem] = []
    raw = RawTable(f"{table}.csv", [{column: text}], [2])
    Converter(Path("."), "万元", problems).rows(raw, table)
    for one in problems:
        assert one.render("zh").isprintable()
        assert one.render("en").isprintable()


@given(st.binary())
def test_any_bytes_decode_or_do_not(content: bytes) -> None:
    text = decode(content)
    assert text is None or "\0" not in text


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [("fixed(3)", 3, 3), ("uniform(2, 4)", 2, 4), ("discrete(1:0.5, 9:0.5)", 1, 9),
     ("chance(0, fixed(7))", 0, 0), ("chance(0.1, fixed(7))", 0, 7)],
)  # fmt: skip
def test_extremes(text: str, low: float, high: float) -> None:
    assert extremes(parse_distribution(text)) == pytest.approx((low, high))


def test_extremes_of_absurd_distributions_are_infinite_and_silent() -> None:
    assert extremes(parse_distribution("lognormal(1, 1e15)"))[1] == float("inf")
    assert extremes(parse_distribution("weibull(1e-9, 1)"))[1] == float("inf")


def test_every_column_is_described() -> None:
    for table in TABLES:
        for name, one in fields_of(table).items():
            assert one.zh, (table, name)
            assert one.meaning, (table, name)
            assert one.minimum <= one.maximum
            if one.kind == "choice":
                assert one.choices
            if one.default:
                row = {n: "x" for n, other in fields_of(table).items() if other.required}
                problems: list[Problem] = []
                raw = RawTable("x.csv", [{**row, name: one.default}], [2])
                Converter(Path("."), "元", problems).rows(raw, table)
                assert name not in {problem.column for problem in problems}
    with pytest.raises(KeyError):
        fields_of("nothing")


class TestNearest:
    def test_the_one_that_looks_alike(self) -> None:
        assert nearest("taget", ["target", "name"]) == "target"

    def test_none_where_none_does(self) -> None:
        assert nearest("zzz", ["b", "a"]) == ""
        assert nearest("zzz", []) == ""
        assert nearest("zzz", [f"{i:09d}" for i in range(1000)]) == ""

    def test_all_are_named_where_a_key_is_near_to_none(self) -> None:
        assert meant("taget", ["target", "name"]) == {"nearest": "target", "known": ""}
        assert meant("zzz", ["b", "a"]) == {"nearest": "", "known": "a, b"}

    def test_of_paths_the_first_part_that_is_not_there(self, tmp_path: Path) -> None:
        for name in ("city-2021", "village"):
            (tmp_path / name).mkdir()
        (tmp_path / "city-2021" / "baseline.toml").touch()
        for wrong, right in (
            ("city-2012/baseline.toml", "city-2021"),
            ("city-2021/baselin.toml", "city-2021/baseline.toml"),
        ):
            assert nearest_place(tmp_path / wrong) == str(tmp_path / right)
        assert nearest_place(tmp_path / "zzz") == ""
        assert nearest_place(tmp_path / "village" / "x") == ""  # nothing stands there
        assert nearest_place(Path("zzz\0")) == ""

    def test_a_file_in_place_of_a_folder_is_not_its_own_neighbour(self, tmp_path: Path) -> None:
        (tmp_path / "plan").touch()
        assert nearest_place(tmp_path / "plan") == ""

    def test_among_thousands(self) -> None:
        words = [f"LY-{i:04d}" for i in range(5000)]
        assert nearest("LY-2500x", words) == "LY-2500"


class TestLines:
    TEXT = """\
name = "x"
[flood]
title = "[not a table]"
  distribution= "fixed(1)"
[flood.exposure]
by = "type"
["a.b"]
"c.d" = 1
e.f = 2
[[g]]
h = 1
["i,j"]
k = [
  ["l", 'm', 0.1],
  ["l", "n", 2]
]
o = 1
"""

    @pytest.mark.parametrize(
        ("path", "row"),
        [(["name"], 1), (["flood"], 2), (["flood", "distribution"], 4), (["flood", "none"], 2),
         (["flood", "exposure", "by"], 6), (["a.b"], 7), (["a.b", "c.d"], 8),
         (["a.b", "e", "f"], 9), (["g", "h"], 11), (["i,j", "o"], 17),
         (["nothing"], None), ([], None)],
    )  # fmt: skip
    def test_line_of_a_key(self, path: list[str], row: int | None) -> None:
        assert TomlFile("x.toml", {}, self.TEXT).row(path) == row

    @given(st.text())
    def test_any_text_has_lines(self, text: str) -> None:
        TomlFile("x.toml", {}, text).row(["a", "b"])
