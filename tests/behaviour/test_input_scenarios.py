"""Scenarios: what they change on a plan, what is logged, and where mistakes are told."""

from pathlib import Path

import pytest

import sim
from sim.plan.problems import Problem
from sim.plan.scenario import Scenario, load_scenario
from tests.plans import replaced, write_plan

ABOUT = '[about]\ntitle = "试验"\n'


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """Write the plan."""
    return write_plan(tmp_path / "plan")


def write(folder: Path, name: str, text: str) -> Path:
    """Write a scenario file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def problems_of(path: Path, *overrides: str) -> list[Problem]:
    """Return the problems of a scenario that cannot be loaded."""
    with pytest.raises(sim.InputError) as caught:
        load_scenario(path, overrides)
    for one in caught.value.problems:
        assert one.render("zh").isprintable()
        assert one.render("en").isprintable()
    return list(caught.value.problems)


def only(problems: list[Problem]) -> tuple[str, str, str, str]:
    """Return code, file, column and value of a single problem."""
    (one,) = problems
    return one.code, one.file, one.column, one.value


class TestOverrides:
    def test_every_section(self, plan: Path) -> None:
        loaded = load_scenario(
            plan,
            [
                "projects.P4.total=950",
                "projects.P1.funding=general_budget:0.5;loan:0.5",
                "projects.P5.planned_finish=2022-02-28",
                "accounts.A1.budget=1000.5",
                "types.road.acceptance_days=fixed(12)",
                "types.plant.season=site",
                "uncertainties.prices.state=stress",
                "uncertainties.prices.stress=normal(1.2, 0.01, 0.9, 1.5)",
                "uncertainties.dependence.city=0.2",
                "uncertainties.slip=off",
                "run.seed=7",
                "run.replications=12",
            ],
        )
        projects = {one.id: one for one in loaded.plan.projects}
        assert projects["P4"].total == 9_500_000
        assert [str(share) for _, share in projects["P1"].funding] == ["1/2", "1/2"]
        assert str(projects["P5"].planned_finish) == "2022-02-28"
        assert loaded.plan.accounts[0].budget == 10_005_000
        assert loaded.plan.types["road"].acceptance_days.parameters == (12,)
        prices = next(one for one in loaded.plan.drivers if one.name == "prices")
        assert (prices.state, prices.active.parameters[0]) == ("stress", 1.2)
        assert loaded.plan.dependence.city == 0.2
        assert loaded.plan.states["slip"] == "off"
        assert (loaded.options.seed, loaded.options.replications) == (7, 12)

    def test_the_log_names_path_old_and_new(self, plan: Path) -> None:
        loaded = load_scenario(
            plan,
            ["projects.P4.total=950", "projects.P4.arrears=5", "uncertainties.prices.state=off",
             "uncertainties.all=on", "uncertainties.dependence.city=0.2"],
        )  # fmt: skip
        assert set(loaded.changes) == {
            ("uncertainties.all", "on", "on"),
            ("uncertainties.prices", "on", "off"),
            ("uncertainties.dependence.city", "0.1", "0.2"),
            ("projects.P4.total", "900", "950"),
            ("projects.P4.arrears", "", "5"),
        }
        assert load_scenario(plan).changes == ()

    def test_a_batch_is_moved_as_one(self, tmp_path: Path) -> None:
        shared = replaced("releases.csv", "A2,2021-01,2021-01-20", "A2,2021-01,2021-01-18")
        plan = write_plan(tmp_path / "plan", shared)
        loaded = load_scenario(plan, ["releases.2021-01.available=2021-04-22"])
        days = {(one.account, one.batch): str(one.available) for one in loaded.plan.releases}
        assert days == {
            ("A1", "2021-01"): "2021-04-22",
            ("A2", "2021-01"): "2021-04-22",
            ("A1", "2021-02"): "2021-02-15",
        }
        moved = ("releases.2021-01.available", "2021-01-15;2021-01-18", "2021-04-22")
        assert loaded.changes == (moved,)

    def test_what_is_wrong_with_a_batch_is_told_once(self, plan: Path) -> None:
        path = "releases.2021-01.available"
        told = only(problems_of(plan, f"{path}=soon"))
        assert told == ("not_a_date", "--set", path, "soon")

    def test_the_last_of_two_counts(self, plan: Path) -> None:
        loaded = load_scenario(plan, ["projects.P4.total=950", "projects.P4.total=960"])
        assert loaded.changes == (("projects.P4.total", "900", "960"),)

    def test_all_off_then_one_on(self, plan: Path) -> None:
        loaded = load_scenario(plan, ["uncertainties.prices=on", "uncertainties.all=off"])
        assert loaded.plan.states["prices"] == "on"
        assert loaded.plan.states["cost"] == "off"

    def test_a_state_leaves_other_changes_of_the_same_uncertainty(
        self, plan: Path, tmp_path: Path
    ) -> None:
        text = ABOUT + '[uncertainties.prices]\nstress = "fixed(1.3)"\n'
        path = write(plan, "s.toml", text)
        loaded = load_scenario(path, ["uncertainties.prices=stress"])
        prices = next(one for one in loaded.plan.drivers if one.name == "prices")
        assert prices.active.parameters == (1.3,)

    def test_ids_with_dots(self, tmp_path: Path) -> None:
        folder = write_plan(tmp_path, replaced("projects.csv", "P4,", "P4.b,") | replaced(
            "correlations.csv", "P4", "P4.b"))  # fmt: skip
        loaded = load_scenario(folder, ["projects.P4.b.total=950"])
        assert loaded.changes == (("projects.P4.b.total", "900", "950"),)

    @pytest.mark.parametrize(
        "text",
        ["", "=", "projects", "projects=5", "projects.P1.total", "projects..total=5",
         ".P1.total=5", "levers.=1"],
    )  # fmt: skip
    def test_paths_that_do_not_parse(self, text: str, plan: Path) -> None:
        code, file, *_ = only(problems_of(plan, text))
        assert (code, file) == ("bad_override", "--set")

    @pytest.mark.parametrize(
        ("text", "root", "near"),
        [("project.P1.total=5", "project", "projects"), ("lever.drop=P1", "lever", "levers"),
         ("foo.bar=1", "foo", ""), ("about.x=1", "about", "accounts"), ("plan=x", "plan", "")],
    )  # fmt: skip
    def test_roots_that_do_not_exist(self, text: str, root: str, near: str, plan: Path) -> None:
        (one,) = problems_of(plan, text)
        assert (one.code, one.file) == ("unknown_root", "--set")
        assert one.column == text.partition("=")[0]
        assert (one.details["root"], one.details["nearest"]) == (root, near)
        told = one.render("en")
        assert "begin with one of levers, uncertainties, types, projects, accounts" in told
        assert ("the nearest is" in told) == bool(near)

    @pytest.mark.parametrize(
        ("text", "code", "near"),
        [
            ("projects.P9.total=5", "unknown_reference", "P5"),
            ("projects.P1.totl=5", "unknown_key", "total"),
            ("projects.P1.id=P7", "unknown_key", ""),
            ("types.raod.slip=fixed(1)", "unknown_reference", "road"),
            ("types.road.slp=fixed(1)", "unknown_key", "slip"),
            ("accounts.A3.budget=5", "unknown_reference", "A2"),
            ("releases.2021-09.issued=2021-01-04", "unknown_reference", "2021-0"),
            ("releases.2021-01.amount=5", "unknown_key", "available"),
            ("levers.stop_rule=on", "unknown_key", "start_rule"),
            ("uncertainties.price=off", "unknown_key", "prices"),
            ("uncertainties.prices.stres=fixed(1)", "unknown_key", "stress"),
            ("uncertainties.slip.distribution=fixed(1)", "unknown_key", "state"),
            ("uncertainties.prices=of", "not_a_choice", "off"),
        ],
    )
    def test_names_that_do_not_exist(self, text: str, code: str, near: str, plan: Path) -> None:
        (one,) = problems_of(plan, text)
        assert (one.code, one.file, one.column) == (code, "--set", text.partition("=")[0])
        assert near in f"{one.details['nearest']} {one.details.get('known', '')}"

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("projects.P1.total=-5", "negative_amount"),
            ("projects.P1.total=10", "done_over_total"),
            ("projects.P1.type=raod", "unknown_reference"),
            ("projects.P1.duration=fixd(1)", "not_a_distribution"),
            ("types.road.no_start=2", "out_of_range"),
            ("accounts.A1.class=bank", "not_a_choice"),
            ("uncertainties.prices.distribution=fixd(1)", "not_a_distribution"),
            ("uncertainties.prices.scope=5", "bad_value"),
            ("uncertainties.dependence.city=2", "bad_value"),
        ],
    )
    def test_bad_values_are_told_of_the_override(self, text: str, code: str, plan: Path) -> None:
        path, _, value = text.partition("=")
        found = [one for one in problems_of(plan, text) if one.level == "error"]
        assert only(found)[:3] == (code, "--set", path)
        assert found[0].row is None
        assert value in found[0].value or code == "done_over_total"

    @pytest.mark.parametrize(
        "text",
        ["run.seed=-1", "run.seed=x", "run.seed=18446744073709551616", "run.replications=0",
         "run.replications=1e3", "run.engine=fast", "run.workers=0", "run.replications=true",
         "run.sampling=sobol"],
    )  # fmt: skip
    def test_bad_options(self, text: str, plan: Path) -> None:
        code, _, column, _ = only(problems_of(plan, text))
        assert (code, column) == ("bad_value", text.partition("=")[0])

    def test_all_keys_are_told_where_none_is_near(self, plan: Path) -> None:
        (one,) = problems_of(plan, "levers.zzz=on")
        assert one.render("zh").endswith(", start_rule")
        assert "最接近" not in one.render("zh")

    def test_unknown_option_names_the_nearest(self, plan: Path) -> None:
        (one,) = problems_of(plan, "run.sed=1")
        assert (one.code, one.details["nearest"]) == ("unknown_key", "seed")

    @pytest.mark.parametrize(
        "value", ["[" * 5000, "9" * 5000, '"', "a\nb = 1", "1\nx = 2", "\udcff"]
    )
    def test_hostile_values(self, value: str, plan: Path) -> None:
        (one, *_) = problems_of(plan, f"projects.P1.total={value}")
        assert one.column == "projects.P1.total"


class TestScenarioFiles:
    def test_changes_in_every_section(self, plan: Path) -> None:
        path = write(plan, "s.toml", ABOUT + """\
