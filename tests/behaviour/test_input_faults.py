"""Every fault of a plan folder: which message it gives, and where the message points."""

import ast
import itertools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import sim
from sim.briefing import hindcast, replay, verification
from sim.briefing.lines import SAYS
from sim.briefing.words import TEXT
from sim.plan import tables
from sim.plan.changes import Change
from sim.plan.loading import load_plan, load_plan_with
from sim.plan.problems import Level, Problem, catalogue, errors_of
from sim.sampling import register
from sim.sampling.sampler import build_sampler
from tests.plans import FILES, replaced, write_plan

SOURCES = Path(sim.__file__).parent


class Fault(NamedTuple):
    """What to replace in which file (the whole file where `old` is empty), and what is expected."""

    code: str
    file: str
    old: str
    new: str
    row: int | None = None
    column: str = ""
    value: str = ""
    level: Level = "error"
    told_of: str = ""
    """Where the message points, if not at the file that was changed."""

    def write(self, folder: Path) -> Path:
        """Write a plan with this fault."""
        if not self.old:
            return write_plan(folder, {self.file: self.new})
        return write_plan(folder, replaced(self.file, self.old, self.new))


PROJECTS, PLAN, DRIVERS, RISKS = "projects.csv", "plan.toml", "drivers.toml", "risks.csv"
P6 = "P6,码头,city,road,government,new,6,{},0,0,2021-04-01,2022-06-30,none,A1:1,,,,,\n"
LINK = "P2,二号路,north,road,government,new,2,800,0,300,2021-04-01,2022-06-30,permit,A1:1,"
SECOND = "A2,市本级贷款,loan,city,0,900\n"

DEFLATED = """\
name = "试验方案"
status_date = 2020-12-31
plan_year = 2021
target = 1200
[deflation.{}]
{}
"""
TIES, TIED = "dependence.drivers", "city = 0.1\ndrivers = {}"
"""In the place of line 15 of drivers.toml."""
ISSUED = "account,issued,available,amount\nA1,2021-02-01,2021-01-15,400\n"


def risks(column: str, value: str) -> str:
    """Return a risks.csv whose first row has a value in one more column."""
    return f'id,name,probability,{column}\nR1,文物,0.1,"{value}"\nR2,雨,0.1,\n'


def of_risks(code: str, column: str, text: str, value: str = "", level: Level = "error") -> Fault:
    """Return the fault of one cell of risks.csv."""
    return Fault(code, RISKS, "", risks(column, text), 2, column, value or text, level)


