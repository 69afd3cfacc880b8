"""The free parameters of a calibration: what nobody has measured, and what is believed of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Parameter:
    """Something unknown that the evidence may speak of.

    Attributes
    ----------
    name, title, title_en : str
        Its name, and what people read.
    low, high : float
        Between which it is spread to learn what it does: as wide as practice and audits leave
        possible.
    prior : str
        What is believed of it before, a distribution within these ends.
    kind : str
        `driver`: what the driver of that path draws for the whole city, in each replication anew.
        `exposure`: how strongly government projects are exposed to that driver.
        `each`: standard deviation, before it is cut, of what each project draws of its own beside
        that driver.
        `design`: the value at that path of a scenario.
    paths : tuple of str
        Where it stands.
    """

    name: str
    title: str
    title_en: str
    low: float
    high: float
    prior: str
    kind: str
    paths: tuple[str, ...]

    @property
    def driver(self) -> str:
        """Name of the driver that it is, or is an exposure to."""
        return self.paths[0]


PARAMETERS = (
    # Flat: all that is known of these two are the published lists themselves. Government may as
    # well promise more than it means to do. Until kinds of works were heard its prior was 0 to 1,
    # after a judgement; it was widened when that shut out what published ratios of kinds say.
    Parameter("understatement", "企业计划留有余地", "understatement of enterprises",
              0.0, 0.35, "uniform(0, 0.35)", "driver", ("understatement",)),
    Parameter("understatement_government", "政府项目余地与企业之比（负：少干于计划）",
              "understatement of government over that of enterprises",
              -1.0, 1.0, "uniform(-1, 1)", "exposure", ("understatement",)),
    # Audits: work and cash come to 0.85 to 0.95 of what is reported.
    Parameter("overstatement", "填报高于形象进度", "overstatement",
              0.0, 0.30, "triangular(0, 0.06, 0.16)", "driver", ("overstatement",)),
    # Studies of portfolios: a common part of durations.
    Parameter("productivity", "全市工期系数", "durations of all sites",
              0.85, 1.20, "lognormal(median=1, sigma=0.05)", "driver", ("productivity",)),
    # Owners misjudge or mean otherwise, each in its own way.
    Parameter("filing", "各项目打算与计划的离散", "spread of projects' intents beside their plans",
              0.0, 0.5, "uniform(0, 0.5)", "each", ("understatement",)),
    Parameter("slip", "审批之外的开工推迟余因", "what approvals leave of slips and missed years",
              0.02, 0.96, "uniform(0.02, 0.96)", "design",
              ("deflation.gates.slip", "deflation.gates.no_start")),
    Parameter("duration", "风险之外的工期余因", "what risks leave of the excess of durations",
              0.24, 1.0, "uniform(0.24, 1)", "design", ("deflation.risks.duration_excess",)),
    Parameter("cost", "风险之外的投资余因", "what risks leave of the excess of costs",
              0.24, 1.0, "uniform(0.24, 1)", "design", ("deflation.risks.cost_excess",)),
)  # fmt: skip
"""The free parameters, few and stated. A prior is what other evidence than published lists says;
flat where there is none."""


def own_draw(sd: float) -> str:
    """Return the distribution of what a project draws of its own: even to both sides.

    Cut so that no project means to do less than nothing, even when all mean to do least.
    """
    return f"normal(0, {sd:.3f}, -0.6, 0.6)"
