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
    WINDOW = 1
    PREDECESSOR = 2
    SLIP = 3
    NO_START = 4
    EQUITY = 5


class Cause(IntEnum):
    """Why a building time differs from the planned one; calendar causes follow, in order of name.

    The days of a project are booked in billionths (milli-days x ppm), and add up exactly.
    """

    PULLED_FORWARD = 0
    WORK = 1
    STOPS = 2
    OPPORTUNITIES = 3
    ARREARS = 4
    ACCELERATION = 5
    LAST_DAY = 6


NANO_DAYS = 10**9
"""Units of `Cause` in a day: milli-days x ppm."""


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
    REVIEW_BEGUN = 8
    RECEIVED = 9
    SET_ASIDE = 10
    WAITS_FOR_MONEY = 11
    STOPPED = 12
    DROPPED = 13
    RATE_SET = 14
    OWED = 15
    ADVANCE = 16
    ESTIMATE_EXCEEDED = 17
    ESTIMATE_ADJUSTED = 18
    LAPSED = 19
    IDLE = 20
    WITHDRAWN = 21
    JOINED = 22
    LEFT = 23


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
        What happens in it.
    """

    phase: Phase
    zh: str
    en: str
    does_zh: str
    does_en: str


PHASES = (
    PhaseRule(
        Phase.RECEIVE, "到账", "Receive",
        "资金下达到账；其后，收回后调整用途的债券资金按批次到账",
        "releases become available; after them bond money moved to another use, batch by batch",
    ),
    PhaseRule(
        Phase.FILES, "备件", "Files",
        "建设单位备齐材料，到窗口排队",
        "owners finish preparation; the file joins the queue of its window",
    ),
    PhaseRule(
        Phase.REVIEWS, "审批", "Reviews",
        "审批办结（按工作日，至少一天），腾出席位；窗口按先后受理下一批",
        "reviews end (working days, at least one) and free their places; windows take the next "
        "files, first come first served",
    ),
    PhaseRule(
        Phase.STARTS, "开工", "Starts",
        "手续齐备、紧前项目已交付、到计划开工日加推迟、不在禁止开工期的项目开工；"
        "政府项目须先落实首笔资本金并留存",
        "projects start whose gates are passed, predecessors delivered, planned start plus slip "
        "come, outside no-start periods; government projects only if their first instalment can "
        "be set aside",
    ),
    PhaseRule(
        Phase.WORK, "施工", "Work",
        "按日历和当月强度推进施工；触及停工点的停工；当日完成全部工作量的项目完工",
        "work goes on through the calendar at the month's rate; stops strike; projects whose work "
        "is done finish",
    ),
    PhaseRule(
        Phase.MEASURE, "计量", "Measure",
        "月末计量完成价值，形成应付：预付款、进度款、结算款、质保金",
        "month-end: value of work is measured and claimed: advance, progress, settlement, "
        "retention",
    ),
    PhaseRule(
        Phase.PAY, "支付", "Pay",
        "月末（12月在国库关账日）支付到期款项：先资本金后债务，各账户按规则分配；付不出的为欠款",
        "month-end, in December the treasury's cut-off day: what is due is paid, equity before "
        "debt, each account by its rule; what is not paid is owed",
    ),
    PhaseRule(
        Phase.FINISH, "交付", "Finish",
        "验收期满交付，后续项目与承诺可见",
        "after acceptance a project is delivered; successors and commitments see it",
    ),
    PhaseRule(
        Phase.CLOSE, "月结与年结", "Close",
        "先按批次查看债券资金支出；12月31日余额结转或收回；定下月施工强度（欠款放缓、年末赶工）并记录账户；"
        "最后年中调整计划",
        "bond clocks are read, batch by batch; on 31 December balances lapse or carry over; next "
        "month's work rates are set (arrears slow, owners accelerate) and accounts recorded; last "
        "of all the plan is revised",
    ),
)  # fmt: skip