[uncertainties]
all = "off"
prices = "stress"
[projects.P3]
gates = ["permit"]
planned_start = 2021-12-15
funding = { A1 = 0.25, loan = 0.75 }
[types.road]
no_start = 0.5
[accounts.A1]
equity = false
[run]
seed = 3
""")  # fmt: skip
        loaded = load_scenario(path)
        assert loaded.name == "s"
        third = loaded.plan.projects[2]
        assert third.gates == ("permit",)
        assert str(third.planned_start) == "2021-12-15"
        assert len(third.funding) == 2
        assert loaded.plan.types["road"].no_start == 0.5
        assert loaded.plan.accounts[0].equity == "no"
        assert loaded.plan.states["prices"] == "stress"
        assert loaded.options.seed == 3
        assert ("projects.P3.gates", "land;permit", "permit") in loaded.changes

    def test_the_plan_stands_relative_to_the_scenario(
        self, plan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = write(tmp_path / "other", "s.toml", 'plan = "../plan"\n' + ABOUT)
        expected = load_scenario(path).plan.projects
        monkeypatch.chdir(tmp_path)
        assert load_scenario("other/s.toml").plan.projects == expected

    def test_mistakes_are_told_of_the_file_beside_those_of_the_plan(self, tmp_path: Path) -> None:
        folder = write_plan(tmp_path, replaced("projects.csv", "1,1000,", "1,x,"))
        text = ABOUT + '[run]\nsed = 1\n[uncertainties]\nprices = "of"\n'
        found = {
            (one.code, one.file, one.row) for one in problems_of(write(folder, "s.toml", text))
        }
        assert found == {("unknown_key", "s.toml", 4), ("not_a_number", "projects.csv", 2)}

    def test_bad_changes_name_the_file(self, plan: Path) -> None:
        path = write(plan, "s.toml", ABOUT + "[projects.P1]\ntotal = -5\n")
        assert only(problems_of(path)) == ("negative_amount", "s.toml", "projects.P1.total", "-5")
        code, file, *_ = only(problems_of(path, "projects.P1.total=-6"))
        assert (code, file) == ("negative_amount", "--set")

    @pytest.mark.parametrize(
        ("text", "code", "column"),
        [
            ("", "missing_key", "about"),
            ("[about]\n", "missing_key", "about.title"),
            ("about = 5\n", "bad_value", "about"),
            ("plan = 5\n" + ABOUT, "bad_value", "plan"),
            (ABOUT + 'scored = "no"\n', "bad_value", "about.scored"),
            ('pln = "."\n' + ABOUT, "unknown_key", "pln"),
            ("projects = 5\n" + ABOUT, "bad_value", "projects"),
            (ABOUT + "[projects]\nP1 = 5\n", "bad_value", "projects.P1"),
            ("levers = 5\n" + ABOUT, "bad_value", "levers"),
            ("uncertainties = 5\n" + ABOUT, "bad_value", "uncertainties"),
            ("run = 5\n" + ABOUT, "bad_value", "run"),
            (ABOUT + "date = 5\n", "bad_value", "about.date"),
            (ABOUT + "[uncertainties]\nprices = true\n", "not_a_choice", "uncertainties.prices"),
            (ABOUT + "[uncertainties]\nprices = []\n", "not_a_choice", "uncertainties.prices"),
            (ABOUT + "[projects.P1]\ntotal = nan\n", "not_a_number", "projects.P1.total"),
            (ABOUT + "[projects.P1.total]\nx = 1\n", "not_a_number", "projects.P1.total"),
            ('plan = "\\u0000"\n' + ABOUT, "missing_folder", ""),
            ('plan = "nowhere"\n' + ABOUT, "missing_folder", ""),
        ],
    )
    def test_wrong_files(self, text: str, code: str, column: str, plan: Path) -> None:
        found = problems_of(write(plan, "s.toml", text), "run.seed=1", "uncertainties.slip=off")
        assert (code, column) in {(one.code, one.column) for one in found}

    @pytest.mark.parametrize(
        "name", ["..toml", "...toml", "....toml", ".s.toml", "s..toml", "s .toml", "2021:s.toml",
                 "a\\b.toml", "a\tb.toml", "\udcff.toml"],
    )  # fmt: skip
    def test_names_that_no_folder_of_runs_can_bear(self, name: str, plan: Path) -> None:
        path = write(plan, name, ABOUT)
        assert only(problems_of(path)) == ("bad_run_name", name, "", path.stem)

    @pytest.mark.parametrize("name", ["s.toml", "洛阳 2021.1（修订）.toml", "s-1_b", "a..b.toml"])
    def test_names_that_one_can(self, name: str, plan: Path) -> None:
        path = write(plan, name, ABOUT)
        assert load_scenario(path).name == path.stem

    def test_a_plan_folder_without_a_name(self) -> None:
        found = {(one.code, one.file) for one in problems_of(Path("/"))}
        assert ("bad_run_name", "/") in found

    def test_no_file_or_no_toml(self, plan: Path, tmp_path: Path) -> None:
        assert only(problems_of(tmp_path / "none.toml"))[:2] == ("missing_file", "none.toml")
        (one,) = problems_of(write(plan, "s.toml", "[about\n"))
        assert (one.code, one.row) == ("not_toml", 1)


class TestBase:
    def base_and_stress(self, tmp_path: Path, more: str = "") -> tuple[Path, Path]:
        base = write(tmp_path / "bases", "base.toml", 'plan = "../plan"\n' + ABOUT + """\
