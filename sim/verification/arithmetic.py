"""Arithmetic without simulation: joint confidence, sensitivity, scores, a spending curve."""

from __future__ import annotations

import numpy as np

from sim.analysis.joint_normal import joint_level, own_level
from sim.analysis.scoring import (
    accepted_coverage,
    brier,
    crps_ensemble,
    crps_normal,
    interval_score,
    pinball_loss,
)
from sim.analysis.sobol import sobol_indices
from sim.analysis.spending_curve import PUBLISHED, SpendingCurve
from sim.sampling.streams import fill_uniforms, key_of
from sim.verification.case import Floats, Measured, Setting
from sim.verification.networks import by_parts

_PARTS, _LEAST_POINTS = 20, 256
"""Independent estimates of sensitivity, and the fewest points of each."""


def joint_confidence(setting: Setting) -> Measured:
    """Case 14: two quantities at their own P70, and what both at 70 % together takes."""
    found: dict[str, float] = {}
    for r in (0.0, 0.25, 0.5, 0.7, 0.8, 0.9, 0.95):
        found |= {f"joint_r{r:g}": joint_level(0.7, r), f"own_r{r:g}": own_level(0.7, r)}
    return found


def ishigami(x: Floats) -> Floats:
    """Return the Ishigami function with a = 7 and b = 0.1; inputs uniform on (-pi, pi)."""
    angle = np.pi * (2 * x - 1)
    return np.asarray(
        np.sin(angle[0]) + 7 * np.sin(angle[1]) ** 2 + 0.1 * angle[2] ** 4 * np.sin(angle[0])
    )


def sobol_g(x: Floats) -> Floats:
    """Return the G function of Sobol for a = 0, 1, 4.5, 9 and four times 99; inputs on (0, 1)."""
    a = np.array([0, 1, 4.5, 9, 99, 99, 99, 99])[:, None]
    return np.asarray(((np.abs(4 * x - 2) + a) / (1 + a)).prod(axis=0))


def sensitivity(setting: Setting) -> Measured:
    """Case 17: indices of two test functions, from independent points."""
    found: dict[str, object] = {}
    # A power of two, as the estimator asks.
    points = max(1 << (setting.count(8_192, 4_096).bit_length() - 1), _LEAST_POINTS)
    for name, function, inputs in (("ishigami", ishigami, 3), ("g", sobol_g, 8)):
        firsts, totals, values = [], [], []
        for part in range(_PARTS):
            one, other = (_points(setting, part, (inputs, points), k) for k in range(2))
            mixed = np.stack([function(_with_one_of(one, other, d)) for d in range(inputs)])
            at_one = function(one)
            indices = sobol_indices(at_one, function(other), mixed)
            firsts.append(indices.first)
            totals.append(indices.total)
            values.append(at_one)
        for d in range(inputs):
            found[f"{name}_first_{d + 1}"] = by_parts([one[d] for one in firsts])
            found[f"{name}_total_{d + 1}"] = by_parts([one[d] for one in totals])
        found[name] = np.concatenate(values)
        if name == "ishigami":  # the third acts only together with the first
            found["ishigami_both_1_3"] = by_parts(
                [total[0] - first[0] for first, total in zip(firsts, totals, strict=True)]
            )
    return found


def _points(setting: Setting, part: int, shape: tuple[int, int], which: int) -> Floats:
    """Return one of two independent sets of points, of shape (inputs, points)."""
    count = shape[0] * shape[1]
    out = np.empty(count)
    where = np.arange(which * count, (which + 1) * count, dtype=np.uint64)
    fill_uniforms(key_of(setting.seed), np.uint64(part), where, out)
    return out.reshape(shape)


def _with_one_of(one: Floats, other: Floats, row: int) -> Floats:
    mixed = one.copy()
    mixed[row] = other[row]
    return mixed


def scores(setting: Setting) -> Measured:
    """Case 18: scores of forecasts."""
    parts = brier([0.1] * 5 + [0.8] * 5, [1, 0, 0, 0, 0, 1, 1, 1, 1, 0])
    fewest, most = accepted_coverage(60, 0.8)
    normal = {y: float(crps_normal(0, 1, y)) for y in (-3.0, -1.0, 0.0, 0.5, 2.0)}
    return {f"crps_{y:g}": score for y, score in normal.items()} | {
        "crps_wide": float(crps_normal(0, 2, 1)),
        "crps_ensemble": crps_ensemble([1, 2, 3, 4], 2.5),
        "crps_fair": crps_ensemble([1, 2, 3, 4], 2.5, fair=True),
        "interval_300": float(interval_score(280, 320, 0.8, 300)),
        "interval_330": float(interval_score(280, 320, 0.8, 330)),
        "interval_270": float(interval_score(280, 320, 0.8, 270)),
        "pinball_300": float(pinball_loss(310, 0.8, 300)),
        "pinball_320": float(pinball_loss(310, 0.8, 320)),
        "brier": parts.score, "reliability": parts.reliability,
        "resolution": parts.resolution, "uncertainty": parts.uncertainty,
        "fewest_hits": fewest, "most_hits": most,
    }  # fmt: skip


def spending_curve(setting: Setting) -> Measured:
    """Case 21: the published curve; parameters under which spending falls are refused."""
    tenths = PUBLISHED.share(np.arange(11) / 10)
    periods = np.diff(PUBLISHED.share(np.arange(13) / 12))
    found = {f"share_{k}": float(share) for k, share in enumerate(tenths)}
    found |= {f"period_{k}": float(part) for k, part in enumerate(periods, start=1)}
    return found | {
        "periods_sum": float(periods.sum()),
        "slope_0": float(PUBLISHED.slope(0.0)),
        "refused": sum(_refused(c, k) for c, k in _FALLING),
    }


_FALLING = ((0.134, 2.0), (1.5, 3.884), (-1.5, 3.884), (0.0, -1.0))
"""Pairs of C and K with which spending falls at the start, at the end or in the middle."""


def _refused(c: float, k: float) -> int:
    try:
        SpendingCurve(c, k)
    except ValueError:
        return 1
    return 0
