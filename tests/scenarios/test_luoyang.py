"""The Luoyang 2021 plan: the announced numbers, the promises, and who says what."""

import csv
import dataclasses
import datetime
import hashlib
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import sim
from sim.plan.language import parse_distribution
from sim.plan.parameters import PARAMETERS
from sim.plan.quantiles import quantile
from sim.plan.residuals import in_force
from sim.plan.rows import Deflation, Plan
from sim.plan.scenario import Scenario
from sim.runs.parts import STAGES
from tests.retold import outcomes_of

FOLDER = Path(__file__).parents[2] / "scenarios" / "luoyang-2021"
YI = 10**8
GENERATED = ("plan.toml", "projects.csv", "commitments.csv", "accounts.csv", "releases.csv")
# Counties and districts as they stood in January 2021, with the two zones and the city.
COUNTIES = {
    "laocheng", "xigong", "chanhe", "jianxi", "luolong", "jili", "yanshi", "mengjin", "xinan",
    "luanchuan", "song", "ruyang", "yiyang", "luoning", "yichuan", "yibin", "gaoxin", "city",
}  # fmt: skip
# Every counted promise of the announcement: quantity and unit.
COUNTED = {
    "农村公路": 400, "人居环境示范村": 100, "农村改厕": 100_000, "背街小巷": 14,
    "老旧小区": 104, "棚户区": 38, "断头路": 13, "小游园": 40, "“乐道”300": 300,
    "黄河“乐道”": 86, "沿黄生态通道": 214, "造林": 320_000, "森林抚育": 100_000,
    "露天矿山": 187, "幼儿园": 22, "义务教育学校": 21, "寄宿制学校": 25, "村卫生室": 272,
    "乐养居": 90, "三大改造": 300, "创新平台": 300,
}  # fmt: skip
# Projects that the announcement names; each is a row of its own.
NAMED = (
    "百万吨乙烯", "中钢洛耐", "新洛玻", "格力", "忠旺", "国机精工", "P3实验室",
    "轴承产业创新中心", "伊水金街", "龙门古街", "隋唐西市", "广州市场步行街", "综合保税区",
    "交通1号线", "交通2号线", "交通3号线", "交通4号线", "万安通用机场", "二广高速", "古城快速路",
    "玻璃厂路", "厚载门街", "唐寺门立交", "塔湾立交", "呼南高铁", "中医骨伤科",
    "呼吸区域医疗中心", "第二儿童医院", "公共卫生中心", "中医院伊滨医院", "大学城", "科技馆",
    "奥林匹克中心", "会展中心", "文化艺术中心", "城市大脑", "城管", "汉魏洛阳故城",
    "龙门数字展示中心", "隋唐大运河文化博物馆", "非遗", "牡丹博物馆", "组诞生地", "隋唐洛阳城",
    "石窟寺", "洛北重工", "洛北城区三级综合医院", "红山",
)  # fmt: skip


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return sim.load_scenario(FOLDER / "baseline.toml")


@pytest.fixture(scope="module")
def plan(scenario: Scenario) -> Plan:
    return scenario.plan


def test_announced_numbers(plan: Plan) -> None:
    """Nine systems, near 70 programmes, 1,000+ projects, over 9,000, 3,000 in the year (亿)."""
    assert 1_050 <= len(plan.projects) <= 1_200
    assert 9_000 <= sum(one.total for one in plan.projects) / YI <= 9_300
    annual = sum(one.annual_plan for one in plan.projects if one.stage != "reserve") / YI
    assert 3_000 <= annual <= 3_150
    assert len({one.system for one in plan.projects}) == len(plan.labels["systems"]) == 9
    assert 66 <= len({one.programme for one in plan.projects}) <= 74
    assert plan.target == 3_000 * YI
    assert plan.status_date == datetime.date(2020, 12, 31)


def test_every_programme_belongs_to_one_system(plan: Plan) -> None:
    owners = {(one.programme, one.system) for one in plan.projects}
    assert len(owners) == len({programme for programme, _ in owners})


def test_counties_of_january_2021(plan: Plan) -> None:
    assert {one.county for one in plan.projects} == COUNTIES


def test_no_warning_but_what_is_meant(scenario: Scenario) -> None:
    """The horizon; a museum that is accepted in January; a university still in pre-work."""
    assert {one.code for one in scenario.warnings} <= {
        "beyond_horizon", "promised_sooner_than_filed",
    }  # fmt: skip
    told = [one for one in scenario.warnings if one.code == "promised_sooner_than_filed"]
    assert {one.details["project"] for one in told} == {"LY-0059", "LY-0070"}


