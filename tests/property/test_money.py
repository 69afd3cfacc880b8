"""The rules of money as properties, each written from docs/model.md and not from the code.

Every generated plan is also told a second time by tests/ledger.py, to the yuan.
"""

import datetime
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.engine.rules import NEVER, PPM, Happening, Phase
from sim.sampling.accounts import lay_out_accounts
from tests.ledger import Ledger
from tests.money_worlds import MoneyWorld, money_worlds
from tests.worlds import Lived, Row, live, project, write_world

COMMON = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def check_telling(lived: Lived, ledger: Ledger) -> None:
    """Rules 6, 7 and 12 to 26: the ledger's own telling ends with the same tables."""
    life = lived.trajectory
    for name, rows in ledger.table.items():
        if name != "due":
            np.testing.assert_array_equal(getattr(life, name), np.array(rows).T, err_msg=name)
    assert life.premium.tolist() == [ledger.premiums_of(i)[-1] for i in range(lived.portfolio.size)]


def check_accounts(lived: Lived, ledger: Ledger) -> None:
    """Rule 26: opening + released = paid + set aside + lapsed + balance, none below zero."""
    life = lived.trajectory
    inside = life.spent + life.set_aside + life.lapsed + life.balance
    np.testing.assert_array_equal(np.array(ledger.opening)[:, None] + life.released, inside)
    for table in (life.set_aside, life.balance, life.unmet, life.arrears):
        assert (table >= 0).all()
    for table in (life.released, life.spent, life.lapsed, life.paid, life.claimed):
        assert (np.diff(table, axis=1) >= 0).all()


def check_projects(lived: Lived, ledger: Ledger) -> None:
    """Rules 22 and 26: claimed = paid + due later + arrears; nobody paid before it is due."""
    life, due = lived.trajectory, np.array(ledger.table["due"]).T
    assert (life.paid <= due).all()
    np.testing.assert_array_equal(life.claimed, life.paid + (life.claimed - due) + life.arrears)
    assert (life.unmet.sum(axis=0) <= life.arrears.sum(axis=0)).all()


def check_entitlement(lived: Lived, _: Ledger) -> None:
    """Rule 16: nobody claims above value, and in the end everybody has claimed all of it."""
    life, portfolio = lived.trajectory, lived.portfolio
    for i, one in enumerate(portfolio.plan.projects):
        kind = portfolio.type_of(i)
        before = round(kind.pay_ratio * PPM) * int(portfolio.done[i]) // PPM
        claimed = life.claimed[i] - portfolio.opening_claims[i].sum() + before
        advance = int(lived.drawn.advance[i]) if life.start[i] != NEVER else 0
        assert (claimed <= life.value[i] + life.premium[i] + advance).all(), one.id
        wait = max(portfolio.plan.adjustment_days, portfolio.plan.adjustment_days_above)
        last = portfolio.month_ends[-1]
        if (
            life.delivered[i] >= 0
            and max(life.delivered[i], portfolio.year_end_day) + wait + 70 < last
        ):
            whole = int(lived.drawn.total[i]) + int(life.premium[i])
            assert claimed[-1] == max(whole, before + advance), one.id


def check_advance(lived: Lived, _: Ledger) -> None:
    """Rule 15: a share of what is to be added in the plan year, or in the first 365 days."""
    portfolio, drawn = lived.portfolio, lived.drawn
    for i, one in enumerate(portfolio.plan.projects):
        if portfolio.begun[i]:
            intended = 0.0
        elif one.planned_start <= portfolio.plan.year_end:
            intended = float(drawn.year_end_value[i] - portfolio.done[i])
        else:
            days = (one.planned_finish - one.planned_start).days + 1
            intended = float(drawn.total[i]) * min(365, days) / days
        expected = portfolio.type_of(i).advance * intended
        assert abs(int(drawn.advance[i]) - expected) <= 2, one.id  # two roundings
        claims = [e for e in lived.events if (e.project, e.happening) == (i, Happening.ADVANCE)]
        first = [day for day in portfolio.month_ends if day >= lived.trajectory.start[i]]
        if drawn.advance[i] and first:
            assert [(e.day, e.number) for e in claims] == [(first[0], drawn.advance[i])]
        else:
            assert not claims


