"""The event log of one replication, as lines that a person can follow."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from sim.engine.rules import NEVER, PPM, Happening, Wait
from sim.engine.trajectory import Event, Trajectory
from sim.figures.amounts import Language
from sim.runs.replay import Replay

_SAYS = {
    "zh": {
        Happening.FILE_READY: "材料备齐，报送“{gate}”",
        Happening.REVIEW_BEGUN: "“{gate}”受理{queued}",
        Happening.GATE_PASSED: "“{gate}”办结",
        Happening.RECEIVED: "到账 {amount} 万元（{account}）",
        Happening.SET_ASIDE: "首笔资本金留存 {amount} 万元（{account}）",
        Happening.WAITS_FOR_MONEY: "条件已具备，等待首笔资本金",
        Happening.STARTED: "开工{waits}",
        Happening.STOPPED: "停工 {number} 天（风险事件）",
        Happening.DROPPED: "项目中止",
        Happening.MEASURED: "计量：形象进度累计价值 {amount} 万元",
        Happening.REPORTED: "填报：累计完成投资 {amount} 万元",
        Happening.ADVANCE: "申请预付款 {amount} 万元",
        Happening.PAID: "支付 {amount} 万元{from_account}",
        Happening.OWED: "到期未付 {amount} 万元",
        Happening.RATE_SET: "下月施工强度 {rate}",
        Happening.ESTIMATE_EXCEEDED: "完成价值超出批复概算，申请调概",
        Happening.ESTIMATE_ADJUSTED: "调概批复",
        Happening.FINISHED: "完工",
        Happening.DELIVERED: "验收交付",
        Happening.LAPSED: "年末收回 {amount} 万元（{account}）",
        Happening.IDLE: "债券资金发行满6个月仍闲置 {amount} 万元（{account}）",
        Happening.WITHDRAWN: "收回闲置债券资金 {amount} 万元，调整用途（{account}）",
        Happening.JOINED: "调入年度计划（储备项目提前）",
        Happening.LEFT: "调出年度计划（应开未开）",
    },
    "en": {
        Happening.FILE_READY: "file ready for '{gate}'",
        Happening.REVIEW_BEGUN: "'{gate}' under review{queued}",
        Happening.GATE_PASSED: "'{gate}' passed",
        Happening.RECEIVED: "received {amount} ({account})",
        Happening.SET_ASIDE: "first instalment set aside: {amount} ({account})",
        Happening.WAITS_FOR_MONEY: "ready; waits for its first instalment",
        Happening.STARTED: "started{waits}",
        Happening.STOPPED: "stopped for {number} days (risk)",
        Happening.DROPPED: "given up",
        Happening.MEASURED: "measured: value of work to date {amount}",
        Happening.REPORTED: "reported: investment to date {amount}",
        Happening.ADVANCE: "advance claimed: {amount}",
        Happening.PAID: "paid {amount}{from_account}",
        Happening.OWED: "due and unpaid: {amount}",
        Happening.RATE_SET: "next month's work rate {rate}",
        Happening.ESTIMATE_EXCEEDED: "value exceeds the approved estimate; adjustment applied for",
        Happening.ESTIMATE_ADJUSTED: "adjustment of the estimate approved",
        Happening.FINISHED: "finished",
        Happening.DELIVERED: "accepted and delivered",
        Happening.LAPSED: "lapsed at year-end: {amount} ({account})",
        Happening.IDLE: "bond money idle six months after issue: {amount} ({account})",
        Happening.WITHDRAWN: "idle bond money withdrawn for another use: {amount} ({account})",
        Happening.JOINED: "joins the plan of the year (from the reserve)",
        Happening.LEFT: "leaves the plan of the year (should have started)",
    },
}
_WAITS = {
    "zh": {
        Wait.GATE: "审批",
        Wait.WINDOW: "窗口排队",
        Wait.PREDECESSOR: "紧前项目",
        Wait.SLIP: "开工推迟",
        Wait.NO_START: "禁止开工期",
        Wait.EQUITY: "等待资本金",
    },
    "en": {
        Wait.GATE: "gates",
        Wait.WINDOW: "queues",
        Wait.PREDECESSOR: "predecessors",
        Wait.SLIP: "slip",
        Wait.NO_START: "no-start period",
        Wait.EQUITY: "equity",
    },
}
_UNIT = {"zh": "", "en": "Amounts in 10,000 yuan."}
_NEVER = {
    "zh": "模拟期末前未开工：{count} 个项目；未完工：{unfinished} 个项目",
    "en": "not started before the horizon: {count} projects; not finished: {unfinished}",
}
_WITH_GATE = (Happening.FILE_READY, Happening.REVIEW_BEGUN, Happening.GATE_PASSED)


def replay_lines(
    replay: Replay, project: str | None = None, language: Language = "zh"
) -> Iterator[str]:
    """Yield the log line by line: date, project, what happened, amounts.

    Parameters
    ----------
    replay : Replay
        The replication.
    project : str, optional
        Id of the only project to tell of.
    language : {"zh", "en"}
        Language.
    """
    if _UNIT[language]:
        yield _UNIT[language]
    for event in replay.events:
        name, title = replay.projects[event.project] if event.project >= 0 else ("-", "")
        if project not in (None, name):
            continue
        date = replay.origin + datetime.timedelta(days=event.day)
        yield f"{date}  {name}  {title}  {_line(replay, event, language)}"
    if project is None:
        yield _NEVER[language].format(
            count=int((replay.trajectory.start == NEVER).sum()),
            unfinished=int((replay.trajectory.finish == NEVER).sum()),
        )


def _line(replay: Replay, event: Event, language: Language) -> str:
    happening = Happening(event.happening)
    placed = event.place >= 0
    gate = replay.gates[event.place] if placed and happening in _WITH_GATE else ""
    account = replay.accounts[event.place] if placed and happening not in _WITH_GATE else ""
    waits = ""
    if happening == Happening.STARTED:
        waits = _waits(replay.trajectory, event.project, language)
    return _SAYS[language][happening].format(
        gate=gate,
        account=account,
        from_account=_bracket(account, language),
        amount=f"{event.number / 1e4:,.0f}",
        number=event.number,
        rate=f"{event.number / PPM:.0%}",
        queued=_queued(event.number, language),
        waits=waits,
    )


def _bracket(text: str, language: Language) -> str:
    if not text:
        return ""
    return f"（{text}）" if language == "zh" else f" ({text})"


def _queued(days: int, language: Language) -> str:
    if days == 0:
        return ""
    return f"（排队 {days} 天）" if language == "zh" else f" (queued for {days} days)"


def _waits(trajectory: Trajectory, i: int, language: Language) -> str:
    parts = [
        f"{_WAITS[language][wait]} {int(trajectory.waits[i, wait])}"
        for wait in Wait
        if trajectory.waits[i, wait]
    ]
    if not parts:
        return ""
    if language == "zh":
        return f"（比计划晚：{'，'.join(parts)} 天）"
    return f" (later than planned: {', '.join(parts)} days)"