@pytest.mark.parametrize("name", NAMED)
def test_named_projects_are_rows_of_their_own(plan: Plan, name: str) -> None:
    rows = [one for one in plan.projects if name in one.name and one.provenance != "synthetic"]
    assert rows
    assert all(one.source for one in rows)


def test_every_row_says_where_it_comes_from(plan: Plan) -> None:
    for one in plan.projects:
        assert one.provenance, one.id
        assert one.source, one.id
        assert ("〔拟〕" in one.name) == (one.provenance == "synthetic"), one.id


@pytest.mark.parametrize(("words", "quantity"), COUNTED.items())
def test_counted_promises(plan: Plan, words: str, quantity: float) -> None:
    """Each is listed with its quantity, and the projects that deliver it list a little more."""
    found = [one for one in plan.commitments if words in one.text and one.kind == "quantity"]
    assert len(found) == 1
    assert found[0].quantity == quantity
    by_id = {one.id: one for one in plan.projects}
    listed = sum(by_id[name].quantity or 0 for name in found[0].projects)
    assert quantity <= listed <= 1.10 * quantity
    assert all(by_id[name].planned_finish.year == 2021 for name in found[0].projects)


def test_promises_outside_construction_say_why(plan: Plan) -> None:
    outside = [one for one in plan.commitments if one.kind == "outside"]
    assert len(outside) > 20
    assert all(one.why_outside for one in outside)
    assert {one.key_task for one in plan.commitments} == set(range(1, 11))
    assert {one.strength for one in plan.commitments} == {"must", "plan", "strive", "explore"}


def test_metro_promises(plan: Plan) -> None:
    dates = {
        one.deadline for one in plan.commitments if "地铁" in one.text and one.strength == "must"
    }
    assert dates == {datetime.date(2021, 4, 1), datetime.date(2021, 12, 31)}


def test_most_money_is_enterprise_money(plan: Plan) -> None:
    counted = [one for one in plan.projects if one.stage != "reserve"]
    enterprise = sum(one.annual_plan for one in counted if one.investor == "enterprise")
    assert 0.70 <= enterprise / sum(one.annual_plan for one in counted) <= 0.85


def test_county_ledgers_shape(plan: Plan) -> None:
    """Near Yanshi's ledger: 111 new to 67 under way; a few per cent pre-work."""
    stages = Counter(one.stage for one in plan.projects)
    under_way = stages["continuing"] + stages["completing"]
    assert 0.9 <= stages["new"] / under_way <= 1.8
    assert min(one.total for one in plan.projects) >= 1_000 * 10**4  # the threshold for entry


def test_value_is_concentrated(plan: Plan) -> None:
    shares = [one.annual_plan for one in plan.projects if one.stage != "reserve"]
    effective = sum(shares) ** 2 / sum(share * share for share in shares)
    assert 100 <= effective <= 250


def test_bond_releases_name_projects_and_predecessors_exist(plan: Plan) -> None:
    bonds = {one.id for one in plan.accounts if one.class_ == "special_bond"}
    batches = [one for one in plan.releases if one.account in bonds]
    assert batches
    in_year = [one for one in batches if one.available.year == 2021]
    assert in_year
    assert all(one.project for one in in_year)
    assert all(one.issued is not None and one.issued < one.available for one in batches)
    assert sum(bool(one.predecessors) for one in plan.projects) >= 40


def test_estimated_money_says_by_which_formula(plan: Plan) -> None:
    for account in plan.accounts:
        assert account.provenance == "estimated"
        assert account.source


def test_drivers_know_their_date_and_source(plan: Plan) -> None:
    assert len(plan.drivers) >= 14
    assert all(driver.source and driver.known_by for driver in plan.drivers)


def test_residuals_are_what_was_judged() -> None:
    """As filed, with every cause on: 0.5 and 0.85 of durations, 0.7 of costs, 0.6 of slips."""
    plan = sim.load_scenario(FOLDER).plan
    left = in_force(plan.deflation, plan.states)
    judged = Deflation(0.5, 0.85, 0.7, 1.0, 0.6, 1.0)
    assert dataclasses.astuple(left) == pytest.approx(dataclasses.astuple(judged), abs=5e-5)
    with (FOLDER / "types.csv").open(encoding="utf-8", newline="") as stream:
        filed = {row["type"]: row for row in csv.DictReader(stream)}
    assert filed.keys() == plan.types.keys()
    for name, one in plan.types.items():
        for published, residual, excess, spread in (
            (filed[name]["duration"], one.duration, 0.5, 0.85),
            (filed[name]["cost"], one.cost, 0.7, 1.0),
        ):
            middle, sigma, *tail = parse_distribution(published).parameters
            assert residual.parameters[:2] == pytest.approx(
                (1 + excess * (middle - 1), spread * sigma), abs=1e-4
            )
            assert residual.parameters[2:] == tuple(tail)
        slip = parse_distribution(filed[name]["slip"])
        assert one.slip.inner == slip.inner
        assert one.slip.parameters[0] == pytest.approx(0.6 * slip.parameters[0])


