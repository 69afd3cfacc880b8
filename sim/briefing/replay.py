"""The event log of one replication, as lines that a person can follow."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from sim.engine.rules import NEVER, Happening, Wait
from sim.engine.trajectory import Trajectory
from sim.figures.amounts import Language
from sim.runs.replay import Replay

_SAYS = {
    "zh": {
        Happening.FILE_READY: "材料备齐，报送“{gate}”",
        Happening.GATE_PASSED: "“{gate}”办结",
        Happening.STARTED: "开工{waits}",
        Happening.MEASURED: "计量：形象进度累计价值 {amount} 万元",
        Happening.REPORTED: "填报：累计完成投资 {amount} 万元",
        Happening.PAID: "支付 {amount} 万元",
        Happening.FINISHED: "完工",
        Happening.DELIVERED: "验收交付",
    },
    "en": {
        Happening.FILE_READY: "file ready for '{gate}'",
        Happening.GATE_PASSED: "'{gate}' passed",
        Happening.STARTED: "started{waits}",
        Happening.MEASURED: "measured: value of work to date {amount} (10,000 yuan)",
        Happening.REPORTED: "reported: investment to date {amount} (10,000 yuan)",
        Happening.PAID: "paid {amount} (10,000 yuan)",
        Happening.FINISHED: "finished",
        Happening.DELIVERED: "accepted and delivered",
    },
}
_WAITS = {
    "zh": {
        Wait.GATE: "审批",
        Wait.PREDECESSOR: "紧前项目",
        Wait.SLIP: "开工推迟",
        Wait.NO_START: "禁止开工期",
    },
    "en": {
        Wait.GATE: "gates",
        Wait.PREDECESSOR: "predecessors",
        Wait.SLIP: "slip",
        Wait.NO_START: "no-start period",
    },
}
_NEVER = {
    "zh": "模拟期末前未开工：{count} 个项目；未完工：{unfinished} 个项目",
    "en": "not started before the horizon: {count} projects; not finished: {unfinished}",
}


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
    for day, _, i, happening, number in replay.events:
        name, title = replay.projects[i]
        if project not in (None, name):
            continue
        says = _SAYS[language][Happening(happening)].format(
            gate=replay.gates[number] if happening in _WITH_GATE else "",
            amount=f"{number / 1e4:,.0f}",
            waits=_waits(replay.trajectory, i, language),
        )
        date = replay.origin + datetime.timedelta(days=day)
        yield f"{date}  {name}  {title}  {says}"
    if project is None:
        yield _NEVER[language].format(
            count=int((replay.trajectory.start == NEVER).sum()),
            unfinished=int((replay.trajectory.finish == NEVER).sum()),
        )


_WITH_GATE = (Happening.FILE_READY, Happening.GATE_PASSED)


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