FAULTS = [
    # Files
    Fault("encoding", PROJECTS, "一号路", "一号路\0"),
    Fault("empty_file", PROJECTS, "", "\n"),
    Fault("empty_file", "types.csv", "", "   \n", told_of="types.csv"),
    Fault("no_rows", PROJECTS, "", FILES[PROJECTS].splitlines()[0] + "\n"),
    Fault("malformed_csv", PROJECTS, "医院", '"医"院', 4),
    Fault("malformed_csv", PROJECTS, "P5,仓库", 'P5,"仓库', 6),
    Fault("not_toml", PLAN, "plan_year = 2021", "plan_year == 2021", 3),
    Fault("not_toml", PLAN, "plan_year = 2021", f"plan_year = {'[' * 5000}"),
    Fault("not_toml", PLAN, "plan_year = 2021", f"plan_year = {'9' * 5000}"),
    Fault("not_toml", PLAN, 'derived = ["transport"]\n', 'derived = ["transport"', 9),
    Fault("unknown_file", "acounts.csv", "", "id\n", level="warning"),
    # Headers and rows
    Fault("unknown_column", PROJECTS, "annual_plan", "anual_plan", 1, "anual_plan"),
    Fault("missing_column", PROJECTS, "annual_plan", "anual_plan", 1, "annual_plan"),
    Fault("duplicate_column", PROJECTS, "quantity,unit\n", "unit,unit\n", 1, "unit"),
    Fault("unnamed_column", PROJECTS, "quantity,unit\n", ",unit\n", 1),
    Fault("cell_count", PROJECTS, "12,km", "12,km,", 2),
    Fault("cell_count", PROJECTS, "12,km", "12,km" + "," * 300, 2),
    # Cells
    Fault("blank_required", PROJECTS, "一号路", "", 2, "name"),
    Fault("bad_name", PROJECTS, "P5,仓库", "P5;P6,仓库", 6, "id", "P5;P6"),
    Fault("bad_name", PROJECTS, "P5,仓库", '"P\n5",仓库', 6, "id", "P\n5"),
    # The addresses of draws join names by "/": project A with gate b/c would be A/b with gate c.
    Fault("bad_name", PROJECTS, "P5,仓库", "P5/b,仓库", 6, "id", "P5/b"),
    Fault("bad_name", "gates.csv", "approval,land,", "approval,land/2,", 2, "gate", "land/2"),
    Fault("bad_name", DRIVERS, "[prices]", '["prices/city"]', 7, "prices/city", "prices/city"),
    Fault("duplicate_id", PROJECTS, "P5,仓库", "P4,仓库", 6, "id", "P4"),
    Fault("duplicate_id", PROJECTS, "new,5,", "new,4,", 6, "rank", "4"),
    Fault("duplicate_id", "gates.csv", "permit,land", "land,", 3, "gate", "land"),
    Fault("not_a_number", PROJECTS, "1,1000,", "1,一千,", 2, "total", "一千"),
    Fault("not_a_number", PROJECTS, "1,1000,", "1,NaN,", 2, "total", "NaN"),
    Fault("not_a_number", PROJECTS, "1,1000,", "1,1e999999999,", 2, "total", "1e999999999"),
    Fault("not_a_number", PROJECTS, "1,1000,", "1,=SUM(A1:A9),", 2, "total", "=SUM(A1:A9)"),
    Fault("not_a_number", PROJECTS, "1,1000,", f"1,1000.{'0' * 40},", 2, "total"),
    Fault("not_an_integer", PROJECTS, "new,5,", "new,5.5,", 6, "rank", "5.5"),
    Fault("finer_than_yuan", PROJECTS, "1,1000,", "1,1000.00005,", 2, "total"),
    Fault("finer_than_yuan", PROJECTS, "1,1000,", "1,1e-999,", 2, "total"),
    Fault("negative_amount", PROJECTS, "1,1000,", "1,-1000,", 2, "total", "-1000"),
    Fault("amount_too_large", PROJECTS, "1,1000,", "1,1e308,", 2, "total", "1e308"),
    Fault("out_of_range", PROJECTS, ",12,km", ",1e999,km", 2, "quantity", "1e999"),
    Fault("out_of_range", "risks.csv", "0.1", "1.1", 2, "probability", "1.1"),
    Fault("not_a_date", PROJECTS, "2021-10-31", "2021-02-30", 2, "planned_finish"),
    Fault("not_a_date", PROJECTS, "2021-10-31", "44500", 2, "planned_finish", "44500"),
    Fault("date_out_of_range", PROJECTS, "2021-10-31", "9999-12-31", 2, "planned_finish"),
    Fault("date_out_of_range", "releases.csv", "2021-01-20", "0021-01-20", 4, "available"),
    Fault("not_a_choice", PROJECTS, "continuing", "continuous", 2, "stage", "continuous"),
    Fault("repeated", PROJECTS, "land;permit", "land;land", 4, "gates", "land;land"),
    Fault("repeated", PROJECTS, "own:0.5;loan:0.5", "own:0.5;own:0.5", 6, "funding"),
    Fault("not_a_span", "types.csv", "0.2-0.8", "0.8-0.2", 2, "advance_recovery", "0.8-0.2"),
    # Funding
    Fault("not_funding", PROJECTS, "own:0.5;loan:0.5", "own", 6, "funding", "own"),
    Fault("not_funding", PROJECTS, "own:0.5;loan:0.5", "own:1/0", 6, "funding"),
    Fault("not_funding", PROJECTS, "own:0.5;loan:0.5", "own:1e999999999", 6, "funding"),
    Fault("not_funding", PROJECTS, "own:0.5;loan:0.5", "own:-1;loan:2", 6, "funding"),
    Fault("shares_do_not_sum", PROJECTS, "A1:1/3;loan:2/3", "A1:0.33;loan:0.67001", 4, "funding"),
    Fault("undefined_account", PROJECTS, "A1:1/3", "A9:1/3", 4, "funding", "A9"),
    Fault("undefined_account", "releases.csv", "A2,2021-01", "B2,2021-01", 4, "account", "B2"),
    Fault("no_account_of_class", PROJECTS, "A1:1/3", "grant:1/3", 4, "funding", "grant"),
    Fault("no_account_of_class", "accounts.csv", SECOND, SECOND + "A3,自有,own,south,0,0\n",
          5, "funding", "own", told_of=PROJECTS),
    Fault("several_accounts_of_class", "accounts.csv", SECOND, SECOND + "A3,贷款,loan,city,0,0\n",
          2, "funding", "loan", told_of=PROJECTS),
    # Distributions
    Fault("not_a_distribution", PROJECTS, "pert(0.8, 1, 1.5)", "pert(1.8, 1, 1.5)", 5, "duration"),
    Fault("not_a_distribution", PROJECTS, "costs.txt", "none.txt", 5, "cost"),
    Fault("not_a_distribution", PROJECTS, "costs.txt", "../../x", 5, "cost", "empirical(../../x)"),
    Fault("not_a_distribution", PROJECTS, "costs.txt", "/etc/hosts", 5, "cost"),
    Fault("not_a_distribution", "costs.txt", "1.0\n", "1.0\ntwo\n", 5, "cost", told_of=PROJECTS),
    Fault("not_a_distribution", "costs.txt", "", "cost\n", 5, "cost", told_of=PROJECTS),
    Fault("not_a_distribution", PROJECTS, "pert(0.8, 1, 1.5)", "chance(1," * 5000, 5, "duration"),
    Fault("not_a_distribution", PROJECTS, "pert(0.8, 1, 1.5)", "(" * 9999 + ")" * 9999, 5,
          "duration"),
    Fault("not_a_distribution", DRIVERS, "triangular(18, 25, 35)", "triangular(18)", 3,
          "festival_stop.distribution", "triangular(18)"),
    Fault("chance_of_factor", PROJECTS, "pert(0.8, 1, 1.5)", "chance(0.1, fixed(2))", 5, "duration",
          "chance(0.1, fixed(2))"),
    Fault("chance_of_factor", PROJECTS, "empirical(costs.txt)", '"chance(0.1, fixed(2))"', 5,
          "cost"),
    Fault("chance_of_factor", "types.csv", '"triangular(0.9, 1, 1.4)"', '"chance(0.1, fixed(2))"',
          2, "duration"),
    Fault("chance_of_factor", "types.csv", '"uniform(0.9, 1.2)"', '"chance(0.1, fixed(2))"', 3,
          "cost"),
    Fault("chance_of_factor", "risks.csv", "",
          'id,name,probability,cost\nR1,文物,0.1,"chance(1, 2)"\n', 2, "cost"),
    Fault("chance_of_factor", DRIVERS, "normal(1.02, 0.03, 0.9, 1.2)", "chance(0.1, fixed(2))", 9,
          "prices.distribution"),
    Fault("chance_of_factor", DRIVERS, "normal(1.1, 0.03, 0.9, 1.3)", "chance(0.1, fixed(2))", 10,
          "prices.stress"),
    Fault("unit_not_allowed", "types.csv", "fixed(10)", "days: fixed(10)", 2, "acceptance_days"),
    Fault("unit_not_allowed", DRIVERS, "triangular(18, 25", "days: triangular(18, 25", 3,
          "festival_stop.distribution"),
    Fault("wrong_unit", PROJECTS, "pert(0.8, 1, 1.5)", "amount: fixed(5)", 5, "duration"),
    Fault("draws_too_small", PROJECTS, "pert(0.8, 1, 1.5)", "normal(1, 0.1)", 5, "duration"),
    Fault("draws_too_small", DRIVERS, "normal(1.02, 0.03, 0.9, 1.2)", "normal(1, 0.1)", 9,
          "prices.distribution", "normal(1, 0.1)"),
    Fault("draws_too_large", PROJECTS, "pert(0.8, 1, 1.5)", "fixed(1e12)", 5, "duration"),
    Fault("draws_too_large", "types.csv", "fixed(30)", "exponential(1e9)", 3, "acceptance_days"),
    Fault("draws_too_large", PROJECTS, "pert(0.8, 1, 1.5)", "weibull(0.001, 5)", 5, "duration"),
    Fault("growth_too_large", PROJECTS, "empirical(costs.txt)", "fixed(999999)", 5, "cost", "P4"),
    # Amounts and dates
    Fault("done_over_total", PROJECTS, "1,1000,400,300", "1,1000,800,300", 2, "total", "P1"),
    Fault("finish_before_start", PROJECTS, "2021-10-31", "2020-02-28", 2, "planned_finish"),
    Fault("finish_before_start", "calendar.csv", "2022-03-15", "2021-03-15", 3, "to"),
    Fault("finish_past", PROJECTS, "2021-10-31", "2020-10-31", 2, "planned_finish"),
    Fault("predecessor_ignored", PROJECTS, "loan:0.6,,,,12,km", "loan:0.6,P2,,,12,km", 2,
          "predecessors", "P1", "warning"),
    Fault("bad_value", DRIVERS, 'cause = "festival"', 'cause = "no_start"', 5,
          "festival_stop.cause", "no_start"),
    Fault("towers", PROJECTS, "12,km\n", "12,km\n" + P6.format(9999), 3, "total", "P6", "warning"),
    Fault("done_before_start", PROJECTS, "2,800,0,300", "2,800,100,300", 3, "planned_start",
          "2021-04-01", "warning"),
    Fault("filed_replaced", PROJECTS, '"pert(0.8, 1, 1.5)"', '"days: pert(300, 400, 600)"', None,
          "", "P4", "warning"),
    Fault("not_listed", PLAN, "[systems]", '[counties]\ncity = "市"\nnorht = "北"\n\n[systems]', 3,
          "county", "north", "warning", PROJECTS),
    Fault("stage_against_dates", PROJECTS, "government,continuing", "government,pre_work", 2,
          "stage", "pre_work", "warning"),
    Fault("prework_without_gates", PROJECTS, "2021-05-01", "2022-01-01", 5, "gates", "P4"),
    Fault("beyond_horizon", PLAN, "[systems]", "horizon = 2022-11-30\n[systems]", None,
          "planned_finish", "P3", "warning", PROJECTS),
    Fault("deadline_beyond_horizon", "commitments.csv", "2022-12-31", "2031-12-31", 3, "deadline",
          "2031-12-31", "warning"),
    Fault("promised_sooner_than_filed", "commitments.csv", "finish,P1,,,2021-12-31",
          "finish,P1,,,2021-11-09", 2, "deadline", "2021-11-09", "warning"),
    Fault("promised_sooner_than_filed", "commitments.csv", "finish,P1,,,2021-12-31",
          "start,P1;P2,,,2021-03-31", 2, "deadline", "2021-03-31", "warning"),
    Fault("promised_more_than_filed", "commitments.csv", "20,km", "20.001,km", 3, "quantity", "C2",
          "warning"),
    Fault("horizon_too_early", PLAN, "[systems]", "horizon = 2021-06-30\n[systems]", 7, "horizon"),
    Fault("status_outside_year", PLAN, "2020-12-31", "2020-11-30", 2, "status_date"),
    Fault("late_predecessor", PROJECTS, "2021-10-31", "2021-11-25", 4, "predecessors", "P3",
          "warning"),
    Fault("unit_slip", PROJECTS, "12,km\n", "12,km\n" + P6.format(99999999), 3, "total", "P6"),
    Fault("unit_slip", PROJECTS, "12,km\n", "12,km\n" + P6.format(0.1), 3, "total", "P6",
          "warning"),
    Fault("target_slip", PLAN, "target = 1200", "target = 12000000", 4, "target", "", "warning"),
    Fault("no_target", PLAN, "target = 1200\n", "", None, "", "", "warning"),
    Fault("sum_too_large", PLAN, "target = 1200", "target = 1e15", 4, "target"),
    # References
    Fault("unknown_reference", PROJECTS, "city,hospital", "city,hospitl", 4, "type", "hospitl"),
    Fault("unknown_reference", PROJECTS, "2/3,P1,", "2/3,P1;P7,", 4, "predecessors", "P7"),
    Fault("unknown_reference", "releases.csv", "300,P2", "300,P8", 3, "project", "P8"),
    Fault("unknown_reference", "gates.csv", "W1", "W9", 2, "window", "W9"),
    Fault("unknown_reference", "gates.csv", "permit,land", "permit,lnd", 3, "after", "lnd"),
    Fault("unknown_reference", "commitments.csv", "P1;P2", "P1;Q2", 3, "projects", "Q2"),
    Fault("unknown_reference", "correlations.csv", "P3,P4", "P3,P9", 2, "project_b", "P9"),
    Fault("unknown_reference", DRIVERS, 'cause = "festival"', 'cause = "festivl"', 5,
          "festival_stop.cause", "festivl"),
    Fault("unknown_gate", PROJECTS, "land;permit", "land;permits", 4, "gates", "permits"),
    Fault("cycle", PROJECTS, LINK, LINK + "P2", 3, "predecessors", "P2"),
    Fault("cycle", "gates.csv", "approval,land,", "approval,land,permit", 2, "after", "land"),
    Fault("mixed_dates", "calendar.csv", "2022-03-15", "03-15", 3, "to"),
    Fault("blank_required", "calendar.csv", "0.2,festival", "0.2,", 2, "cause"),
    Fault("season_not_in_calendar", "types.csv", ",site,", ",sites,", 2, "season", "sites",
          "warning"),
    Fault("exposes_nothing", DRIVERS, "road = 1.2", "raod = 1.2", 12, "prices.exposure.raod", "",
          "warning"),
    # Risks
    of_risks("not_understood", "applies_to", "type"),
    of_risks("not_understood", "applies_to", "colour=red"),
    of_risks("not_understood", "applies_to", "type=road|"),
    of_risks("exposes_nothing", "applies_to", "type=road|raod", "raod", "warning"),
    of_risks("exposes_nothing", "applies_to", "county!=sorth", "sorth", "warning"),
    of_risks("exposes_nothing", "applies_to", "tags=flagship", "flagship", "warning"),
    of_risks("unknown_reference", "at", "permits"),
    of_risks("draws_too_large", "at", "1.5"),
    of_risks("draws_too_small", "at", "-0.5"),
    of_risks("not_a_distribution", "at", "unifrm(0, 1)"),
    of_risks("draws_too_small", "days", "uniform(-3661, 5)"),
    of_risks("draws_too_large", "days", "36601"),
    of_risks("draws_too_small", "mitigated_days", "-3661"),
    of_risks("draws_too_small", "cost", "uniform(-0.1, 1)"),
    of_risks("not_understood", "repeat", "0"),
    of_risks("not_understood", "repeat", "21"),
    of_risks("not_understood", "repeat", "2.5"),
    of_risks("not_understood", "repeat", "loops"),
    of_risks("not_a_choice", "scope", "town"),
    of_risks("not_a_choice", "effect", "stop"),
    of_risks("not_understood", "triggers", ":0.5"),
    of_risks("not_understood", "triggers", "R2:x"),
    of_risks("not_understood", "triggers", "R2:1.5"),
    of_risks("not_understood", "triggers", "R2:-0.5"),
    of_risks("not_understood", "triggers", "R2:0.6|R3:0.6"),
    of_risks("not_understood", "triggers", "R2|R3"),
    of_risks("not_understood", "triggers", "R2:0.2;R3:0.3|R2:0.2"),
    of_risks("unknown_reference", "triggers", "R2;R9:0.5", "R9"),
    of_risks("trigger_cycle", "triggers", "R1:0.5", "R1"),
    Fault("drop_in_parallel", RISKS, "", risks("effect,parallel", 'drop","g'), 2, "parallel", "g"),
    # Promises and correlations
    Fault("commitment_needs", "commitments.csv", "P1,,,2021-12-31", "P1,,,", 2, "deadline", "C1"),
    Fault("unit_differs", "commitments.csv", ",20,km", ",20,m", 3, "unit", "m"),
    Fault("no_quantity", "commitments.csv", "P1;P2", "P1;P3", 3, "projects", "C2"),
    Fault("pair_twice", "correlations.csv", "0.3\n", "0.3\nduration,P4,P3,0.2\n", 3, "project_b"),
    Fault("pair_twice", "correlations.csv", "P3,P4", "P3,P3", 2, "project_b", "P3"),
    Fault("no_spread", "correlations.csv", "P3,P4", "P3,P5", 2, "project_b", "P5"),
    # TOML
    Fault("unknown_key", PLAN, "target = 1200", "taget = 1200", 4, "taget"),
    Fault("unknown_key", DRIVERS, "stress =", "stres =", 10, "prices.stres"),
    Fault("missing_key", PLAN, "plan_year = 2021\n", "", None, "plan_year"),
    Fault("missing_key", PLAN, "", "", None, "name"),
    Fault("missing_key", DRIVERS, 'title = "材料价格"\n', "", 7, "prices.title"),
    Fault("bad_value", PLAN, "plan_year = 2021", 'plan_year = "2021"', 3, "plan_year", "2021"),
    Fault("bad_value", PLAN, "target = 1200", "target = inf", 4, "target", "inf"),
    Fault("bad_value", PLAN, "target = 1200", "target = nan", 4, "target", "nan"),
    Fault("bad_value", PLAN, "target = 1200", "target = -1", 4, "target", "-1"),
    Fault("bad_value", PLAN, "target = 1200", f"target = {10**400}", 4, "target"),
    Fault("bad_value", PLAN, "2020-12-31", "9999-12-31", 2, "status_date", "9999-12-31"),
    Fault("bad_value", PLAN, "2020-12-31", "0", 2, "status_date", "0"),
    Fault("bad_value", PLAN, 'transport = "交通"', "transport = 5", 8, "systems.transport", "5"),
    Fault("bad_value", DRIVERS, '"cost"', '"costs"', 11, "prices.acts_on", "costs"),
    Fault("bad_value", DRIVERS, "road = 1.2", 'road = "x"', 12, "prices.exposure.road", "x"),
    Fault("bad_value", DRIVERS, "road = 1.2", "road = nan", 12, "prices.exposure.road", "nan"),
    Fault("bad_value", DRIVERS, "road = 1.2", f"road = {10**400}", 12, "prices.exposure.road"),
    Fault("bad_value", DRIVERS, 'cause = "festival"\n', "", 4, "festival_stop.acts_on"),
    Fault("bad_value", DRIVERS, 'cause = "festival"', 'window = ["06-31", "07-01"]', 5,
          "festival_stop.window"),
    Fault("bad_value", DRIVERS, 'cause = "festival"', "window = []", 5, "festival_stop.window"),
    Fault("bad_value", DRIVERS, 'cause = "festival"', "window = [2021-07-27, 2021-07-17]", 5,
          "festival_stop.window", "2021-07-27, 2021-07-17"),
    Fault("bad_value", DRIVERS, 'cause = "festival"', 'window = ["07-01", 2021-07-17]', 5,
          "festival_stop.window", "07-01, 2021-07-17"),
    Fault("bad_value", DRIVERS, 'cause = "festival"', 'window = ["07-01", 17]', 5,
          "festival_stop.window"),
    Fault("bad_value", DRIVERS, "[prices]", "[cost]", 7, "cost"),
    Fault("bad_value", DRIVERS, "", "dependence = 5\n", 1, "dependence", "5"),
    Fault("bad_value", DRIVERS, "city = 0.1", "city = 0.6\ntype = 0.6", 14, "dependence"),
    Fault("bad_value", DRIVERS, "", "storm = 5\n", 1, "storm", "5"),
    # Correlations of drivers
    *(
        Fault("bad_value", DRIVERS, "city = 0.1", TIED.format(text), 16, TIES, shown)
        for text, shown in (
            ("0.5", "0.5"),
            ('["prices"]', "prices"),
            ('[["prices", 0.5]]', "prices, 0.5"),
            ('[["prices", "land", "cost"]]', "prices, land, cost"),
            ('[["prices", 1, 0.5]]', "prices, 1, 0.5"),
            ('[["prices", "land", 1.01]]', "prices, land, 1.01"),
            ('[["prices", "land", -1.01]]', "prices, land, -1.01"),
            ('[["prices", "land", nan]]', "prices, land, nan"),
            ('[["prices", "land", true]]', "prices, land, True"),
            ('[["prices", "prices", 0.5]]', "prices, prices, 0.5"),
        )
    ),
    Fault("unknown_reference", DRIVERS, "city = 0.1", TIED.format('[["prices", "price", 0.5]]'),
          16, TIES, "price"),
    Fault("not_drawn_once", DRIVERS, "city = 0.1",
          TIED.format('[\n["prices", "festival_stop", 0.5]]'), 16, TIES, "festival_stop"),
    # Deflation
    Fault("no_cause", PLAN, "", DEFLATED.format("priced", "slip = 0.5"), 5, "deflation.priced",
          "priced"),
    Fault("no_cause", PLAN, "", DEFLATED.format("slip", "no_start = 0.5"), 5, "deflation.slip",
          "slip"),
    Fault("no_cause", PLAN, "", DEFLATED.format("all", "slip = 0.5"), 5, "deflation.all"),
    Fault("unknown_key", PLAN, "", DEFLATED.format("prices", "slips = 0.5"), 6,
          "deflation.prices.slips"),
    Fault("bad_value", PLAN, "", DEFLATED.format("prices", "slip = 0"), 6,
          "deflation.prices.slip", "0"),
    Fault("bad_value", PLAN, "", DEFLATED.format("gates", "cost_excess = 1.01"), 6,
          "deflation.gates.cost_excess", "1.01"),
    Fault("bad_value", PLAN, "", DEFLATED.format("gates", "cost_spread = -0.5"), 6,
          "deflation.gates.cost_spread", "-0.5"),
    Fault("bad_value", PLAN, "", DEFLATED.format("gates", "no_start = nan"), 6,
          "deflation.gates.no_start", "nan"),
    Fault("bad_value", PLAN, "", DEFLATED.format("gates", 'duration_excess = "half"'), 6,
          "deflation.gates.duration_excess", "half"),
    Fault("bad_value", PLAN, "", DEFLATED.format("gates", "duration_spread = true"), 6,
          "deflation.gates.duration_spread", "True"),
    Fault("bad_value", PLAN, "target = 1200", "target = 1200\ndeflation.gates = 0.5", 5,
          "deflation.gates", "0.5"),
    Fault("bad_value", PLAN, "target = 1200", "target = 1200\ndeflation = 0.5", 5,
          "deflation", "0.5"),
    Fault("not_a_choice", DRIVERS, 'by = "type"', 'by = "types"', 12, "prices.exposure.by",
          "types"),
    # Money
    Fault("no_funding", PROJECTS, "own:0.5;loan:0.5", "", None, "funding", "P5", "warning"),
    Fault("available_before_issue", "releases.csv", "", ISSUED, 2, "available", "2021-01-15"),
    Fault("earmark_unused", "releases.csv", "2021-02-15,300,P2", "2021-02-15,300,P4", 3,
          "project", "P4", "warning"),
    # Beyond the plan itself
    Fault("correlation_out_of_reach", "correlations.csv", "0.3", "-1", None, "correlation"),
    Fault("not_positive_semidefinite", "correlations.csv", "duration,P3,P4,0.3",
          "duration,P3,P4,0.9\nduration,P3,P1,0.9\nduration,P4,P1,-0.9", None, "duration"),
]  # fmt: skip