[uncertainties]
prices = "stress"
[projects.P4]
total = 950
[run]
seed = 5
replications = 11
""")  # fmt: skip
        path = write(tmp_path / "mine", "s.toml", 'base = "../bases/base.toml"\n' + more + """\
[about]
title = "应力"
[uncertainties.prices]
stress = "fixed(1.3)"
[projects.P4]
arrears = 7
[run]
seed = 6
""")  # fmt: skip
        return base, path

    def check(self, loaded: Scenario) -> None:
        assert loaded.about.title == "应力"
        prices = next(one for one in loaded.plan.drivers if one.name == "prices")
        assert (prices.state, prices.active.parameters) == ("stress", (1.3,))
        fourth = loaded.plan.projects[3]
        assert (fourth.total, fourth.arrears) == (9_500_000, 70_000)
        assert (loaded.options.seed, loaded.options.replications) == (6, 11)

    def test_what_is_said_here_is_laid_over_the_base(self, plan: Path, tmp_path: Path) -> None:
        self.check(load_scenario(self.base_and_stress(tmp_path)[1]))

    def test_from_any_folder(
        self, plan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.base_and_stress(tmp_path)
        monkeypatch.chdir(tmp_path)
        self.check(load_scenario("mine/s.toml"))

    def test_a_plan_of_its_own(self, plan: Path, tmp_path: Path) -> None:
        _, path = self.base_and_stress(tmp_path, 'plan = "own"\n')
        write_plan(tmp_path / "mine" / "own", replaced("plan.toml", "试验方案", "自己的"))
        loaded = load_scenario(path)
        assert loaded.plan.name == "自己的"
        self.check(loaded)

    def test_no_chains(self, plan: Path, tmp_path: Path) -> None:
        _, middle = self.base_and_stress(tmp_path, 'plan = "../plan"\n')
        path = write(tmp_path / "mine", "t.toml", 'base = "s.toml"\n' + ABOUT)
        (one,) = problems_of(path)
        assert (one.code, one.file, one.row, one.value) == ("base_chain", "t.toml", 1, middle.name)

    def test_no_circles(self, plan: Path) -> None:
        path = write(plan, "s.toml", 'base = "s.toml"\n' + ABOUT)
        assert "base_chain" in {one.code for one in problems_of(path)}

    @pytest.mark.parametrize(
        ("base", "code"),
        [('"none.toml"', "missing_file"), ('"."', "unreadable_file"),
         ('"/dev/zero"', "unreadable_file"), (r'"\u0000"', "unreadable_file"),
         ('"projects.csv"', "not_toml"), ("5", "bad_value"), ("[]", "bad_value")],
    )  # fmt: skip
    def test_missing_base(self, base: str, code: str, plan: Path) -> None:
        path = write(plan, "s.toml", f"base = {base}\n" + ABOUT)
        assert code in {one.code for one in problems_of(path)}
