"""What ties projects together: predecessors, funding, arrears, ranks."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from luoyang_draws import between, draw, pick_weighted
from luoyang_sources import FOLDER, Curve, Project, read_rows

PHASED = 1.0
SERVED = 0.6
ROADS = ("infrastructure-street", "infrastructure-pipe", "urban-street", "infrastructure-highway")
SERVED_SYSTEMS = ("industry", "market", "service", "opening", "culture")
TIERS = {"province": 0, "city": 1, "county": 2}


def link_phases(
    projects: list[Project], curves: Mapping[str, Curve], texts: Mapping[str, Any]
) -> None:
    """Make some later projects the second phase of an earlier one nearby, and name both so.

    The pair lies in one programme and county, has one type, and the first is planned to be
    delivered (the longest acceptance included) before the second starts.
    """
    taken: set[str] = set()
    for one in projects:
        if not _may_follow(one) or draw(one.id, "phased") > PHASED:
            continue
        earlier = [
            other
            for other in projects
            if other.programme == one.programme
            and other.county == one.county
            and other.type == one.type
            and other.key == "synthetic"
            and other.id not in taken
            and other.stage == "completing"
            and _delivered(other, curves) < one.start
        ]
        if earlier:
            first = max(earlier, key=lambda other: (other.finish, other.id))
            taken |= {first.id, one.id}
            stem = first.name.removesuffix(texts["mark"])
            first.name = stem + texts["phase_one"] + texts["mark"]
            one.name = stem + texts["phase_two"] + texts["mark"]
            one.predecessors = first.id


def link_roads(projects: list[Project], curves: Mapping[str, Curve]) -> None:
    """Let some later projects wait for a road or a main of their county."""
    roads = [
        one
        for one in projects
        if one.programme in ROADS and one.stage in ("completing", "new") and one.county != "city"
    ]
    for one in projects:
        if not _may_follow(one) or one.predecessors or one.system not in SERVED_SYSTEMS:
            continue
        if draw(one.id, "served") > SERVED:
            continue
        ready = [
            road
            for road in roads
            if road.county == one.county
            and not road.predecessors
            and _delivered(road, curves) < one.start
        ]
        if ready:
            one.predecessors = max(ready, key=lambda road: (road.finish, road.id)).id


def _may_follow(one: Project) -> bool:
    return one.key == "synthetic" and one.stage in ("new", "pre_work", "reserve")


def _delivered(one: Project, curves: Mapping[str, Curve]) -> datetime.date:
    return one.finish + datetime.timedelta(days=curves[one.type].acceptance)


def set_funding(projects: list[Project]) -> None:
    """Give every project its funding mix, and some of the continuing ones arrears."""
    mixes: dict[tuple[str, str], dict[str, float]] = {}
    for row in read_rows(FOLDER / "funding.csv"):
        key = row["investor"], row["type"]
        mixes.setdefault(key, {})[_clean(row["funding"])] = float(row["weight"])
    for one in projects:
        one.funding = pick_weighted(one.id, "funding", mixes[one.investor, one.type])
        begun = one.stage in ("continuing", "completing")
        if one.investor == "government" and begun and draw(one.id, "in_arrears") < 0.15:
            one.arrears = int(round(one.done * between(one.id, "arrears", 0.005, 0.05), -1))


def _clean(mix: str) -> str:
    parts = [part.split(":") for part in mix.split(";")]
    kept = [(name, share) for name, share in parts if Fraction(share) > 0]
    if sum(Fraction(share) for _, share in kept) != 1:
        raise ValueError(f"shares do not sum to 1: {mix}")
    return ";".join(f"{name}:{share}" for name, share in kept)


def set_ranks(projects: list[Project]) -> list[Project]:
    """Rank promised and named projects first, then by tier and size; return in order of id."""
    kinds = {"named": 1, "synthetic": 3}

    def order(one: Project) -> tuple[int, int, int, str]:
        first = 0 if "must" in one.tags.split(";") else kinds.get(one.key, 2)
        if first == 1:
            return first, 0, 0, one.id
        return first, TIERS[one.tier], -one.total, one.id

    for rank, one in enumerate(sorted(projects, key=order), start=1):
        one.rank = rank
    return sorted(projects, key=lambda one: one.id)