SOMEWHERE_ELSE = {
    "missing_folder", "missing_file", "unreadable_file", "too_large", "unsafe_path",
    "base_chain", "bad_override", "unknown_root", "bad_run_name", "duplicate_address",
    "no_gates_table",
    "drawn_out_of_range", "year_not_begun", "not_in_reserve", "already_begun", "revision_outside",
    "unknown_measure", "bad_half_width", "no_compiler", "unknown_case",
    # of the tables that `fit`, `hindcast` and `calibrate` read
    "no_records", "not_above_zero", "odd_ratio", "few_records", "none_finished", "no_reference",
    "own_input", "one_of_two", "outcome_of_project", "actual_before_start", "outcome_needs_source",
    "outcome_contradicts", "never_scored", "no_commitments", "share_given_twice",
    # of a matrix repaired on request
    "correlations_repaired", "correlations_not_repaired",
    # of runs that are read again
    "no_run", "run_unreadable", "run_lacks",
}  # fmt: skip
"""Codes that a change of one file cannot show; each has a test of its own."""

PREPARED = ("correlation_out_of_reach", "not_positive_semidefinite")
"""Codes told when the sampler is prepared."""


def problems_of(folder: Path) -> list[Problem]:
    """Return every problem of a plan folder."""
    return load_plan_with(folder, [])[2]


