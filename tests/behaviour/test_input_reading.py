"""How files are read: encodings, order of rows, hostile content, long lists."""

import random
from pathlib import Path

import pytest

import sim
from sim.plan.loading import load_plan, load_plan_with
from sim.plan.problems import Problem, errors_of
from tests.plans import FILES, replaced, write_plan

TABLES = [name for name in FILES if name.endswith(".csv")]


def errors_in(folder: Path) -> list[Problem]:
    """Return the errors of a plan folder; each can be told in one line."""
    found = errors_of(load_plan_with(folder, [])[2])
    for one in found:
        for language in ("zh", "en"):
            assert one.render(language).isprintable()
            assert len(one.render(language)) < 2000
    return found


def many(count: int, predecessor: str = "") -> str:
    """Return a projects.csv with many projects, each after the one before."""
    header = "id,name,total,annual_plan,planned_start,planned_finish,predecessors\n"
    dates = "2021-03-01,2021-09-30"
    first = f"Q0,Q0,100,10,{dates},{predecessor}\n"
    rest = "".join(f"Q{i},Q{i},100,10,{dates},Q{i - 1}\n" for i in range(1, count))
    return header + first + rest


def only(projects: str) -> dict[str, str | bytes | None]:
    """Leave out every table that names projects of the usual plan."""
    dropped = dict.fromkeys(["releases.csv", "commitments.csv", "correlations.csv"])
    return {**dropped, "projects.csv": projects}


class TestEncodings:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
    @pytest.mark.parametrize("newline", ["\n", "\r\n"])
    def test_same_plan_in_every_encoding(self, encoding: str, newline: str, tmp_path: Path) -> None:
        expected = load_plan(write_plan(tmp_path))
        files = {name: text.replace("\n", newline).encode(encoding) for name, text in FILES.items()}
        assert load_plan(write_plan(tmp_path, files)) == expected
        assert expected.projects[0].name == "一号路"

    @pytest.mark.parametrize("name", ["projects.csv", "plan.toml", "drivers.toml"])
    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
    def test_other_encodings_are_refused(self, name: str, encoding: str, tmp_path: Path) -> None:
        write_plan(tmp_path, {name: FILES[name].encode(encoding)})
        assert ("encoding", name) in {(one.code, one.file) for one in errors_in(tmp_path)}

    def test_latin_1_is_refused(self, tmp_path: Path) -> None:
        content = FILES["projects.csv"].replace("一号路", "Caf\xe9 ").replace("医院", "x")
        for chinese in ("二号路", "厂房", "仓库"):
            content = content.replace(chinese, "y")
        write_plan(tmp_path, {"projects.csv": content.encode("latin-1")})
        assert [one.code for one in errors_in(tmp_path)] == ["encoding"]

    def test_full_width_digits_and_separators_are_understood(self, tmp_path: Path) -> None:
        expected = load_plan(write_plan(tmp_path))
        changed = replaced("projects.csv", "1,1000,", "１,１０００,")["projects.csv"]
        changed = changed.replace("land;permit", "land；permit").replace("own:1,", "own：1,")
        assert load_plan(write_plan(tmp_path, {"projects.csv": changed})) == expected

    @pytest.mark.parametrize("text", ['"1,000"', "1e3", "1000.0", "+1000", " 1000 "])
    def test_ways_of_writing_an_amount(self, text: str, tmp_path: Path) -> None:
        changed = replaced("projects.csv", "1,1000,", f"1,{text},")
        assert load_plan(write_plan(tmp_path, changed)).projects[0].total == 10_000_000


class TestOrder:
    @pytest.mark.parametrize("seed", range(3))
    def test_order_of_rows_and_columns_does_not_matter(self, seed: int, tmp_path: Path) -> None:
        expected = load_plan(write_plan(tmp_path))
        shuffled: dict[str, str | bytes | None] = {}
        for name in TABLES:
            header, *rows = FILES[name].splitlines()
            random.Random(seed).shuffle(rows)
            shuffled[name] = "\n".join([header, *rows]) + "\n"
        assert load_plan(write_plan(tmp_path, shuffled)) == expected

    def test_columns_may_stand_in_any_order(self, tmp_path: Path) -> None:
        expected = load_plan(write_plan(tmp_path))
        turned = "\n".join(
            ",".join(reversed(line.split(","))) for line in FILES["accounts.csv"].splitlines()
        )
        assert load_plan(write_plan(tmp_path, {"accounts.csv": turned})) == expected

    def test_row_numbers_count_blank_and_broken_rows(self, tmp_path: Path) -> None:
        header, *rows = FILES["projects.csv"].splitlines()
        rows[4] = rows[4].replace("700", "x")
        text = "\n".join([header, "", rows[0], "1,2", ",,", *rows[1:]])
        found = errors_in(write_plan(tmp_path, {"projects.csv": text}))
        assert [(one.code, one.row) for one in found] == [("cell_count", 4), ("not_a_number", 9)]

    def test_a_cell_with_a_line_break_is_one_row(self, tmp_path: Path) -> None:
        changed = replaced("projects.csv", "一号路", '"一号\n路"')["projects.csv"]
        changed = changed.replace("700", "x")
        found = errors_in(write_plan(tmp_path, {"projects.csv": changed}))
        assert [(one.code, one.row) for one in found] == [("not_a_number", 6)]


