"""Promises against what became of them, on a terminal, in two languages; computes nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from sim.analysis.hindcast import Group, Judged, Promise, Score
from sim.briefing.tables import plain_table
from sim.figures.amounts import Language
from sim.figures.style import odds

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

FEW = 20
"""Cases below which nothing is said of reliability by eye."""

TEXT: Mapping[str, Mapping[str, str]] = {
    "zh": {
        "title": "回看：{plan}，按 {day} 所知的预测与后来结果（模拟 {replications:,} 次）",
        "strong": "要做到的承诺（确保、计划）",
        "weak": "争取的承诺（力争、谋划），不与上面合并评分",
        "promise": "承诺",
        "strength": "力度",
        "must": "确保",
        "plan": "计划",
        "strive": "力争",
        "explore": "谋划",
        "deadline": "期限",
        "model": "模型 [95%抽样误差]",
        "slippage": "只按同类滑期",
        "outcome": "结果",
        "kept": "守住",
        "missed": "未守住",
        "confidence": "可信度",
        "high": "高",
        "medium": "中",
        "low": "低",
        "": "–",
        "counted": "可评分 {known} 项（守住 {kept}，未守住 {missed}）；"
        "结果不明 {unknown} 项，不计入。",
        "none": "没有一项结果已知，无可评分。",
        "scores": "布赖尔评分（越小越好；一律五五开为 0.250）",
        "forecast": "预测",
        "brier": "评分",
        "parts": "取整到十分位：可靠性 − 分辨力 + 不确定性",
        "worse": "比模型差多少 [95%区间]",
        "verdict": "结论：{parts}。",
        "better": "模型的布赖尔评分好于“{names}”（95%区间在 0 之上）",
        "poorer": "模型的布赖尔评分差于“{names}”（95%区间在 0 之下）",
        "same": "模型的布赖尔评分与“{names}”分不出高下（95%区间含 0）",
        "unsure": "只有一项可评分，模型与“{names}”无从比较",
        "join": "、",
        "then": "；",
        "f_model": "模型",
        "f_on_time": "全部按期",
        "f_base_rate": "基准比率",
        "f_slippage": "只按同类滑期",
        "loo": "基准比率：其余已知承诺的守住比例（用了事后结果）。",
        "given": "基准比率：给定的 {rate:.0%}。",
        "means": "只按同类滑期：只有 types.csv 的开工推迟与工期分布不确定，"
        "审批、资金、季节、风险、相关性全部关闭。",
        "caution": "只有 {known} 项，且同处一年、同受一批账户和天气影响，并不独立："
        "区间按独立计算，实际更宽。"
        "查得到结果的多是有报道的，也有偏。这么少的项数不能证明模型好或不好。",
        "outside": "另有 {count} 项承诺不是建设项目或没有可判定的节点，模型不作判断，不评分。",
        "files": "已写入：{folder}（hindcast.csv、hindcast.json）",
    },
    "en": {
        "title": "Hindcast: {plan}, as forecast from {day}, against what happened "
        "(replications: {replications:,})",
        "strong": "Promises meant to be kept (must, plan)",
        "weak": "Promises striven for (strive, explore), not scored together with the others",
        "promise": "promise",
        "strength": "strength",
        "must": "must",
        "plan": "plan",
        "strive": "strive",
        "explore": "explore",
        "deadline": "deadline",
        "model": "model [95 % sampling error]",
        "slippage": "slippage alone",
        "outcome": "outcome",
        "kept": "kept",
        "missed": "missed",
        "confidence": "confidence",
        "high": "high",
        "medium": "medium",
        "low": "low",
        "": "–",
        "counted": "{known} can be scored ({kept} kept, {missed} missed); {unknown} have no known "
        "outcome and are left out.",
        "none": "No outcome is known: nothing to score.",
        "scores": "Brier scores (the smaller the better; fifty-fifty always gets 0.250)",
        "forecast": "forecast",
        "brier": "score",
        "parts": "rounded to tenths: reliability - resolution + uncertainty",
        "worse": "worse than the model by [95 % interval]",
        "verdict": "Verdict: {parts}.",
        "better": "the model's Brier score is better than that of {names} (95 % interval above 0)",
        "poorer": "the model's Brier score is worse than that of {names} (95 % interval below 0)",
        "same": "the model's Brier score cannot be told from that of {names} (95 % interval "
        "holds 0)",
        "unsure": "one case alone: the model cannot be compared with {names}",
        "join": ", ",
        "then": "; ",
        "f_model": "model",
        "f_on_time": "all on time",
        "f_base_rate": "base rate",
        "f_slippage": "slippage alone",
        "loo": "Base rate: the share kept among the other known promises (uses the outcomes).",
        "given": "Base rate: {rate:.0%}, as given.",
        "means": "Slippage alone: nothing but the slips and durations of types.csv is uncertain; "
        "approvals, money, seasons, risks and dependence are off.",
        "caution": "Few cases (only {known}), of one year, under the same accounts and weather: "
        "they are not independent. Intervals take them as independent and are too narrow. Outcomes "
        "are known where somebody reported them, which is no fair sample. So few cases cannot show "
        "that the model is good, or that it is not.",
        "outside": "Promises that are no construction or name nothing that can be judged: "
        "{count}; the model says nothing of them, and they are not scored.",
        "files": "Written: {folder} (hindcast.csv, hindcast.json)",
    },
}


def print_hindcast(judged: Judged, console: Console, language: Language = "zh") -> None:
    """Print promises with their outcomes, then scores, strong and weak apart.

    Parameters
    ----------
    judged : Judged
        What was held against what.
    console : rich.console.Console
        Where to print.
    language : {"zh", "en"}
        Language.
    """
    text = TEXT[language]

    def say(line: str, style: str = "") -> None:
        console.print(line, style=style, highlight=False, markup=False, soft_wrap=True)

    title = text["title"].format(
        plan=judged.plan, day=judged.status_date, replications=judged.replications
    )
    say(title, "bold")
    for group in judged.groups:
        if not group.promises:
            continue
        known = group.kept + group.missed
        if known:
            console.print(_promise_table(group, text))
        else:
            say(text[group.name], "bold")
        counts = {"known": known, "kept": group.kept, "missed": group.missed}
        say(text["counted"].format(unknown=group.unknown, **counts))
        if not known:
            say(text["none"])
            continue
        console.print(_score_table(group, text))
        say(_verdict(group, text), "bold")
        if known < FEW:
            say(text["caution"].format(known=known), "bold")
    rate = judged.base_rate
    say(text["loo"] if rate is None else text["given"].format(rate=rate), "dim")
    say(text["means"], "dim")
    if judged.outside:
        say(text["outside"].format(count=judged.outside), "dim")


def _promise_table(group: Group, text: Mapping[str, str]) -> Table:
    table = plain_table(text[group.name])
    for column in ("promise", "strength", "deadline"):
        table.add_column(text[column])
    for column in ("model", "slippage", "outcome", "confidence"):
        table.add_column(text[column], justify="right")
    for one in group.promises:
        if one.kept is not None:
            table.add_row(
                one.text,
                text[one.strength],
                one.deadline,
                _model(one),
                f"{one.slippage:.0%}",
                text["kept" if one.kept else "missed"],
                text[one.confidence],
            )
    return table


def _model(one: Promise) -> str:
    if math.isnan(one.model_low):
        return f"{one.model:.0%}"
    return odds({"value": one.model, "low": one.model_low, "high": one.model_high})


def _score_table(group: Group, text: Mapping[str, str]) -> Table:
    table = plain_table(text["scores"])
    table.add_column(text["forecast"])
    for column in ("brier", "parts", "worse"):
        table.add_column(text[column], justify="right")
    for one in group.scores:
        table.add_row(text[f"f_{one.forecast}"], f"{one.brier:.3f}", _parts(one), _worse(one))
    return table


def _verdict(group: Group, text: Mapping[str, str]) -> str:
    """Say in a sentence from which humble forecasts the model's score can be told, and how."""
    names: dict[str, list[str]] = {"better": [], "poorer": [], "same": [], "unsure": []}
    for one in group.scores:
        if one.worse is not None:
            names[_compared(one)].append(text[f"f_{one.forecast}"])
    parts = [
        text[kind].format(names=text["join"].join(found)) for kind, found in names.items() if found
    ]
    return text["verdict"].format(parts=text["then"].join(parts))


def _compared(one: Score) -> str:
    """Tell whether the model is better than a humble forecast, poorer, or neither for certain."""
    if one.low is None or one.high is None:
        return "unsure"
    if one.low > 0:
        return "better"
    return "poorer" if one.high < 0 else "same"


def _parts(one: Score) -> str:
    if (parts := one.tenths) is None:
        return "–"
    return f"{parts.reliability:.3f} − {parts.resolution:.3f} + {parts.uncertainty:.3f}"


def _worse(one: Score) -> str:
    if one.worse is None:
        return "–"
    if one.low is None or one.high is None:
        return f"{one.worse:+.3f}"
    return f"{one.worse:+.3f} [{one.low:+.3f}, {one.high:+.3f}]"