def assert_told(problem: Problem) -> None:
    """Check that a problem can be told in both languages, in one line, with nothing left open."""
    for language in ("zh", "en"):
        line = problem.render(language)
        assert "\n" not in line
        assert not re.search(r"\{\w*\}|Told\(", line), line
        assert len(line) < 2000


@pytest.mark.parametrize(
    "fault",
    [one for one in FAULTS if one.code not in (*SOMEWHERE_ELSE, *PREPARED)],
    ids=lambda one: f"{one.code}-{one.file}-{one.column}",
)
def test_fault(fault: Fault, tmp_path: Path) -> None:
    """The message names code, file, row, column and value, and stops a run if it is an error."""
    problems = problems_of(fault.write(tmp_path))
    found = [one for one in problems if one.code == fault.code and one.level == fault.level]
    assert found, [one.render("en") for one in problems]
    one = next((one for one in found if one.column == fault.column), found[0])
    assert (one.file, one.column) == (fault.told_of or fault.file, fault.column)
    if fault.row is not None:
        assert one.row == fault.row
    if fault.value:
        assert one.value == fault.value
    for each in problems:
        assert_told(each)
    if fault.level == "error":
        with pytest.raises(sim.InputError):
            load_plan(tmp_path)
    else:
        assert load_plan(tmp_path).projects