def check_days_of_payment(lived: Lived, ledger: Ledger) -> None:
    """Rule 19: paid on the last day of a month, in December on the cut-off day only."""
    days = {e.day for e in lived.events if e.happening == Happening.PAID}
    assert days <= set(ledger.runs)
    cut_off = lived.portfolio.plan.levers.december_cut_off or lived.portfolio.plan.december_cut_off
    for day in days:
        date = lived.date(day)
        following = date + datetime.timedelta(days=1)
        assert (date.month, date.day) == cut_off if date.month == 12 else following.day == 1


def check_equity_first(lived: Lived, ledger: Ledger) -> None:
    """Rules 20 and 21: equity accounts pay first, and no loan runs ahead of equity."""
    equity: dict[int, int] = defaultdict(int)
    debt: dict[int, int] = defaultdict(int)
    debt_day = None
    for event in lived.events:
        if event.happening != Happening.PAID:
            continue
        if ledger.debt[event.place]:
            debt[event.project] += event.number
            debt_day = event.day
        else:
            equity[event.project] += event.number
            assert event.day != debt_day
        share = ledger.equity_share(event.project)
        if share:
            bound = equity[event.project] * (1 - share) + 1
            assert debt[event.project] * share <= bound


def check_earmarks(lived: Lived, ledger: Ledger) -> None:
    """Rule 18: nobody draws more on an account than its pool and his own earmarked releases."""
    if lived.portfolio.plan.levers.bond_reallocation_days is not None:
        return
    plan, drawn = lived.portfolio.plan, lived.drawn
    drawings: dict[tuple[int, int], int] = defaultdict(int)
    for event in lived.events:
        if event.happening != Happening.PAID or ledger.is_path[event.place]:
            continue
        drawings[event.place, event.project] += event.number
        name, who = ledger.names[event.place], plan.projects[event.project].id
        reached = ledger.opening[event.place] + sum(
            int(amount)
            for one, amount, day in zip(
                plan.releases, drawn.release_amount, drawn.release_day, strict=True
            )
            if one.account == name and one.project in ("", who) and day <= event.day
        )
        assert drawings[event.place, event.project] <= reached


def check_set_aside(lived: Lived, ledger: Ledger) -> None:
    """Rules 5 and 6: who is government starts with its first instalment set aside, in full."""
    aside: dict[tuple[int, int], int] = defaultdict(int)
    days = {}
    for event in lived.events:
        if event.happening == Happening.SET_ASIDE:
            aside[event.project, event.place] += event.number
            days[event.project] = event.day
    for i, one in enumerate(lived.portfolio.plan.projects):
        if one.investor == "enterprise":
            assert i not in days
        elif 0 <= lived.trajectory.start[i] != NEVER:
            assert days.get(i, lived.trajectory.start[i]) == lived.trajectory.start[i]
            for account, lines in ledger.needs_of(i).items():
                assert aside[i, account] == sum(amount for _, amount in lines), one.id
        else:
            assert i not in days


def check_waiting(lived: Lived, ledger: Ledger) -> None:
    """Rule 8: the wait for equity runs from being ready in all else to the start."""
    life, ready = lived.trajectory, ledger.ready_days()
    for i in range(lived.portfolio.size):
        until = min(int(life.start[i]), lived.portfolio.days)
        assert life.waits[i, 5] == (until - ready[i] if i in ready else 0)


def check_year_end(lived: Lived, ledger: Ledger) -> None:
    """Rule 25: only what may lapse does, on 31 December; bonds never."""
    lapsed = lived.trajectory.lapsed
    gained = np.diff(lapsed, axis=1, prepend=0)
    for m, day in enumerate(lived.portfolio.month_ends.tolist()):
        if lived.date(day).month != 12:
            assert not gained[:, m].any()
    for account, name in enumerate(ledger.names):
        filed = [one for one in lived.portfolio.plan.accounts if one.id == name]
        if not filed or filed[0].year_end == "carry" or filed[0].class_ == "special_bond":
            assert not lapsed[account].any()


