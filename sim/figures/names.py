"""What people call the codes in result tables, in both languages."""

from __future__ import annotations

from collections.abc import Mapping

from sim.figures.amounts import Language

CLASSES: Mapping[str, Mapping[str, str]] = {
    "zh": {
        "general_budget": "一般公共预算", "fund_budget": "政府性基金", "special_bond": "专项债券",
        "grant": "上级资金", "loan": "银行贷款", "own": "业主自有资金", "other": "其他",
    },
    "en": {
        "general_budget": "general budget", "fund_budget": "government fund",
        "special_bond": "special bonds", "grant": "higher-level grants", "loan": "bank loans",
        "own": "owners' own funds", "other": "other",
    },
}  # fmt: skip
"""Classes of accounts."""

CAUSES: Mapping[str, Mapping[str, str]] = {
    "zh": {
        "gate": "审批", "window": "窗口排队", "predecessor": "紧前项目", "slip": "开工推迟",
        "no_start": "禁止开工期", "equity": "等待资本金", "pulled_forward": "提前安排",
        "work": "工程量与工效", "stops": "风险停工", "opportunities": "有利事件",
        "arrears": "欠款放缓", "acceleration": "赶工", "last_day": "末日余量",
    },
    "en": {
        "gate": "gates", "window": "queues", "predecessor": "predecessors", "slip": "slip",
        "no_start": "no-start period", "equity": "waiting for equity",
        "pulled_forward": "pulled forward", "work": "amount and pace of work",
        "stops": "stops by risks", "opportunities": "opportunities", "arrears": "arrears",
        "acceleration": "acceleration", "last_day": "rest of the last day",
    },
}  # fmt: skip
"""Causes of days that every plan knows; those of its calendar bring their own titles."""


def cause_title(cause: str, titles: Mapping[str, Mapping[str, str]], language: Language) -> str:
    """Return what people call a cause.

    Parameters
    ----------
    cause : str
        Its code.
    titles : mapping
        Titles of the causes of the plan's calendar, by code and language.
    language : {"zh", "en"}
        Language.
    """
    known = CAUSES[language]
    return known[cause] if cause in known else titles[cause][language]


MONTHS: Mapping[str, list[str]] = {
    "zh": [f"{month}月" for month in range(1, 13)],
    "en": ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
}