@pytest.mark.parametrize("fault", [one for one in FAULTS if one.code in PREPARED])
def test_fault_of_correlations(fault: Fault, tmp_path: Path) -> None:
    varied = FILES["projects.csv"].replace("P1,一号路,city,road", "P1,一号路,city,")
    varied = varied.replace("loan:0.6,,,", 'loan:0.6,,"uniform(0.9, 1.1)",')
    fault.write(tmp_path)
    (tmp_path / "projects.csv").write_text(varied, encoding="utf-8")
    portfolio = sim.build_portfolio(load_plan(tmp_path))
    with pytest.raises(sim.InputError) as caught:
        build_sampler(portfolio, 0)
    (problem,) = caught.value.problems
    assert (problem.code, problem.file) == (fault.code, fault.file)
    assert_told(problem)


def test_sound_plan_has_no_problems(tmp_path: Path) -> None:
    assert problems_of(write_plan(tmp_path)) == []


def test_neighbours_of_a_fault_are_not_accused(tmp_path: Path) -> None:
    """A row with an error is left out, but what it defines still exists."""
    changed = replaced("projects.csv", "1,1000,400,300", "x,-5,400,300")
    problems = problems_of(write_plan(tmp_path, changed))
    assert sorted((one.code, one.column) for one in problems) == [
        ("negative_amount", "total"),
        ("not_a_number", "rank"),
    ]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        # The median acceptance of P1, 10 days, ends on the deadline; then it is rounded as drawn.
        ({"finish,P1,,,2021-12-31": "finish,P1,,,2021-11-10"}, None),
        ({"finish,P1,,,2021-12-31": "finish,P1,,,2021-11-10", "fixed(10)": "fixed(10.4)"}, None),
        ({"finish,P1,,,2021-12-31": "finish,P1,,,2021-11-10",
          "fixed(10)": '"triangular(0, 11, 30)"'}, "2021-11-13"),
        ({"finish,P1,,,2021-12-31": "finish,P1,,,2021-11-10", "fixed(10)": "fixed(900000000)"},
         "900,000,304 d"),
        # Of several the last is named.
        ({"finish,P1,,,2021-12-31": "start,P1;P2;P5,,,2021-02-28"}, "2021-04-01"),
        ({"finish,P1,,,2021-12-31": "start,P1;P2,,,2021-04-01"}, None),
        # A start that has passed unused comes the day after the status date.
        ({"finish,P1,,,2021-12-31": "start,P5,,,2020-12-31", "2021-03-01,2022": "2020-12-01,2022"},
         "2021-01-01"),
        ({"20,km": "19.9999,km"}, None),
        ({"20,km": "20.001,km"}, "20.001"),
        ({"20,km": "1234567.5,km"}, "1,234,567.5"),
        # P2 starts in April: of 20 km 12 can be there.
        ({"20,km,2022-12-31": "20,km,2021-03-31"}, "12"),
    ],
)  # fmt: skip
def test_promises_that_the_ledger_breaks_or_just_keeps(
    changes: Mapping[str, str], told: str | None, tmp_path: Path
) -> None:
    files = {}
    for name in ("commitments.csv", "types.csv", PROJECTS):
        text = str(FILES[name])
        for old, new in changes.items():
            text = text.replace(old, new)
        files[name] = text
    assert sum(old in str(FILES[name]) for old in changes for name in files) >= len(changes)
    found = [
        one for one in problems_of(write_plan(tmp_path, files)) if one.code.startswith("promised")
    ]
    assert len(found) == (told is not None)
    for one in found:
        for language in ("zh", "en"):
            assert f"{told}" in one.render(language)
    if told and "start" in changes.get("finish,P1,,,2021-12-31", ""):
        assert "开工" in found[0].render("zh")


