"""Tables of credibility.md that come from changing one parameter after another."""

from __future__ import annotations

import tomllib

from credibility_runs import (
    BASELINE,
    PLAN,
    SHOWN,
    YUAN,
    Numbers,
    edited,
    effect_cell,
    spread_cell,
    table,
)

from sim.runs.paired import difference, spread


def _count(numbers: Numbers) -> str:
    means = ", ".join(
        f"{name.replace('_', ' ')} {numbers.years().year_end[name].mean() / YUAN:,.0f}"
        for name in SHOWN
    )
    return f"{numbers.replications} replications, seed 2021. Baseline means: {means}."


def driver_sources(numbers: Numbers) -> str:
    """Return distribution, source and confidence of each driver."""
    given = tomllib.loads((PLAN / "drivers.toml").read_text("utf-8"))
    learned = tomllib.loads(BASELINE.read_text("utf-8"))["uncertainties"]
    rows = []
    for one in numbers.baseline.plan.drivers:
        written = given[one.name]
        law = f"`{written['distribution']}`"
        if one.name in learned:
            law = f"`{learned[one.name]['distribution']}`; before calibration {law}"
            if "each" in learned[one.name]:
                law += f"; each project by itself `{learned[one.name]['each']}`"
        if "probability" in written:
            law += f", probability {written['probability']}"
        stress = f"`{written['stress']}`"
        rows.append(
            [f"`{one.name}`", law, stress, numbers.settings["drivers"][one.name], one.source]
        )
    heads = ("driver", "distribution", "stress", "confidence", "source")
    return table(heads, rows, texts=5)


def driver_effects(numbers: Numbers) -> str:
    """Return what each driver does when off and in its stress."""
    rows = []
    for one in numbers.baseline.plan.drivers:
        cells = []
        for state in ("off", "stress"):
            after = numbers.years(f"uncertainties.{one.name}={state}")
            cells += [effect_cell(difference(after, numbers.years(), name)) for name in SHOWN]
        rows.append([f"`{one.name}`", *cells])
    heads = ["driver", *(f"{state}: {name.replace('_', ' ')}" for state in ("off", "stress")
                         for name in SHOWN)]  # fmt: skip
    return _count(numbers) + "\n\n" + table(heads, rows)


def parameter_effects(numbers: Numbers) -> str:
    """Return what other values of the other parameters do."""
    rows = []
    for one in numbers.settings["parameters"]:
        after = numbers.run(edited(one, numbers.baseline))
        effects = [effect_cell(difference(after, numbers.years(), name)) for name in SHOWN]
        sd = f"{spread(after, 'reported').value / YUAN:,.0f}"
        rows.append(
            [one["group"], one["name"], one["stands"], one["confidence"] or "–", *effects, sd]
        )
    heads = ("group", "if instead", "stands", "confidence", "reported", "work done", "paid",
             "sd of reported")  # fmt: skip
    base = f" Its sd of reported: {spread(numbers.years(), 'reported').value / YUAN:,.0f}."
    return _count(numbers) + base + "\n\n" + table(heads, rows, texts=4)


def spreads(numbers: Numbers) -> str:
    """Return standard deviations at year-end with no driver, each alone, and all."""
    names = [one.name for one in numbers.baseline.plan.drivers]
    off = {name: f"uncertainties.{name}=off" for name in names}
    alone = {
        name: tuple(change for other, change in off.items() if other != name) for name in names
    }
    none = numbers.years(*off.values())
    cases = [
        ("all on (baseline)", numbers.years()),
        ("all drivers off", none),
        (
            "all drivers and dependence off: projects' own luck",
            numbers.years(*off.values(), "uncertainties.dependence=off"),
        ),
    ]
    cases += [(f"only `{name}`", numbers.years(*changes)) for name, changes in alone.items()]
    rows = []
    whole = {name: spread(numbers.years(), name).value for name in SHOWN}
    for title, years in cases:
        cells = []
        for name in SHOWN:
            found = spread(years, name)
            cells += [spread_cell(found), f"{(found.value / whole[name]) ** 2:.0%}"]
        rows.append([title, *cells])
    heads = ["drivers", *(cell for name in SHOWN for cell in (f"sd of {name.replace('_', ' ')}",
                                                              "of its variance"))]  # fmt: skip
    return f"{numbers.replications} replications; 100 m yuan.\n\n" + table(heads, rows)
