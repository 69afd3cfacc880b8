"""The rows of projects.csv: named projects, quantity programmes, synthetic projects."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Mapping
from typing import Any

from luoyang_draws import (
    DAYS,
    between,
    draw,
    new_start,
    pick,
    pick_weighted,
    programme_sizes,
    set_progress,
    years_of,
)
from luoyang_gates import GateTable
from luoyang_sources import (
    FOLDER,
    STATUS,
    YEAR_END,
    YI,
    Curve,
    Programme,
    Project,
    largest_remainder,
    read_rows,
    stage_of,
    weights,
)

STAGES = {"new": 0.545, "continuing": 0.395, "pre_work": 0.03, "reserve": 0.03}
OPTIMISTS = 0.3
LICENSED = ("petrochemical", "energy_power", "roads", "bridges_tunnels", "rail_metro")
CLOSED = (
    (datetime.date(2020, 12, 18), datetime.date(2021, 1, 18)),
    (datetime.date(2021, 2, 1), datetime.date(2021, 2, 25)),
)
"""Deep winter and the Spring Festival: a start drawn here is filed for the day after."""
CITY_OWNER = "市"
DAY = datetime.timedelta(days=1)


def named_projects(texts: Mapping[str, Any]) -> list[Project]:
    """Return the projects that the plan's announcement names, and their companions."""
    projects = []
    for row in read_rows(FOLDER / "named.csv"):
        start = datetime.date.fromisoformat(row["planned_start"])
        finish = datetime.date.fromisoformat(row["planned_finish"])
        source = row["source"]
        if not any(word in source + row["note"] for word in texts["not_announced"]):
            source = f"{texts['seed']}; {source}"
        one = Project(
            id=row["id"],
            name=row["name"],
            programme=row["programme"],
            county=row["county"],
            type=row["type"],
            tier=row["tier"],
            owner=row["owner"],
            investor=row["investor"],
            procedure=row["procedure"],
            total=round(float(row["total_yi"]) * YI),
            done=round(float(row["done_yi"]) * YI),
            plan=round(float(row["plan_yi"]) * YI),
            start=start,
            finish=finish,
            gates=row["gates"],
            provenance=row["provenance"],
            source=source,
            predecessors=row["predecessors"],
            tags=row["tags"],
            note=row["note"],
            stage=stage_of(start, finish),
            key="named",
        )
        projects.append(one)
    return projects


def quantity_projects(
    texts: Mapping[str, Any],
    counties: Mapping[str, Mapping[str, str]],
    curves: Mapping[str, Curve],
    gates: GateTable,
) -> list[Project]:
    """Return the rows that deliver counted promises, one for each programme and county."""
    projects = []
    for row in read_rows(FOLDER / "quantities.csv"):
        places = weights(row["counties"])
        parts = largest_remainder(int(row["listed"]), list(places.values()))
        source = texts["quantity_source" if row["promise"] != "0" else "quantity_spare"]
        for offset, (place, part) in enumerate(zip(places, parts, strict=True)):
            name = f"LY-{int(row['id_from']) + offset:04d}"
            noise = math.exp(between(name, "unit_cost", -0.15, 0.15))
            start = _opened(_day_between(name, "start", row["start_from"], row["start_to"]))
            finish = _day_between(name, "finish", row["finish_from"], row["finish_to"])
            procedure = "approval" if row["investor"] == "government" else "filing"
            one = Project(
                id=name,
                name=counties[place]["name"] + row["name"],
                programme=row["programme"],
                county=place,
                type=row["type"],
                tier=row["tier"],
                owner=_local_owner(counties[place]["name"], row["owner"]),
                investor=row["investor"],
                procedure=procedure,
                total=max(1000, round(part * float(row["unit_cost"]) * noise / 10) * 10),
                done=0,
                plan=0,
                start=start,
                finish=finish,
                gates=_open_gates(name, procedure, start, gates),
                provenance="estimated",
                source=source.format(basis=row["basis"]),
                quantity=str(part),
                unit=row["unit"],
                tags=row["tags"],
                stage=stage_of(start, finish),
                key=row["key"],
            )
            set_progress(one, curves[one.type])
            one.plan = one.total - one.done
            projects.append(one)
    return projects