def test_what_was_finished_before_needs_no_acceptance(tmp_path: Path) -> None:
    rows = FILES[PROJECTS].replace("1,1000,400,300,2020-03-01,2021-10-31",
                                   "1,1000,1000,0,2020-03-01,2020-12-20")  # fmt: skip
    promise = FILES["commitments.csv"].replace("finish,P1,,,2021-12-31", "finish,P1,,,2020-12-25")
    files = {PROJECTS: rows, "commitments.csv": promise}
    assert rows != FILES[PROJECTS]
    assert "promised_sooner_than_filed" not in {
        one.code for one in problems_of(write_plan(tmp_path, files))
    }


def test_rows_that_cannot_be_read_accuse_nobody(tmp_path: Path) -> None:
    """Of a row with a comma too many nobody knows the id: others may well refer to it."""
    problems = problems_of(write_plan(tmp_path, replaced("projects.csv", "12,km", "12,km,")))
    assert [one.code for one in problems] == ["cell_count"]


def test_one_mistake_in_a_choice_of_types_is_told_once(tmp_path: Path) -> None:
    changed = replaced("plan.toml", 'transport = "交通"', "transport = 5")
    assert [one.code for one in problems_of(write_plan(tmp_path, changed))] == ["bad_value"]


def test_tables_that_cannot_be_read_accuse_nobody(tmp_path: Path) -> None:
    names = ("types.csv", "accounts.csv", "gates.csv", "windows.csv")
    unreadable = dict.fromkeys(names, b"\xff\xff")
    problems = problems_of(write_plan(tmp_path, unreadable))
    assert {one.code for one in problems} == {"encoding"}
    assert len(errors_of(problems)) == 4


def test_rows_of_deflated_types_keep_their_numbers(tmp_path: Path) -> None:
    changed: dict[str, str | bytes | None] = {"types.csv": FILES["types.csv"] + "lab,,,,lab,,\n"}
    changed |= {"plan.toml": DEFLATED.format("prices", "cost_spread = 0.5")}
    (found,) = problems_of(write_plan(tmp_path, changed))
    assert (found.code, found.file, found.row) == ("season_not_in_calendar", "types.csv", 5)


def test_drivers_that_cannot_be_read_accuse_no_cause(tmp_path: Path) -> None:
    changed: dict[str, str | bytes | None] = {"drivers.toml": b"\xff\xff"}
    changed |= {"plan.toml": DEFLATED.format("prices", "slip = 0.5")}
    assert {one.code for one in problems_of(write_plan(tmp_path, changed))} == {"encoding"}


def test_all_problems_at_once(tmp_path: Path) -> None:
    """Faults of cells, rows, references, frames and drivers are told in one go."""
    projects = FILES["projects.csv"]
    for old, new in [
        ("2021-10-31", "2020-02-30"),  # not a date
        ("own:0.5;loan:0.5", "own:0.5;loan:0.6"),  # shares
        ("A1:1,", "A1:1,P2"),  # a cycle
        ("city,hospital", "city,hospitl"),  # an unknown type
        ("land;permit", "land;permits"),  # an unknown gate
        ("4,900,0,200", "4,900,800,200"),  # done over total
        ("unit\n", "unitt\n"),  # an unknown column
    ]:
        assert projects.count(old) == 1, old
        projects = projects.replace(old, new)
    changed: dict[str, str | bytes | None] = {"projects.csv": projects}
    changed |= replaced("releases.csv", "A2,2021-01", "B2,2021-01")
    changed |= replaced("plan.toml", "[systems]", "horizon = 2021-06-30\n[systems]")
    changed |= replaced("drivers.toml", "normal(1.02", "normall(1.02")
    changed |= replaced("correlations.csv", "P3,P4", "P4,P4")
    found = {one.code for one in errors_of(problems_of(write_plan(tmp_path, changed)))}
    assert found >= {
        "not_a_date", "shares_do_not_sum", "cycle", "unknown_reference", "unknown_gate",
        "done_over_total", "unknown_column", "undefined_account", "horizon_too_early",
        "not_a_distribution", "pair_twice",
    }  # fmt: skip


def test_without_plan_toml_the_tables_are_still_checked(tmp_path: Path) -> None:
    changed: dict[str, str | bytes | None] = {"plan.toml": None}
    changed |= replaced("projects.csv", "1,1000,", "1,-5,")
    problems = problems_of(write_plan(tmp_path, changed))
    assert [one.code for one in problems] == ["missing_file", "negative_amount"]


def test_files_and_folders_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "nowhither").mkdir()
    (folder,) = problems_of(tmp_path / "nowhere")
    assert (folder.code, folder.file) == ("missing_folder", str(tmp_path / "nowhere"))
    assert folder.details["nearest"] == str(tmp_path / "nowhither")
    assert_told(folder)
    missing = problems_of(write_plan(tmp_path, {"projects.csv": None}))
    assert [(one.code, one.file) for one in missing if one.level == "error"] == [
        ("missing_file", "projects.csv")
    ]
    assert str(tmp_path / "projects.csv") in missing[0].render("en")
    (tmp_path / "projects.csv").mkdir()
    (problem,) = errors_of(problems_of(tmp_path))
    assert problem.code == "unreadable_file"
    assert_told(problem)


def test_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MEGABYTES_LIMIT", 0)
    found = problems_of(write_plan(tmp_path))
    assert {one.code for one in found} >= {"too_large"}
    for one in found:
        assert_told(one)


def test_links_out_of_the_folder_are_refused(tmp_path: Path) -> None:
    """A plan is one folder: what it says cannot depend on a file that does not travel with it."""
    outside = tmp_path / "outside.csv"
    outside.write_text(FILES["types.csv"], encoding="utf-8")
    folder = write_plan(tmp_path / "plan", {"types.csv": None, "drivers.toml": None})
    (folder / "types.csv").symlink_to(outside)
    (folder / "drivers.toml").symlink_to("drivers.toml")  # a link to itself
    (folder / "costs.txt").rename(tmp_path / "costs.txt")
    (folder / "costs.txt").symlink_to(tmp_path / "costs.txt")
    problems = errors_of(problems_of(folder))
    assert sorted((one.code, one.file) for one in problems) == [
        ("not_a_distribution", "projects.csv"),
        ("unsafe_path", "drivers.toml"),
        ("unsafe_path", "types.csv"),
    ]
    for one in problems:
        assert_told(one)


def test_links_inside_the_folder_are_followed(tmp_path: Path) -> None:
    folder = write_plan(tmp_path / "real")
    (folder / "types.csv").rename(folder / "kinds.txt")
    (folder / "types.csv").symlink_to("kinds.txt")
    (tmp_path / "linked").symlink_to(folder)
    assert problems_of(tmp_path / "linked") == []


