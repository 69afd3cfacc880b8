"""Names, codes and the order of events: what every engine shares. No arithmetic here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

NEVER = 2**31 - 1
"""Day of what does not happen before the horizon."""

PPM = 10**6


class Phase(IntEnum):
    """Phases within a day; inside a phase events run in order of rank."""

    RECEIVE = 1
    FILES = 2
    REVIEWS = 3
    STARTS = 4
    WORK = 5
    MEASURE = 6
    PAY = 7
    FINISH = 8
    CLOSE = 9


class Wait(IntEnum):
    """Why a start waits, in the order in which a running maximum splits the wait."""

    GATE = 0
    PREDECESSOR = 1
    SLIP = 2
    NO_START = 3


class Happening(IntEnum):
    """What the event log tells."""

    FILE_READY = 0
    GATE_PASSED = 1
    STARTED = 2
    MEASURED = 3
    PAID = 4
    FINISHED = 5
    DELIVERED = 6
    REPORTED = 7


@dataclass(frozen=True, slots=True)
class PhaseRule:
    """A row of the table of phases.

    Attributes
    ----------
    phase : Phase
        Its place in the day.
    zh, en : str
        Name.
    does_zh, does_en : str
        What happens in it in this version; what is still to come is said so.
    in_force : bool
        False where nothing happens yet.
    """

    phase: Phase
    zh: str
    en: str
    does_zh: str
    does_en: str
    in_force: bool


PHASES = (
    PhaseRule(
        Phase.RECEIVE, "到账", "Receive",
        "资金下达到账（待建：目前资金不设上限）",
        "releases become available (to come: money is unlimited for now)", False,
    ),
    PhaseRule(
        Phase.FILES, "备件", "Files",
        "建设单位备齐材料，递交审批",
        "owners finish preparation and hand the file in", True,
    ),
    PhaseRule(
        Phase.REVIEWS, "审批", "Reviews",
        "审批办结（按工作日，至少一天；窗口排队待建）",
        "reviews end (working days, at least one; queues at windows to come)", True,
    ),
    PhaseRule(
        Phase.STARTS, "开工", "Starts",
        "手续齐备、紧前项目已交付、到计划开工日加推迟、不在禁止开工期的项目开工",
        "projects start whose gates are passed, predecessors delivered, planned start plus slip "
        "come, outside no-start periods", True,
    ),
    PhaseRule(
        Phase.WORK, "施工", "Work",
        "按日历推进施工；当日完成全部工作量的项目完工",
        "work goes on through the calendar; projects whose work is done finish", True,
    ),
    PhaseRule(
        Phase.MEASURE, "计量", "Measure",
        "月末计量完成价值，按进度款比例形成应付",
        "month-end: value of work is measured and a share of it becomes payable after the lag",
        True,
    ),
    PhaseRule(
        Phase.PAY, "支付", "Pay",
        "月末支付到期款项（资金竞争与欠款待建）",
        "month-end: what is due is paid (competition for money and arrears to come)", True,
    ),
    PhaseRule(
        Phase.FINISH, "交付", "Finish",
        "验收期满交付，后续项目与承诺可见",
        "after acceptance a project is delivered; successors and commitments see it", True,
    ),
    PhaseRule(
        Phase.CLOSE, "年结", "Close the year",
        "年末结转或收回（待建）",
        "balances lapse or carry over (to come)", False,
    ),
)  # fmt: skip