def synthetic_projects(
    programmes: Iterable[Programme],
    taken: Iterable[Project],
    texts: Mapping[str, Any],
    counties: Mapping[str, Mapping[str, str]],
    curves: Mapping[str, Curve],
    gates: GateTable,
) -> list[Project]:
    """Return the invented projects that fill each programme up to its target total."""
    used: dict[str, int] = {}
    for one in taken:
        used[one.programme] = used.get(one.programme, 0) + one.total
    projects = []
    names: dict[str, int] = {}
    for programme in programmes:
        ids = [f"LY-{programme.number * 100 + i:04d}" for i in range(1, programme.count + 1)]
        target = programme.total - used.get(programme.code, 0)
        floor = programme.count * 4_000
        sizes = programme_sizes(ids, max(target, floor))
        for name, size in zip(ids, sizes, strict=True):
            one = _synthetic(name, size, programme, texts, counties, curves, gates)
            base = one.name
            repeats = names[base] = names.get(base, -1) + 1
            one.name = base + texts["variants"][repeats] + texts["mark"]
            projects.append(one)
    return projects


def _synthetic(
    name: str,
    total: int,
    programme: Programme,
    texts: Mapping[str, Any],
    counties: Mapping[str, Mapping[str, str]],
    curves: Mapping[str, Curve],
    gates: GateTable,
) -> Project:
    kind = pick_weighted(name, "type", programme.types)
    profile = {code: float(row[programme.counties]) for code, row in counties.items()}
    county = pick_weighted(name, "county", profile)
    investor = "enterprise" if draw(name, "investor") < programme.enterprise else "government"
    procedure = "approval"
    if investor == "enterprise":
        procedure = "licence" if kind in LICENSED else "filing"
    stage = pick_weighted(name, "stage", STAGES)
    start, finish = _dates(name, stage, years_of(name, curves[kind], total))
    tier = _tier(name, total, programme)
    subject = pick(name, "subject", programme.subjects) + pick(name, "form", programme.forms)
    one = Project(
        id=name,
        name=counties[county]["name"] + subject,
        programme=programme.code,
        county=county,
        type=kind,
        tier=tier,
        owner=_owner(investor, tier, counties[county]["name"], texts),
        investor=investor,
        procedure=procedure,
        total=total,
        done=0,
        plan=0,
        start=start,
        finish=finish,
        gates=_open_gates(name, procedure, start, gates),
        provenance="synthetic",
        source=texts["synthetic_source"],
        stage="reserve" if stage == "reserve" else stage_of(start, finish),
        key="synthetic",
    )
    if one.stage == "reserve":
        one.plan = int(round(total * between(name, "reserve_plan", 0.0, 0.02), -1))
    elif one.stage == "pre_work":
        one.plan = max(10, int(round(total * between(name, "pre_work_plan", 0.01, 0.03), -1)))
    else:
        set_progress(one, curves[kind])
    return one


def _dates(name: str, stage: str, years: float) -> tuple[datetime.date, datetime.date]:
    length = max(150, round(years * DAYS))
    if stage == "continuing":
        passed = min(max(between(name, "passed", 0.04, 0.56), 45 / length), 0.9)
        start = STATUS - DAY * round(passed * length)
        return start, max(start + DAY * (length - 1), STATUS + DAY * 45)
    if stage == "new":
        start = new_start(name)
    elif stage == "pre_work":
        start = YEAR_END + DAY * round(between(name, "later_start", 60, 210))
    else:
        start = YEAR_END + DAY * round(between(name, "reserve_start", -20, 240))
    return start, start + DAY * (length - 1)


def _open_gates(name: str, procedure: str, start: datetime.date, gates: GateTable) -> str:
    if start <= STATUS:
        return "none"
    slack = between(name, "slack", 1.2, 3.0)
    if draw(name, "optimism") < OPTIMISTS and start > datetime.date(2021, 2, 20):
        slack = between(name, "optimism_size", 0.4, 0.9)
    return gates.choose(procedure, start, slack, 1 if start > YEAR_END else 0)


def _tier(name: str, total: int, programme: Programme) -> str:
    if total > 20 * YI and draw(name, "province") < 0.45:
        return "province"
    chance = programme.city_tier + (0.3 if total > 8 * YI else 0.0)
    return "city" if draw(name, "city") < chance else "county"


def _owner(investor: str, tier: str, county: str, texts: Mapping[str, Any]) -> str:
    owners = texts["owners"]
    if investor == "enterprise":
        return str(owners["enterprise"])
    return county + str(owners["county"]) if tier == "county" else str(owners[tier])


def _local_owner(county: str, owner: str) -> str:
    return owner if owner.startswith(CITY_OWNER) else county + owner[1:]


def _opened(day: datetime.date) -> datetime.date:
    return next((last for first, last in CLOSED if first <= day < last), day)


def _day_between(name: str, variable: str, first: str, last: str) -> datetime.date:
    low, high = datetime.date.fromisoformat(first), datetime.date.fromisoformat(last)
    return low + DAY * round(draw(name, f"{variable}_day") * (high - low).days)