def test_duplicate_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two draws never share an address: one that did would be told, not simulated."""
    monkeypatch.setattr(register, "address", lambda *_: 7)
    portfolio = sim.build_portfolio(load_plan(write_plan(tmp_path, {"correlations.csv": None})))
    with pytest.raises(sim.InputError) as caught:
        build_sampler(portfolio, 0)
    assert {one.code for one in caught.value.problems} == {"duplicate_address"}
    assert_told(caught.value.problems[0])


def test_sums_that_would_overflow(tmp_path: Path) -> None:
    header = FILES["projects.csv"].splitlines()[0] + "\n"
    row = "P{0},路,city,,government,new,{0},1e8,0,0,2021-04-01,2022-06-30,none,A1:1,,,,,\n"
    projects = header + "".join(row.format(i) for i in range(1, 9002))
    changed = {"projects.csv": projects, "commitments.csv": None, "correlations.csv": None}
    problems = problems_of(write_plan(tmp_path, changed))
    assert {one.code for one in errors_of(problems)} >= {"sum_too_large"}


def test_every_message_is_shown_by_a_test() -> None:
    assert {one.code for one in FAULTS} | SOMEWHERE_ELSE == set(catalogue())


def test_every_message_is_used_and_every_used_one_exists() -> None:
    used = {code for path in SOURCES.rglob("*.py") for code in _codes(path)}
    assert used == set(catalogue())


NAMING = ("Problem", "CellError", "_ChangeError", "_of_lever", "_problem")
"""What takes the code of a message as its first argument."""


def _codes(path: Path) -> Iterator[str]:
    """Yield the codes that a file names: the first text of a problem, of an error, of `code`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        first: ast.expr | None = None
        if isinstance(node, ast.Call) and node.args:
            called = node.func.id if isinstance(node.func, ast.Name) else ""
            first = node.args[0] if called in NAMING else None
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            first = node.value if node.target.id == "code" else None
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield first.value


def test_messages_are_complete_in_both_languages() -> None:
    places = re.compile(r"\{(\w+)\}")
    for code, entry in catalogue().items():
        assert set(entry) == {"rule_zh", "remedy_zh", "rule_en", "remedy_en"}, code
        zh, en = (
            set(places.findall(entry[f"rule_{lang}"] + entry[f"remedy_{lang}"]))
            for lang in ("zh", "en")
        )
        assert zh == en, code


COUNTED = re.compile(r"\{(count|cases|days|errors|expected|known|number|warnings)[^}]*\} [a-z]+s\b")


@pytest.mark.parametrize(
    "words",
    [catalogue(), SAYS["en"], TEXT["en"], replay._SAYS["en"], replay._WORDS["en"],
     hindcast.TEXT["en"], verification.WORDS["en"]],
    ids=["messages", "lines", "headline", "events", "replay", "hindcast", "verify"],
)  # fmt: skip
def test_one_is_not_told_as_many(words: Mapping[str, Any]) -> None:
    """A number that may be 1 stands behind what it counts: `errors: 1`."""
    texts = {key: one["rule_en"] if isinstance(one, dict) else one for key, one in words.items()}
    assert [key for key, text in texts.items() if COUNTED.search(str(text))] == []


def test_one_day_of_delay_is_a_day() -> None:
    assert [replay._days(count, "en") for count in (0, 1, 2, 1000)] == [
        "0 days", "1 day", "2 days", "1,000 days",
    ]  # fmt: skip


def test_one_mistake_is_told_once(tmp_path: Path) -> None:
    """A misspelled column accuses neither drivers nor releases of what they cannot see."""
    folder = write_plan(tmp_path, replaced(PROJECTS, "annual_plan", "anual_plan"))
    assert {one.code for one in problems_of(folder)} == {"unknown_column", "missing_column"}


WIDER: dict[str, str | bytes | None] = {
    PROJECTS: FILES[PROJECTS].splitlines()[0]
    + """,procedure,tier,programme,system,tags,done_this_year
P1,一号路,city,road,government,continuing,1,1000,400,300,2020-03-01,2021-10-31,none,\
general_budget:0.4;loan:0.6,,,,12,km,approval,city,metro,transport,flagship,0
P2,二号路,north,road,government,new,2,800,0,300,2021-04-01,2022-06-30,record,A1:1,,,,8,km,\
filing,city,metro,transport,flagship,0
P3,医院,city,hospital,government,new,3,1200,0,100,2021-12-01,2022-12-31,land;permit,,P1,\
"lognormal(median=1, sigma=0.2)",,,,approval,city,metro,transport,flagship,0
P4,厂房,city,plant,enterprise,new,4,900,0,200,2021-05-01,2022-05-31,none,own:1,,\
"pert(0.8, 1, 1.5)",empirical(costs.txt),,,approval,city,metro,transport,flagship,0
P5,仓库,north,plant,enterprise,new,5,700,0,300,2021-03-01,2022-03-31,none,other:0.5;loan:0.5,\
,,,,,approval,city,metro,transport,flagship,0
P6,老路,city,road,government,completing,6,100,100,0,2019-01-01,2020-06-30,none,A1:1,\
,,,,,approval,city,metro,transport,,0
P7,储备,north,road,government,reserve,7,100,0,0,2022-01-01,2022-06-30,none,A1:1,\
,,,,,approval,city,metro,transport,,0
P8,前期,north,road,government,pre_work,8,100,0,10,2022-02-01,2022-06-30,,A1:1,\
,,,,,approval,city,metro,transport,,0
""",
    "accounts.csv": FILES["accounts.csv"]
    + "A3,甲自有,own,north,0,0\nA4,乙自有,own,city,0,0\n"
    + "A5,丙贷款,loan,north,0,0\nA6,丁其他,other,north,0,0\n",
    "gates.csv": FILES["gates.csv"] + "filing,record,,fixed(1),fixed(1),\n",
    "types.csv": FILES["types.csv"] + "lab,fixed(1),fixed(1),,,,\n",
    "releases.csv": FILES["releases.csv"] + "A1,2021-03,2021-03-15,40,P3\n",
    "correlations.csv": FILES["correlations.csv"] + "cost,P3,P4,0.1\n",
    "calendar.csv": FILES["calendar.csv"] + "dry,06-01,06-30,0.5,heat\n",
    RISKS: """\
id,name,probability,days,applies_to,at,triggers
R1,文物,0.1,10,type=road;county=north;tags=flagship,land,R2
R2,雨,0.1,5,programme=metro;investor=enterprise;stage=new,permit,
""",
    DRIVERS: FILES[DRIVERS].replace("road = 1.2", "road = 1.2, lab = 1.1").replace(
        "[dependence]",
        """[works]
title = "工效"
distribution = "uniform(0.9, 1.1)"
acts_on = "duration"
exposure = { by = "tier", city = 1.2 }

[weather]
title = "天气"
distribution = "uniform(0.9, 1.1)"
acts_on = "duration"
exposure = { by = "season", site = 1.2, dry = 1.1 }

[dependence]""",
    ),
}  # fmt: skip
"""The small plan, referring in more ways from one table to another."""
UNSCHEDULED = Change("levers", "pull_forward", "", ["P7"])


