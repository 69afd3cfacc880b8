"""What a hindcast gives, as rows of hindcast.csv and as hindcast.json."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

from sim.analysis.hindcast import Group, Judged, Score


def promise_rows(groups: Sequence[Group]) -> list[dict[str, Any]]:
    """Return the rows of hindcast.csv: a promise each, known or not."""
    rows = []
    for group in groups:
        position = 0
        for one in group.promises:
            row: dict[str, Any] = {
                "group": group.name,
                **{name: getattr(one, name) for name in ("id", "text", "strength", "kind")},
                "deadline": one.deadline,
                "p_model": one.model,
                "p_model_low": None if math.isnan(one.model_low) else one.model_low,
                "p_model_high": None if math.isnan(one.model_high) else one.model_high,
                "p_on_time": 1.0,
                "p_base_rate": None,
                "p_slippage": one.slippage,
                "outcome": {True: "kept", False: "missed", None: "unknown"}[one.kept],
                "scored": "no" if one.kept is None else "yes",
                "confidence": one.confidence,
                "source": one.source,
                "note": one.note,
            }
            if one.kept is not None:
                if "base_rate" in group.probabilities:
                    row["p_base_rate"] = group.probabilities["base_rate"][position]
                position += 1
            rows.append(row)
    return rows


def score_table(judged: Judged) -> dict[str, Any]:
    """Return what hindcast.json holds: what was judged, counts and scores of each group."""
    about = {
        field.name: getattr(judged, field.name)
        for field in fields(judged)
        if field.name != "groups"
    }
    groups = {
        group.name: {
            "promises": len(group.promises),
            "kept": group.kept,
            "missed": group.missed,
            "unknown": group.unknown,
            "scores": {one.forecast: _plain(one) for one in group.scores},
        }
        for group in judged.groups
    }
    return {**about, "groups": groups}


def _plain(one: Score) -> dict[str, Any]:
    parts = None if one.tenths is None else asdict(one.tenths)
    values: dict[str, Any] = {"brier": one.brier, "rounded_to_tenths": parts}
    if one.forecast != "model":
        values["worse_than_model"] = {"value": one.worse, "low": one.low, "high": one.high}
    return values
