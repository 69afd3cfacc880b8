"""stand-in"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Struck:
    struck: Any
    days: Any
    share: Any
    cost: Any


@dataclass(frozen=True)
class RiskModel:
    labels: Any
    risk: Any
    project: Any
    gate: Any
    drops: Any
    mitigation_cost: Any
    unused: Any


def risk_model(portfolio, chains, mitigated):
    return None


def strike(model, u):
    raise NotImplementedError