class TestHostileContent:
    def test_text_that_looks_like_a_formula_is_text(self, tmp_path: Path) -> None:
        formula = "=cmd|' /C calc'!A0"
        changed = replaced("projects.csv", "一号路", formula)
        assert load_plan(write_plan(tmp_path, changed)).projects[0].name == formula

    def test_escapes_are_spelled_out(self, tmp_path: Path) -> None:
        changed = replaced("projects.csv", "continuing", "\x1b[2J\x07\u202e")
        (problem,) = errors_in(write_plan(tmp_path, changed))
        assert problem.code == "not_a_choice"
        assert r"\x1b[2J\x07\u202e" in problem.render("zh")

    @pytest.mark.parametrize("length", [1_000, 100_000, 200_000])
    @pytest.mark.parametrize(
        "old",
        ["一号路", "continuing", "P5,", "1,1000", "2020-03-01", "land;permit", "own:1",
         "pert(0.8, 1, 1.5)", "id,", "city,hospital"],
    )  # fmt: skip
    def test_very_long_cells(self, old: str, length: int, tmp_path: Path) -> None:
        changed = replaced("projects.csv", old, old.rstrip(",") + "9" * length + ",")
        assert errors_in(write_plan(tmp_path, changed))

    @pytest.mark.parametrize(
        "content",
        [b"\xff\xfe\x00", b"\0" * 100, b'"', b'"""', b"\r\r\r", b",\n,,\n", b"\xef\xbb\xbf",
         b"id" * 100_000, b"," * 300, b"[[[[", "，；：".encode(), b"id\n" + b"P" * 200_000],
    )  # fmt: skip
    @pytest.mark.parametrize("name", [*TABLES, "plan.toml", "drivers.toml"])
    def test_garbage_is_told_and_nothing_else(
        self, name: str, content: bytes, tmp_path: Path
    ) -> None:
        harmless = name == "drivers.toml" and content == b"\xef\xbb\xbf"
        found = errors_in(write_plan(tmp_path, {name: content}))
        assert bool(found) != harmless

    def test_names_that_no_file_can_have(self, tmp_path: Path) -> None:
        changed = replaced("drivers.toml", "normal(1.02, 0.03, 0.9, 1.2)", r"empirical(\u0000)")
        (problem,) = errors_in(write_plan(tmp_path, changed))
        assert (problem.code, problem.row) == ("not_a_distribution", 9)
        changed = replaced("projects.csv", "costs.txt", "x" * 5000)
        (problem,) = errors_in(write_plan(tmp_path, changed))
        assert (problem.code, problem.column) == ("not_a_distribution", "cost")


class TestManyProjects:
    def test_a_long_chain_is_no_cycle(self, tmp_path: Path) -> None:
        folder = write_plan(tmp_path, only(many(5000)))
        assert errors_in(folder) == []
        assert len(load_plan(folder).projects) == 5000

    def test_a_cycle_of_5000_is_told_once_and_shortly(self, tmp_path: Path) -> None:
        (problem,) = errors_in(write_plan(tmp_path, only(many(5000, "Q4999"))))
        assert (problem.code, problem.row) == ("cycle", 2)
        assert "(5000)" in problem.render("en")

    def test_every_wrong_reference_is_told(self, tmp_path: Path) -> None:
        text = many(1000).replace(",Q", ",X").replace(",X0,100", ",Q0,100")
        found = errors_in(write_plan(tmp_path, only(text)))
        assert [one.code for one in found] == ["unknown_reference"] * 999


def test_errors_survive_the_way_between_processes(tmp_path: Path) -> None:
    import pickle

    with pytest.raises(sim.InputError) as caught:
        sim.load_plan(write_plan(tmp_path, {"projects.csv": None}))
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.problems == caught.value.problems
    assert str(again) == str(caught.value)
    assert "projects.csv" in str(again)


@pytest.mark.parametrize("content", ["0,9\n1,0\n", "O.5\n1.0\n", "1,2\n", "cost\n1.0\nx\n"])
def test_a_sample_is_numbers_or_refused(tmp_path: Path, content: str) -> None:
    """A decimal comma is no separator of thousands; a mistyped first number is no header."""
    with pytest.raises(sim.InputError) as refused:
        sim.load_plan(write_plan(tmp_path, {"costs.txt": content}))
    assert {one.code for one in refused.value.problems} == {"not_a_distribution"}


def test_a_damaged_byte_is_told(tmp_path: Path) -> None:
    """GB18030 accepts almost any bytes: broken UTF-8 must not be read as it."""
    whole = FILES["projects.csv"].encode()
    place = whole.index("一号路".encode()) + 1
    folder = write_plan(tmp_path, {"projects.csv": whole[:place] + whole[place + 1 :]})
    with pytest.raises(sim.InputError) as refused:
        sim.load_plan(folder)
    assert [(one.code, one.file) for one in refused.value.problems] == [
        ("encoding", "projects.csv")
    ]


@pytest.mark.parametrize("name", ["gates", "slip", "duration"])
def test_stress_that_is_not_defined_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(sim.InputError) as refused:
        sim.load_scenario(write_plan(tmp_path), [f"uncertainties.{name}=stress"])
    assert {one.code for one in refused.value.problems if one.level == "error"} == {"not_a_choice"}
