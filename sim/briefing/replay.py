"""The event log of one replication, as lines that a person can follow."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence

from sim.engine.rules import NANO_DAYS, NEVER, PPM, Happening
from sim.engine.trajectory import Event
from sim.figures.amounts import Language
from sim.figures.names import cause_title
from sim.runs.replay import Replay

_SAYS: Mapping[str, Mapping[Happening, str]] = {
    "zh": {
        Happening.FILE_READY: "“{gate}”材料备齐，报送{window}",
        Happening.REVIEW_BEGUN: "“{gate}”受理{queued}",
        Happening.GATE_PASSED: "“{gate}”办结",
        Happening.RECEIVED: "到账 {amount}（{account}）",
        Happening.SET_ASIDE: "首笔资本金落实，留存 {amount}（{account}）",
        Happening.WAITS_FOR_MONEY: "其他条件已具备，首笔资本金未落实，等待到账",
        Happening.STARTED: "开工，{delay}",
        Happening.STOPPED: "风险事件：停工 {days}",
        Happening.DROPPED: "项目中止",
        Happening.MEASURED: "计量：累计完成价值 {amount}",
        Happening.REPORTED: "填报：累计完成投资 {amount}",
        Happening.ADVANCE: "申请预付款 {amount}",
        Happening.PAID: "支付 {amount}{from_account}",
        Happening.OWED: "欠款：到期未付累计 {amount}",
        Happening.RATE_SET: "下月施工强度 {rate}，{why}",
        Happening.ESTIMATE_EXCEEDED: "累计完成价值超过批复概算，申请调概",
        Happening.ESTIMATE_ADJUSTED: "调概获批，超概部分可以计量、付款",
        Happening.FINISHED: "完工，{delay}",
        Happening.DELIVERED: "验收合格，交付",
        Happening.LAPSED: "年末余额收回 {amount}（{account}）",
        Happening.IDLE: "债券资金发行满6个月，仍闲置 {amount}（{account}）",
        Happening.WITHDRAWN: "闲置债券资金 {amount} 收回，调整用途（{account}）",
        Happening.JOINED: "年中调整：由储备调入年度计划",
        Happening.LEFT: "年中调整：应开工未开工，调出年度计划",
    },
    "en": {
        Happening.FILE_READY: "file ready for '{gate}', handed in{window}",
        Happening.REVIEW_BEGUN: "'{gate}' under review{queued}",
        Happening.GATE_PASSED: "'{gate}' passed",
        Happening.RECEIVED: "received {amount} ({account})",
        Happening.SET_ASIDE: "first instalment secured, {amount} set aside ({account})",
        Happening.WAITS_FOR_MONEY: "ready but for the first instalment; waits for money",
        Happening.STARTED: "started, {delay}",
        Happening.STOPPED: "a risk strikes: stopped for {days}",
        Happening.DROPPED: "given up",
        Happening.MEASURED: "measured: value of work to date {amount}",
        Happening.REPORTED: "reported: investment to date {amount}",
        Happening.ADVANCE: "advance claimed: {amount}",
        Happening.PAID: "paid {amount}{from_account}",
        Happening.OWED: "arrears: due and unpaid to date {amount}",
        Happening.RATE_SET: "next month's work rate {rate}: {why}",
        Happening.ESTIMATE_EXCEEDED: "value exceeds the approved estimate; adjustment applied for",
        Happening.ESTIMATE_ADJUSTED: "adjustment of the estimate approved: growth may be measured "
        "and paid",
        Happening.FINISHED: "finished, {delay}",
        Happening.DELIVERED: "accepted and delivered",
        Happening.LAPSED: "lapsed at year-end: {amount} ({account})",
        Happening.IDLE: "bond money idle six months after issue: {amount} ({account})",
        Happening.WITHDRAWN: "idle bond money withdrawn for another use: {amount} ({account})",
        Happening.JOINED: "revision: joins the plan of the year from the reserve",
        Happening.LEFT: "revision: leaves the plan of the year, should have started",
    },
}
_WORDS: Mapping[str, Mapping[str, str]] = {
    "zh": {
        "bracket": "（{text}）",
        "at_window": "{text}",
        "queued": "（排队 {days}）",
        "on_time": "与计划同日",
        "late": "比计划晚 {days}",
        "early": "比计划早 {days}",
        "because": "：{causes}",
        "day": "{title} {days} 天",
        "and": "，",
        "slower": "欠款超过容忍度，放缓",
        "usual": "恢复正常",
        "faster": "进度落后，赶工",
        "filed": "计划",
        "plan": "计划开工 {start}，计划竣工 {finish}，总投资 {total}，年度计划 {annual}",
        "money": "资金",
        "open": "模拟期末前未开工：{started} 个项目；未完工：{finished} 个项目",
        "open_one": "模拟期末仍未{what}",
        "started": "开工",
        "finished": "完工",
        "end": "期末",
    },
    "en": {
        "bracket": " ({text})",
        "at_window": " at window '{text}'",
        "queued": " (queued for {days})",
        "on_time": "on the planned day",
        "late": "{days} later than planned",
        "early": "{days} earlier than planned",
        "because": ": {causes}",
        "day": "{title} {days}",
        "and": ", ",
        "slower": "arrears beyond tolerance slow the work",
        "usual": "back to normal",
        "faster": "behind plan, the owner accelerates",
        "filed": "plan",
        "plan": "planned start {start}, planned finish {finish}, total {total}, "
        "annual plan {annual}",
        "money": "money",
        "open": "projects not started before the horizon: {started}; not finished: {finished}",
        "open_one": "not {what} by the horizon",
        "started": "started",
        "finished": "finished",
        "end": "horizon",
    },
}
_OF_GATE = (Happening.FILE_READY, Happening.REVIEW_BEGUN, Happening.GATE_PASSED)
_SHOWN_DAYS = 0.05
_SMALL_YUAN = 1_000
"""Amounts below it are told in yuan: two decimals of 10,000 would hide them."""


def replay_lines(
    replay: Replay, project: str | None = None, language: Language = "zh"
) -> Iterator[str]:
    """Yield the log line by line: date, project, what happened, amounts, causes.

    Parameters
    ----------
    replay : Replay
        The replication.
    project : str, optional
        Id of the only project to tell of.
    language : {"zh", "en"}
        Language.
    """
    words = _WORDS[language]
    chosen = [i for i, one in enumerate(replay.projects) if one.id == project]
    for i in chosen:
        one = replay.projects[i]
        yield _placed(replay, words["filed"], i, language, words["plan"].format(
            start=one.planned_start, finish=one.planned_finish,
            total=_money(one.total, language), annual=_money(one.annual_plan, language),
        ))  # fmt: skip
    for event in replay.events:
        if project is None or event.project in chosen:
            date = replay.origin + datetime.timedelta(days=event.day)
            told = _told(replay, event, language)
            yield _placed(replay, str(date), event.project, language, told)
    started = replay.trajectory.start != NEVER
    finished = replay.trajectory.finish != NEVER
    for i in chosen:
        if not finished[i]:
            what = words["finished" if started[i] else "started"]
            yield _placed(replay, words["end"], i, language, words["open_one"].format(what=what))
    if project is None:
        yield words["open"].format(started=int((~started).sum()), finished=int((~finished).sum()))


def _placed(replay: Replay, when: str, project: int, language: Language, told: str) -> str:
    if project < 0:
        return f"{when}  {_WORDS[language]['money']}  {told}"
    one = replay.projects[project]
    return f"{when}  {one.id}  {one.name}  {told}"


def _told(replay: Replay, event: Event, language: Language) -> str:
    happening, words = Happening(event.happening), _WORDS[language]
    gate, window, account = "", "", ""
    if event.place >= 0 and happening in _OF_GATE:
        one = replay.gates[event.place]
        gate, at = (one.name, one.window_name) if language == "zh" else (one.code, one.window)
        window = words["at_window"].format(text=at) if at else ""
    elif event.place >= 0:
        account = replay.accounts[event.place]
    return _SAYS[language][happening].format(
        gate=gate,
        window=window,
        account=account,
        from_account=words["bracket"].format(text=account) if account else "",
        amount=_money(event.number, language),
        days=_days(event.number, language),
        rate=f"{event.number / PPM:.1%}",
        why=words[_pace(event.number)],
        queued=words["queued"].format(days=_days(event.number, language)) if event.number else "",
        delay=_delay(replay, event.project, happening, language),
    )


def _money(yuan: int, language: Language) -> str:
    if language == "en":
        return f"{yuan:,} yuan"
    return f"{yuan / 1e4:,.2f} 万元" if yuan >= _SMALL_YUAN else f"{yuan:,} 元"


def _pace(rate: int) -> str:
    if rate == PPM:
        return "usual"
    return "slower" if rate < PPM else "faster"


def _delay(replay: Replay, project: int, happening: Happening, language: Language) -> str:
    """Say by how many days a start or a finish differs from plan, the largest causes first."""
    if happening not in (Happening.STARTED, Happening.FINISHED):
        return ""
    trajectory = replay.trajectory
    one = replay.projects[project]
    days: list[float] = trajectory.waits[project].tolist()
    if happening == Happening.STARTED:
        planned, actual = one.planned_start, int(trajectory.start[project])
    else:
        planned, actual = one.planned_finish, int(trajectory.finish[project])
        days += [part / NANO_DAYS for part in trajectory.causes[project].tolist()]
    words = _WORDS[language]
    late = actual - (planned - replay.origin).days
    kind = "on_time" if late == 0 else "late" if late > 0 else "early"
    causes = _causes(replay, days, language)
    return words[kind].format(days=_days(abs(late), language)) + (
        words["because"].format(causes=causes) if causes else ""
    )


def _causes(replay: Replay, days: Sequence[float], language: Language) -> str:
    words = _WORDS[language]
    named = sorted(zip(days, replay.causes, strict=False), key=lambda pair: -abs(pair[0]))
    return words["and"].join(
        words["day"].format(
            title=cause_title(cause, replay.cause_titles, language), days=_signed(part)
        )
        for part, cause in named
        if abs(part) >= _SHOWN_DAYS
    )


def _days(count: int, language: Language) -> str:
    if language == "zh":
        return f"{count:,} 天"
    return f"{count:,} day" if count == 1 else f"{count:,} days"


def _signed(days: float) -> str:
    return f"{days:+,.0f}" if days == round(days) else f"{days:+,.1f}"
