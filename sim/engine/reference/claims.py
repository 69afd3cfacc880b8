"""Measuring and claiming: what owners may ask to be paid, and when it falls due."""

from __future__ import annotations

from sim.engine.reference.clock import Clock
from sim.engine.rules import NEVER, PPM, Happening, Phase
from sim.sampling.realization import Frame, Realization


class Claims:
    """What each project has claimed since the status date.

    Attributes
    ----------
    claimed : list of int
        Yuan claimed, opening claims included.
    due : list of list of int
        Yuan that fall due at each run, by project.
    premium : list of int
        Yuan that acceleration cost so far.
    """

    def __init__(self, clock: Clock, frame: Frame, drawn: Realization) -> None:
        self._clock, self._frame = clock, frame
        terms = frame.terms
        self._months: list[int] = frame.month_ends.tolist()
        self._done: list[int] = frame.done.tolist()
        self._total: list[int] = drawn.total.tolist()
        self._approved: list[int] = frame.approved.tolist()
        self._ratio: list[int] = terms.pay_ratio.tolist()
        self._retention: list[int] = terms.retention.tolist()
        self._recovered_from: list[int] = terms.recovery_from.tolist()
        self._recovered_by: list[int] = terms.recovery_to.tolist()
        self._due_run: list[list[int]] = terms.due_run.tolist()
        self._advance_run: list[int] = terms.advance_run.tolist()
        self._retention_run: list[list[int]] = terms.retention_run.tolist()
        self._advance: list[int] = drawn.advance.tolist()
        self.due: list[list[int]] = terms.opening.tolist()
        self._opening = [sum(row) for row in self.due]
        # Of value before the status date the pay ratio was claimed before.
        shares = zip(self._ratio, self._done, strict=True)
        self._entitled: list[int] = [ratio * done // PPM for ratio, done in shares]
        self._before: list[int] = list(self._entitled)
        count = len(self._done)
        self._retained = [0] * count
        self._settled_at = [-1] * count
        self._advance_claimed = [False] * count
        self._applied = [NEVER] * count
        self._adjusted = [False] * count
        self.premium = [0] * count

    @property
    def claimed(self) -> list[int]:
        """Yuan claimed since the status date, opening claims included."""
        parts = zip(self._opening, self._entitled, self._before, self._retained, strict=True)
        return [opening + entitled - before + kept for opening, entitled, before, kept in parts]

    def recognised(self, project: int, value: int, day: int) -> int:
        """Return the value that counts as done: growth beyond the limit waits for adjustment."""
        if value <= self._approved[project] or self._is_adjusted(project, day):
            return value
        policy = self._frame.policy
        limit = self._approved[project] * (PPM + policy.growth_limit) // PPM
        return min(value, limit)

    def _is_adjusted(self, project: int, day: int) -> bool:
        """Apply for the adjustment of the estimate once value exceeds it; tell if it is through."""
        policy, approved = self._frame.policy, self._approved[project]
        first = self._applied[project] == NEVER
        if first:
            self._applied[project] = day
            self._clock.note(Phase.MEASURE, project, Happening.ESTIMATE_EXCEEDED)
        above = self._total[project] > approved * (PPM + policy.growth_limit) // PPM
        wait = policy.adjustment_days_above if above else policy.adjustment_days
        through = day >= self._applied[project] + wait
        if through and not self._adjusted[project]:
            self._adjusted[project] = True
            self._clock.note(Phase.MEASURE, project, Happening.ESTIMATE_ADJUSTED)
        return through

    def _claimable(self, project: int, value: int, day: int) -> int:
        if value > self._approved[project] and not self._is_adjusted(project, day):
            value = self._approved[project]
        return value + self.premium[project]

    def add_premium(self, project: int, added: int, rate: int) -> None:
        """Book what the acceleration of a month cost: a premium on the value that it brought."""
        fast = added * (rate - PPM) // rate
        self.premium[project] += fast * self._frame.policy.premium // PPM

    def claim_advance(self, project: int, month: int) -> None:
        """Claim the advance at the first month-end after the start."""
        amount = self._advance[project]
        if self._advance_claimed[project] or amount == 0:
            return
        self._advance_claimed[project] = True
        self._entitled[project] += amount
        self._fall_due(project, self._advance_run[month], amount)
        self._clock.note(Phase.MEASURE, project, Happening.ADVANCE, amount)

    def claim(self, project: int, value: int, month: int, settled: bool) -> None:
        """Claim what a project is entitled to beyond its earlier claims.

        Parameters
        ----------
        project, month : int
            Positions.
        value : int
            Yuan of value that counts as done.
        settled : bool
            Whether it was delivered before this month-end.
        """
        base = self._claimable(project, value, self._months[month])
        whole = (PPM - self._retention[project]) * base // PPM
        if not settled:
            outstanding = self._outstanding(project, value)
            entitled = outstanding + min(self._ratio[project] * base // PPM, whole)
            entitled = min(entitled, self._total[project] + self.premium[project])
        else:
            entitled = whole
        claim = entitled - self._entitled[project]
        if claim > 0:
            self._entitled[project] = entitled
            self._fall_due(project, self._due_run[project][month], claim)
        if settled:
            self._claim_retention(project, base, month)

    def _claim_retention(self, project: int, base: int, month: int) -> None:
        """Claim what was kept back; it falls due when its period is over."""
        if self._settled_at[project] < 0:
            self._settled_at[project] = month
        kept = base - self._entitled[project] - self._retained[project]
        if kept > 0:
            self._retained[project] += kept
            after_period = self._retention_run[project][self._settled_at[project]]
            self._fall_due(project, max(after_period, self._due_run[project][month]), kept)

    def _outstanding(self, project: int, value: int) -> int:
        """Return the part of the advance that is not yet recovered."""
        if not self._advance_claimed[project]:
            return 0
        low, high = self._recovered_from[project], self._recovered_by[project]
        share = value * PPM // max(self._total[project], 1)
        if share >= high:
            return 0
        if share <= low:
            return self._advance[project]
        return self._advance[project] * (high - share) // (high - low)

    def _fall_due(self, project: int, run: int, amount: int) -> None:
        if run < len(self._months):
            self.due[project][run] += amount

    def is_complete(self, project: int) -> bool:
        """Tell whether a delivered project has claimed all that it ever will."""
        everything = self._total[project] + self.premium[project]
        return self._entitled[project] + self._retained[project] >= everything

    def ever_claimed(self, project: int) -> int:
        """Return all claims of a project, those before the status date included."""
        return self._entitled[project] + self._retained[project]