def check_clocks(lived: Lived, ledger: Ledger) -> None:
    """Rule 24: what each bond release has paid by each look at its clock."""
    arrays, drawn, life = lived.frame.accounts, lived.drawn, lived.trajectory
    looks = zip(arrays.check_release.tolist(), arrays.check_after.tolist(), strict=True)
    for k, (release, after) in enumerate(looks):
        day = int(drawn.release_day[release]) + after
        assert life.check_spent[k] == ledger.checked.get((release, day), -1)


def check_rates(lived: Lived, _: Ledger) -> None:
    """Rule 11: arrears beyond the tolerance slow the next month, in ppm, down to the floor."""
    life, portfolio = lived.trajectory, lived.portfolio
    set_on = {(e.project, e.day): e.number for e in lived.events
              if e.happening == Happening.RATE_SET}  # fmt: skip
    for i in range(portfolio.size):
        kind, rate = portfolio.type_of(i), PPM
        before = round(kind.pay_ratio * PPM) * int(portfolio.done[i]) // PPM
        opening = int(portfolio.opening_claims[i].sum())
        for m, day in enumerate(portfolio.month_ends.tolist()):
            if not life.start[i] <= day < life.finish[i]:
                assert (i, day) not in set_on
                continue
            rate = set_on.get((i, day), rate)
            base = max(int(life.value[i, m]), int(life.claimed[i, m]) - opening + before, 1)
            tolerated = round(kind.arrears_tolerance * PPM) * base // PPM
            excess = int(life.arrears[i, m]) - tolerated
            date = lived.date(day)
            late = date.year == portfolio.plan.plan_year and date.month in (8, 9, 10, 11)
            if excess > 0:
                assert rate == max(PPM - excess * PPM // base, round(kind.slow_rate * PPM))
            elif late and portfolio.plan.levers.acceleration == "on":
                assert PPM <= rate <= round(kind.acceleration * PPM)
            else:
                assert rate == PPM


RULES = (
    check_telling, check_accounts, check_projects, check_entitlement, check_advance,
    check_days_of_payment, check_equity_first, check_earmarks, check_set_aside, check_waiting,
    check_year_end, check_clocks, check_rates,
)  # fmt: skip


@given(money_worlds(), st.integers(0, 3))
@settings(COMMON, max_examples=50)
def test_generated_plans(world: MoneyWorld, replication: int) -> None:
    """Every rule holds on generated plans."""
    lived = world.live(replication)
    ledger = Ledger(lived).tell()
    for rule in RULES:
        rule(lived, ledger)


@given(money_worlds())
@settings(COMMON, max_examples=25)
def test_unlimited_money(world: MoneyWorld) -> None:
    """Rule 22: where money is unlimited all that falls due is paid, and nothing waits for it."""
    lived = world.live(0, "uncertainties.money=off")
    life, ledger = lived.trajectory, Ledger(lived)
    assert not life.arrears.any()
    assert not life.waits[:, 5].any()
    for i, claims in enumerate(ledger.claims):
        due = [sum(x for _, x, run in claims if run <= r) for r in range(len(ledger.runs))]
        assert life.paid[i].tolist() == due


@given(money_worlds())
@settings(COMMON, max_examples=25)
def test_growth_waits_for_its_adjustment(world: MoneyWorld) -> None:
    """Rule 14: until the decision, value stops at 110 % of the estimate, and claims at 100 %."""
    lived = world.live(0, "uncertainties.money=off")
    plan, ends = lived.portfolio.plan, lived.portfolio.month_ends.tolist()
    at_once = MoneyWorld(world.projects, world.accounts, world.releases, "", world.changes)
    free = at_once.live(0, "uncertainties.money=off").trajectory.value
    for i, one in enumerate(plan.projects):
        total, limit = int(lived.drawn.total[i]), one.total * 11 // 10
        wait = plan.adjustment_days_above if 10 * total > 11 * one.total else plan.adjustment_days
        above = [day for m, day in enumerate(ends) if free[i, m] > one.total]
        decided = [day for day in ends if above and day >= above[0] + wait]
        for m, day in enumerate(ends):
            held = not decided or day < decided[0]
            expected = min(int(free[i, m]), limit) if held else int(free[i, m])
            assert lived.trajectory.value[i, m] == expected


@given(st.data())
@settings(COMMON, max_examples=40)
def test_more_money_never_pays_less_in_total(data: st.DataObject) -> None:
    """Rule 20: one payment run pays the smaller of pool and demand, whatever the rule."""
    owed = data.draw(st.lists(st.integers(1, 900), min_size=2, max_size=6))
    rule = data.draw(st.sampled_from(["tier", "pro_rata", "fifo"]))
    tiers = data.draw(st.lists(st.sampled_from(["province", "city", "county", ""]),
                               min_size=len(owed), max_size=len(owed)))  # fmt: skip
    less = data.draw(st.integers(0, sum(owed)))
    for pool in (less, less + data.draw(st.integers(0, 900))):
        paid = owed_and_paid(owed, tiers, rule, pool)
        assert sum(paid) == min(pool, sum(owed))
        assert all(got <= need for got, need in zip(paid, owed, strict=True))
        if rule == "tier":
            order = [("province", "city", "county", "").index(tier) for tier in tiers]
            for i, mine in enumerate(order):
                behind = [paid[j] for j, other in enumerate(order) if other > mine]
                assert paid[i] == owed[i] or not any(behind)


def owed_and_paid(owed: list[int], tiers: list[str], rule: str, pool: int) -> list[int]:
    """Let a pool pay arrears filed at the status date, and return the first run's payments."""
    rows = [
        project(f"P{k}", "2020-06-01", "2021-12-31", 1_000, 0, done_before_year=1_000,
                stage="continuing", arrears=need, tier=tier, funding="A:1")
        for k, (need, tier) in enumerate(zip(owed, tiers, strict=True))
    ]  # fmt: skip
    accounts = [{"id": "A", "name": "A", "class": "grant", "opening": pool, "rule": rule}]
    lived = live(world_of(rows, accounts))
    paid = np.zeros(len(rows), dtype=int)
    for event in lived.events:
        if event.happening == Happening.PAID and event.day == 30:
            paid[event.project] += event.number
    return [int(amount) for amount in paid]


def world_of(
    rows: Sequence[Row],
    accounts: Sequence[Row],
    settings: str = "",
    types: Sequence[Row] = ({"type": "bare"},),
    releases: Sequence[Row] = (),
) -> Path:
    """Write a small plan in yuan on a calendar without stops."""
    folder = Path(tempfile.mkdtemp(prefix="money-"))
    base = 'amount_unit = "元"\ncalendar = "continuous"\nhorizon = 2022-12-31\n'
    tables = {"accounts": accounts, "types": types}
    if releases:
        tables["releases"] = releases
    return write_world(folder, rows, base + settings, "", **tables)


ADVANCED: list[Row] = [{"type": "advanced", "advance": 0.2}]


def starter(name: str, rank: int, funding: str, start: str = "2021-03-01", **more: object) -> Row:
    """Return a government project that needs 200 yuan of advance."""
    return project(name, start, "2021-12-25", 1_000, 1_000, type="advanced", gates="none",
                   rank=rank, funding=funding, **more)  # fmt: skip


def purse(name: str, opening: int = 0, **more: object) -> Row:
    """Return an account."""
    return {"id": name, "name": name, "class": "grant", "opening": opening, **more}


def test_no_money_no_start() -> None:
    """Rule 5: without money no government project with an advance starts; enterprises do."""
    rows = [starter("G", 1, "A:1"), starter("E", 2, "A:1", investor="enterprise"),
            starter("L", 3, "B:1")]  # fmt: skip
    accounts = [purse("A"), purse("B", equity="no")]
    lived = live(world_of(rows, accounts, types=ADVANCED))
    start = lived.trajectory.start
    assert start[lived.position("G")] == NEVER
    assert lived.date(start[lived.position("E")]) == datetime.date(2021, 3, 1)
    assert lived.date(start[lived.position("L")]) == datetime.date(2021, 3, 1)  # no equity part
    assert not lived.trajectory.spent.any()


@pytest.mark.parametrize(
    ("rule", "second"), [("wait", datetime.date(2021, 3, 1)), ("block", datetime.date(2021, 6, 10))]
)
def test_wait_and_block(rule: str, second: datetime.date) -> None:
    """Rule 7: who waits lets others pass, or with the lever reserves its turn at its accounts.

    Who waits at no such account, or needs no money, is never held; who was held goes on as soon
    as the one before it starts.
    """
    rows = [
        starter("first", 1, "A:0.5;B:0.5"),
        starter("second", 2, "A:1"),
        starter("elsewhere", 3, "C:1"),
        {**starter("free", 4, "A:1"), "type": "bare"},
    ]
    accounts = [purse("A", 5_000), purse("B"), purse("C", 300)]
    releases: list[Row] = [{"account": "B", "available": "2021-06-10", "amount": 500}]
    types: list[Row] = [*ADVANCED, {"type": "bare"}]
    folder = world_of(rows, accounts, types=types, releases=releases)
    lived = live(folder, changes=[f"levers.start_rule={rule}"])
    starts = {
        one.id: lived.date(lived.trajectory.start[i])
        for i, one in enumerate(lived.portfolio.plan.projects)
    }
    on_time = datetime.date(2021, 3, 1)
    assert starts == {
        "first": datetime.date(2021, 6, 10),
        "second": second,
        "elsewhere": on_time,
        "free": on_time,
    }


def test_set_aside_is_not_for_others() -> None:
    """Rule 6: money set aside pays its own line only, when its advance falls due."""
    rows = [
        starter("S", 1, "A:1"),
        project("O", "2020-06-01", "2021-12-31", 1_000, 0, done_before_year=1_000,
                stage="continuing", arrears=900, rank=0, tier="province", funding="A:1"),
    ]  # fmt: skip
    releases: list[Row] = [{"account": "A", "available": "2021-03-01", "amount": 200}]
    folder = world_of(rows, [purse("A")], types=ADVANCED, releases=releases)
    lived = live(folder)
    march = lived.month("2021-03")
    assert lived.trajectory.paid[lived.position("S"), march] == 200
    assert lived.trajectory.paid[lived.position("O"), march] == 0


def test_own_funds_come_a_year_later() -> None:
    """Rule 23: of what fell due an owner pays 60 % now, and the rest twelve months later."""
    rows = [project("P", "2020-06-01", "2021-12-31", 2_000, 1_000, done_before_year=1_000,
                    stage="continuing", arrears=1_000, investor="enterprise",
                    funding="own:1")]  # fmt: skip
    folder = world_of(rows, [purse("A")])
    (folder / "drivers.toml").write_text(
        '[o]\ntitle = "o"\ndistribution = "fixed(0.6)"\nacts_on = "own"\n', encoding="utf-8"
    )
    lived = live(folder)
    value = lived.trajectory.value[0].tolist()
    for m, paid in enumerate(lived.trajectory.paid[0].tolist()):
        due = value[m]  # 1,000 owed before, then all that is added
        earlier = value[m - 12] if m >= 12 else 0
        assert paid == (600_000 * due + 400_000 * earlier) // PPM


def test_opening_claims() -> None:
    """Rule 17: what was measured before the status date falls due on its own day after it."""
    kinds: list[Row] = [{"type": "late", "pay_ratio": 0.8, "pay_lag_days": 75}]
    rows = [project("P", "2020-08-01", "2021-12-31", 2_000_000, 1_000_000, type="late",
                    done_before_year=1_000_000, stage="continuing", arrears=5_000,
                    funding="A:1")]  # fmt: skip
    lived = live(world_of(rows, [purse("A", 10**9)], types=kinds))
    begin = datetime.date(2020, 7, 31)
    whole = (datetime.date(2020, 12, 31) - begin).days
    ends = [datetime.date(2020, 9, 30), datetime.date(2020, 10, 31), datetime.date(2020, 11, 30)]
    by_then = [800_000 * (end - begin).days / whole for end in ends] + [800_000]
    # A knot's share is rounded down to a millionth, and so is each claim: below 3 yuan in all.
    october, november, december = np.diff(by_then)
    paid = lived.trajectory.paid[0]
    january = 5_000 + october  # measured on 31 October, due on 14 January
    assert paid[0] == pytest.approx(january, abs=3)
    assert paid[1] == pytest.approx(january + november, abs=3)
    assert paid[2] == pytest.approx(january + november + december, abs=3)


def test_december_cut_off() -> None:
    """Rules 19 and 25: what the last run cannot pay stays owed, although the balance lapses."""
    rows = [project("P", "2020-06-01", "2021-12-31", 2_000, 1_000, done_before_year=1_000,
                    stage="continuing", funding="A:1")]  # fmt: skip
    folder = world_of(rows, [purse("A", 5_000, year_end="lapse")], 'december_cut_off = "12-20"')
    lived = live(folder)
    life, november, december = lived.trajectory, lived.month("2021-11"), lived.month("2021-12")
    assert life.value[0, december] > life.value[0, november]
    assert life.paid[0, december] == life.paid[0, november]
    assert life.arrears[0, december] == 0  # claimed on the 31st: due at the next run
    assert life.balance[0, december] == 0
    assert life.lapsed[0, december] == 5_000 - life.paid[0, november]
    assert life.arrears[0, december + 1] == 2_000 - life.value[0, november]


def test_premium() -> None:
    """Rule 12: value that acceleration brought costs a fifth more; it is claimed, not work."""
    kinds: list[Row] = [{"type": "keen", "acceleration": 1.5, "duration": 1.3}]
    rows = [project("P", "2021-02-01", "2022-03-31", 1_000_000, 800_000, type="keen",
                    gates="none", funding="A:1")]  # fmt: skip
    lived = live(world_of(rows, [purse("A", 10**9)], types=kinds))
    life = lived.trajectory
    rates = {e.day: e.number for e in lived.events if e.happening == Happening.RATE_SET}
    assert rates
    assert min(rates) == lived.portfolio.month_ends[lived.month("2021-08")]
    premium = 0.0
    for month in ("2021-09", "2021-10", "2021-11", "2021-12"):
        m = lived.month(month)
        rate = rates[max(day for day in rates if day <= lived.portfolio.month_ends[m - 1])]
        added = int(life.value[0, m] - life.value[0, m - 1])
        premium += added * (rate - PPM) / rate * 0.2
    assert life.premium[0] == pytest.approx(premium, abs=8)  # two roundings in each of four months
    assert premium > 10_000
    assert life.value[0, -1] == 1_000_000
    assert life.claimed[0, -1] == life.paid[0, -1] == 1_000_000 + life.premium[0]


def test_phases_of_money() -> None:
    """2.5: on one day money is received, then starts are made, then payments."""
    rows = [starter("S", 1, "A:1", start="2021-03-31")]
    releases: list[Row] = [{"account": "A", "available": "2021-03-31", "amount": 200}]
    folder = world_of(rows, [purse("A")], types=ADVANCED, releases=releases)
    lived = live(folder)
    day = lived.portfolio.month_ends[lived.month("2021-03")]
    assert lived.trajectory.start[0] == day
    assert lived.trajectory.paid[0, lived.month("2021-03")] == 200
    phases = [event.phase for event in lived.events if event.day == day]
    assert phases == sorted(phases)
    assert {Phase.RECEIVE, Phase.STARTS, Phase.PAY} <= set(phases)


def test_idle_bond_money_moves() -> None:
    """Rule 24: what lies idle at six months comes to the pool n days later, and not to its project.

    Until then only the project that it is earmarked for is paid from it.
    """
    common = {"stage": "continuing", "arrears": 700, "funding": "bond:1"}
    rows = [
        project("slow", "2020-06-01", "2021-12-31", 1_365, 365, done_before_year=1_000, **common),
        project("eager", "2020-06-01", "2021-12-31", 1_000, 0, done_before_year=1_000,
                tier="province", **common),
    ]  # fmt: skip
    accounts = [{"id": "bond", "name": "bond", "class": "special_bond"}]
    releases: list[Row] = [
        {"account": "bond", "issued": "2021-01-04", "available": "2021-01-20", "amount": 1_500,
         "project": "slow"}
    ]  # fmt: skip
    folder = world_of(rows, accounts, releases=releases)
    kept, moved = live(folder), live(folder, changes=["levers.bond_reallocation_days=35"])
    slow, eager = moved.position("slow"), moved.position("eager")
    june, july, august = (moved.month(f"2021-0{k}") for k in (6, 7, 8))
    by_june = int(kept.trajectory.paid[slow, june])
    assert by_june in (700 + 180, 700 + 181)  # a yuan a day, rounded down
    assert moved.trajectory.paid[slow, june] == by_june
    assert not kept.trajectory.paid[eager].any()
    # Looked at on 4 July, withdrawn, and in the pool on 8 August.
    assert moved.trajectory.paid[slow, july] == moved.trajectory.paid[slow, august] == by_june
    assert moved.trajectory.balance[0, july] == 1_500 - by_june
    assert moved.trajectory.paid[eager, july] == 0
    assert moved.trajectory.paid[eager, august] == 1_500 - by_june
    assert moved.trajectory.check_spent.tolist() == [by_june, 1_500]
    assert kept.trajectory.check_spent.tolist() == [by_june, 700 + 365]
    # What comes in on the day of a run is there for the run.
    in_time = live(folder, changes=["levers.bond_reallocation_days=27"])
    assert in_time.trajectory.paid[eager, july] == 1_500 - by_june


def test_what_rounding_leaves_goes_by_rank() -> None:
    """Rule 20: a ratio of 999,444 ppm leaves 3 yuan over; nobody gets more than he asks."""
    owed = [1, 900, 900, 900, 900]
    assert owed_and_paid(owed, [""] * 5, "pro_rata", 3_599) == [1, 900, 900, 899, 899]


def test_loans_that_go_round_wait_for_equity_that_does_not() -> None:
    """Rule 21: two share a short pool of equity; the loan that goes round follows each of them.

    The first loan goes round, the second is short; a third project has all its equity.
    """
    common = {"stage": "continuing", "done_before_year": 1_000, "arrears": 400, "gates": "none"}
    rows = [
        project("one", "2020-06-01", "2021-12-31", 1_000, 0, rank=1,
                funding="E:1/2;L:1/4;M:1/4", **common),
        project("two", "2020-06-01", "2021-12-31", 1_000, 0, rank=2,
                funding="E:1/2;L:1/4;M:1/4", **common),
        project("own", "2020-06-01", "2021-12-31", 1_000, 0, rank=3,
                funding="F:1/2;L:1/2", **common),
    ]  # fmt: skip
    accounts = [
        purse("E", 300, rule="pro_rata"), purse("F", 1_000),
        {"id": "L", "name": "L", "class": "loan", "opening": 1_000},
        {"id": "M", "name": "M", "class": "loan", "opening": 60, "rule": "tier"},
    ]  # fmt: skip
    life = live(world_of(rows, accounts)).trajectory
    # Of 200 owed on equity each has 150, so its loans may reach 150: 100 of L, and of M the rest,
    # where 60 of 100 are there.
    assert life.paid[2, 0] == 400
    assert life.spent[:4, 0].tolist() == [300, 200, 400, 60]
    assert life.paid[:2, 0].sum() == 300 + 200 + 60


@pytest.mark.parametrize("loan", ["A", "Z"])
def test_bonds_are_drawn_before_loans_whatever_their_names(loan: str) -> None:
    """Rule 20: equity lets debt reach 200 of the 300 that is owed on it; bonds come first."""
    rows = [
        project("one", "2020-06-01", "2021-12-31", 1_000, 0, stage="continuing", gates="none",
                done_before_year=1_000, arrears=600, funding=f"E:1/2;{loan}:1/4;M:1/4"),
    ]  # fmt: skip
    accounts: list[Row] = [
        purse("E", 200),
        {"id": loan, "name": "L", "class": "loan", "opening": 1_000},
        {"id": "M", "name": "M", "class": "special_bond", "opening": 1_000},
    ]
    lived = live(world_of(rows, accounts))
    names = [one.id for one in lay_out_accounts(lived.portfolio, True).accounts]
    spent = dict(zip(names, lived.trajectory.spent[:, 0].tolist(), strict=True))
    assert (spent["E"], spent["M"], spent[loan]) == (200, 150, 50)


def test_earmarked_money_is_set_aside_first() -> None:
    """Rule 6: who has earmarked money leaves the pool to others."""
    rows = [
        starter("S", 1, "A:1"),
        project("O", "2020-06-01", "2021-12-31", 1_000, 0, done_before_year=1_000,
                stage="continuing", arrears=500, rank=2, funding="A:1"),
    ]  # fmt: skip
    releases: list[Row] = [
        {"account": "A", "available": "2021-02-20", "amount": 150, "project": "S"},
        {"account": "A", "available": "2021-03-01", "amount": 230},
    ]
    lived = live(world_of(rows, [purse("A")], types=ADVANCED, releases=releases))
    march = lived.month("2021-03")
    assert lived.date(lived.trajectory.start[lived.position("S")]) == datetime.date(2021, 3, 1)
    assert lived.trajectory.paid[lived.position("S"), march] == 200  # 150 and 50 of the pool
    assert lived.trajectory.paid[lived.position("O"), march] == 180


def test_oldest_unpaid_claim_first() -> None:
    """Rule 20, `fifo`: a claim long paid gives no place in the queue.

    A is paid in January what it was owed. B's claim falls due in February and A's retention in
    March, so what comes in March is B's.
    """
    types: list[Row] = [{"type": "bare"}, {"type": "kept", "retention": 0.5, "retention_days": 45}]
    common = {"gates": "none", "funding": "A:1", "investor": "enterprise"}
    rows = [
        project("A", "2021-01-05", "2021-01-05", 100, 100, type="kept", rank=1, **common),
        project("B", "2021-02-10", "2021-02-10", 80, 80, type="bare", rank=2, **common),
    ]
    releases: list[Row] = [{"account": "A", "available": "2021-03-05", "amount": 50}]
    folder = world_of(rows, [purse("A", 50, rule="fifo")], types=types, releases=releases)
    life = live(folder).trajectory
    assert life.paid[:, :3].tolist() == [[50, 50, 50], [0, 0, 50]]
    assert life.arrears[:, :3].tolist() == [[0, 0, 50], [0, 80, 30]]


def test_settlement_follows_delivery() -> None:
    """Rule 16: a delivery on a month-end is settled at the next one."""
    types: list[Row] = [{"type": "part", "pay_ratio": 0.6, "retention": 0.1, "retention_days": 60}]
    common = {"gates": "none", "funding": "A:1", "investor": "enterprise", "type": "part"}
    rows = [
        project("early", "2021-03-30", "2021-03-30", 100, 100, **common),
        project("late", "2021-03-31", "2021-03-31", 100, 100, **common),
    ]
    life = live(world_of(rows, [purse("A", 1_000)], types=types)).trajectory
    # Retention: 60 days after 31 March the run of 31 May, after 30 April that of 30 June.
    assert life.paid[:, 2:6].tolist() == [[90, 90, 100, 100], [60, 90, 90, 100]]
    assert life.claimed[:, 2:4].tolist() == [[100, 100], [60, 100]]


def test_no_premium_without_work() -> None:
    """Rule 12: value booked after the finish was not brought by acceleration."""
    types: list[Row] = [{"type": "keen", "acceleration": 1.5, "duration": 1.1}]
    rows = [project("P", "2021-02-01", "2021-12-20", 1_000_000, 600_000, type="keen",
                    gates="none", funding="A:1")]  # fmt: skip
    lived = live(world_of(rows, [purse("A", 10**9)], types=types))
    life, december = lived.trajectory, lived.month("2021-12")
    assert [e.number > PPM for e in lived.events if e.happening == Happening.RATE_SET][-1]
    assert lived.date(life.finish[0]).year == 2021
    assert life.value[0, december] == 600_000
    assert life.value[0, december + 1] == 1_000_000  # left over by the filed plan
    assert life.claimed[0, december] == 600_000 + life.premium[0]
    assert life.claimed[0, -1] == 1_000_000 + life.premium[0]
    assert 0 < life.premium[0] < 0.2 * 600_000


def test_arrears_before_any_value() -> None:
    """Rule 11: arrears filed where nothing is done yet slow the work to its floor."""
    types: list[Row] = [{"type": "bare", "arrears_tolerance": 0.1, "slow_rate": 0.4, "curve_a": 30}]
    rows = [project("P", "2020-12-01", "2021-12-31", 100, 100, stage="continuing", arrears=5,
                    type="bare", funding="A:1")]  # fmt: skip
    lived = live(world_of(rows, [purse("A")], types=types))
    assert lived.trajectory.value[0, 0] == 0
    rates = [(e.day, e.number) for e in lived.events if e.happening == Happening.RATE_SET]
    assert rates[0] == (30, 400_000)