def test_the_base_scenario_is_what_the_calibration_found(plan: Plan) -> None:
    """The same resolved values as calibration/calibrated.toml, whatever stands in the folder."""
    found = sim.load_scenario(FOLDER / "calibration" / "calibrated.toml").plan
    filed = sim.load_scenario(FOLDER).plan
    assert plan.drivers == found.drivers
    assert plan.dependence == found.dependence
    assert plan.deflation == found.deflation
    changed = {one.name for one, other in zip(plan.drivers, filed.drivers, strict=True)
               if one != other}  # fmt: skip
    assert changed == {one.driver for one in PARAMETERS if one.kind == "driver"}
    # Its types beside their classes are those of the scenario that stands here.
    about = json.loads((FOLDER / "calibration" / "calibration.json").read_text(encoding="utf-8"))
    for name in ("baseline.toml", "types.csv", "gates.csv", "projects.csv"):
        content = (FOLDER / name).read_bytes()
        assert about["inputs_sha256"][name] == hashlib.sha256(content).hexdigest()
    # And these have the moments that parameters.csv tells, but for the spread of years.
    with (FOLDER / "calibration" / "parameters.csv").open(encoding="utf-8-sig") as stream:
        told = {row["parameter"]: row for row in csv.DictReader(stream)}
    drawn = {one.name: one.distribution for one in plan.drivers}
    for one in PARAMETERS:
        if one.kind == "driver":
            sample = quantile(drawn[one.driver], (np.arange(20_000) + 0.5) / 20_000)
            assert sample.mean() == pytest.approx(float(told[one.name]["mean"]), abs=1e-3)
            if one.name != "productivity":
                assert sample.std() == pytest.approx(float(told[one.name]["sd"]), abs=1e-3)


@pytest.mark.slow
def test_the_calibration_finds_the_same_again(tmp_path: Path, slow_share: float) -> None:
    """Whatever the base scenario says of these parameters: they are forgotten first."""
    if slow_share < 0.5:
        pytest.skip("a calibration cannot be cut, and takes two minutes of both cores")
    command = [sys.executable, "run_sim.py", "calibrate", "--out", str(tmp_path)]
    subprocess.run(command, cwd=FOLDER.parents[1], check=True, capture_output=True)
    told = [path.name for path in sorted(tmp_path.iterdir()) if path.suffix == ".csv"]
    assert len(told) == 6
    for name in told:
        assert (tmp_path / name).read_bytes() == (FOLDER / "calibration" / name).read_bytes()


@pytest.mark.usefixtures("told_once")
def test_the_months_have_a_believable_shape(scenario: Scenario) -> None:
    """February low, growth to year-end, completing before continuing before new starts."""
    run = sim.simulate(scenario, replications=10)
    outcomes = outcomes_of(run)
    medians = np.median(outcomes.months[:, 1, :12], axis=0)
    monthly = np.diff(medians, prepend=0)
    assert monthly.argmin() == 1
    assert monthly[1] < monthly.mean() / 2
    assert (monthly > 0).all()
    plans = dict.fromkeys(STAGES, 0)
    for one in scenario.plan.projects:
        if one.stage in plans:
            plans[one.stage] += one.annual_plan
    august = np.median(outcomes.part_months[:, :, 7], axis=0)
    shares = [august[k] / plans[stage] for k, stage in enumerate(STAGES)]
    assert shares[0] > shares[1] > shares[2]


def test_builder_reproduces_the_committed_files(tmp_path: Path) -> None:
    command = [sys.executable, str(FOLDER / "builder" / "build.py"), "--out", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True)
    for name in GENERATED:
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes(), name


def test_readme_table_of_shares_is_true(plan: Plan) -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    for provenance, count in Counter(one.provenance for one in plan.projects).items():
        total = sum(one.total for one in plan.projects if one.provenance == provenance) / YI
        line = next(line for line in text.splitlines() if line.startswith(f"| {provenance} | "))
        assert f"| {count} |" in line
        assert f"| {total:,.1f} |" in line