def told_of(folder: Path) -> dict[str, Problem]:
    """Return the problems of a plan whose scenario takes a project from the reserve."""
    problems = load_plan_with(folder, [UNSCHEDULED]).problems
    return {one.render("en"): one for one in problems}


def test_wider_plan_is_sound(tmp_path: Path) -> None:
    assert list(told_of(write_plan(tmp_path, WIDER))) == []


@pytest.mark.parametrize("table", sorted(name for name in FILES if name.endswith(".csv")))
def test_a_misspelt_column_accuses_nobody_else(table: str, tmp_path: Path) -> None:
    """What a column says is not known while its name is none: no check relies on it."""
    header, _, rows = str({**FILES, **WIDER}[table]).partition("\n")
    for column in header.split(","):
        misspelt = [one + "x" if one == column else one for one in header.split(",")]
        folder = write_plan(tmp_path, WIDER | {table: ",".join(misspelt) + "\n" + rows})
        found = told_of(folder)
        assert {one.code for one in found.values()} <= {"unknown_column", "missing_column"}, found
        assert {(one.code, one.file, one.column) for one in found.values()} >= {
            ("unknown_column", table, f"{column}x")
        }


@pytest.mark.parametrize("table", sorted(name for name in FILES if name.endswith(".csv")))
def test_a_table_that_cannot_be_read_accuses_nobody_else(table: str, tmp_path: Path) -> None:
    found = told_of(write_plan(tmp_path, WIDER | {table: b"\xff\xff"}))
    assert [(one.code, one.file) for one in found.values()] == [("encoding", table)]


@pytest.mark.parametrize(
    ("table", "old", "new", "code"),
    [
        (PROJECTS, "P1,一号路,city,road,government", "P1,一号路,city,road,x", "not_a_choice"),
        (PROJECTS, ",700,0,300,2021-03-01", ",-7,0,300,2021-03-01", "negative_amount"),
        ("accounts.csv", "general_budget,city,10", "general_budget,city,-10", "negative_amount"),
        ("calendar.csv", "dry,06-01,06-30", "dry,06-01,06-31", "not_a_date"),
        ("types.csv", "plant,fixed(1),fixed(1)", "plant,fixed(1),fixed(x)", "not_a_distribution"),
        ("types.csv", '"uniform(0.9, 1.2)"', '"uniform(1.9, 1.2)"', "not_a_distribution"),
    ],
)  # fmt: skip
def test_a_row_with_an_error_accuses_nobody(
    table: str, old: str, new: str, code: str, tmp_path: Path
) -> None:
    """A cell that is wrong hides its row: of what the row says nothing can be said to be amiss."""
    content = str(WIDER[table])
    assert content.count(old) == 1
    extra: dict[str, str | bytes | None] = {
        # The only ones of their kind: an enterprise in the north, a type of the dry season.
        RISKS: "id,name,probability,applies_to\nR1,雨,0.1,county=north;investor=enterprise\n",
        "types.csv": str(WIDER["types.csv"]).replace("lab,fixed(1),fixed(1),,", "lab,,,,dry"),
    }
    if table == "types.csv":
        content = content.replace("lab,fixed(1),fixed(1),,", "lab,,,,dry")
    folder = write_plan(tmp_path, WIDER | extra)
    assert list(told_of(folder)) == []
    (folder / table).write_text(content.replace(old, new), encoding="utf-8")
    assert {one.code for one in told_of(folder).values()} == {code}


def test_a_type_with_an_error_may_have_the_season_that_a_driver_names(tmp_path: Path) -> None:
    changed: dict[str, str | bytes | None] = {
        "calendar.csv": FILES["calendar.csv"] + "all,07-01,07-02,0.5,heat\n",
        "types.csv": FILES["types.csv"] + "lab,fixed(1),fixed(x),,wet,,\n",
        DRIVERS: FILES[DRIVERS].replace('by = "type"', 'by = "season"').replace("road", "wet"),
    }
    found = problems_of(write_plan(tmp_path, changed))
    assert [one.code for one in found] == ["not_a_distribution"]


def test_a_cycle_of_triggers_names_the_path(tmp_path: Path) -> None:
    table = (
        "id,name,probability,triggers\nR1,a,0.1,R2\nR2,b,0.1,R4;R3:0.5\nR3,c,0,R1:0.1\nR4,d,0,\n"
    )
    (one,) = problems_of(write_plan(tmp_path, {RISKS: table}))
    assert (one.code, one.column) == ("trigger_cycle", "triggers")
    path = str(one.details["path"]).split(" -> ")
    assert path[0] == path[-1] == one.value
    assert {*itertools.pairwise(path)} == {("R1", "R2"), ("R2", "R3"), ("R3", "R1")}
    assert one.row == {"R1": 2, "R2": 3, "R3": 4}[path[0]]
    assert_told(one)


def test_a_missing_table_of_gates_is_told_once(tmp_path: Path) -> None:
    (one,) = problems_of(write_plan(tmp_path, {"gates.csv": None}))
    assert (one.code, one.column, one.details["count"]) == ("no_gates_table", "gates", 2)
    assert_told(one)


def test_headers_in_chinese_are_read(tmp_path: Path) -> None:
    names = {one.column: one.zh for one in tables.fields_of("projects").values()}
    header, _, rest = FILES[PROJECTS].partition("\n")
    chinese = ",".join(names[column] for column in header.split(","))
    english = load_plan(write_plan(tmp_path / "en"))
    plan = load_plan(write_plan(tmp_path / "zh", {PROJECTS: f"{chinese}\n{rest}"}))
    assert plan.projects == english.projects


def test_a_wrong_header_in_chinese_names_the_nearest_in_english(tmp_path: Path) -> None:
    zh = tables.fields_of("projects")["annual_plan"].zh
    (wrong, _) = problems_of(write_plan(tmp_path, replaced(PROJECTS, "annual_plan", f"本{zh}")))
    assert (wrong.code, wrong.details["nearest"]) == ("unknown_column", "annual_plan")


def test_a_year_that_has_not_begun_has_nothing_done(tmp_path: Path) -> None:
    lines = FILES[PROJECTS].splitlines()
    wider = [f"{lines[0]},done_this_year", f"{lines[1]},5", *(f"{line}," for line in lines[2:])]
    found = problems_of(write_plan(tmp_path, {PROJECTS: "\n".join(wider) + "\n"}))
    assert [(one.code, one.row) for one in errors_of(found)] == [("year_not_begun", 2)]
