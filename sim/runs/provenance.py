"""Where numbers come from: the fingerprint of a run, its resolved scenario, versions."""

from __future__ import annotations

import dataclasses
import datetime
import functools
import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from sim.plan.scenario import Scenario
from sim.plan.tables import digest

_AS_IT_IS = (str, int, float, bool, type(None))
"""Nearly all that a plan is made of."""
_MODEL = ("plan", "sampling", "engine", "runs", "jit.py", "kept.py")
_NUMERIC_LIBRARIES = ("numpy", "scipy", "simpy", "holidays", "numba")
_LIBRARIES = ("numpy", "scipy", "simpy", "numba", "polars", "pydantic", "holidays")


def plain(value: Any) -> Any:
    """Turn rows into what JSON can hold, the same for equal values."""
    if type(value) in _AS_IT_IS:
        return value
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if isinstance(value, (Fraction, datetime.date)):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    if isinstance(value, Mapping):
        return {
            "/".join(key) if isinstance(key, tuple) else str(key): plain(inner)
            for key, inner in value.items()
        }
    if isinstance(value, Path):
        return value.name
    return value


@functools.cache
def source_hash() -> str:
    """Hash the source of the model, once: an edit during a run is not what has run."""
    root = Path(__file__).parent.parent
    whole = hashlib.sha256()
    for place in _MODEL:
        for path in [root / place, *sorted((root / place).rglob("*"))]:
            if path.suffix in (".py", ".csv", ".toml"):
                whole.update(path.relative_to(root).as_posix().encode())
                whole.update(path.read_bytes())
    return whole.hexdigest()


def fingerprint(
    scenario: Scenario, seed: int, replications: int, sampling: str, engine: str
) -> str:  # fmt: skip
    """Hash what determines the numbers of a run, on one platform and one version of Python.

    Resolved inputs (rows sorted, so that their order in the files counts for blank ranks only),
    seed, replications and precision asked for, sampling, engine, the source of the model and the
    versions of the numeric libraries.

    Returns
    -------
    str
        The first 16 hexadecimal digits.
    """
    values = plain(scenario.plan)
    del values["folder"]
    libraries = [_version(name) for name in _NUMERIC_LIBRARIES]
    about = plain(scenario.about.model_dump())
    precision = plain(scenario.precision)
    asked = [scenario.name, about, seed, replications, sampling, engine, precision]
    parts = [values, asked, source_hash(), libraries]
    text = json.dumps(parts, ensure_ascii=False, sort_keys=True, default=str)
    return digest(text.encode())[:16]


def resolved(scenario: Scenario) -> dict[str, Any]:
    """Return a scenario as it finally holds, its base and every override worked in."""
    settings = scenario.settings.model_dump(mode="json", exclude={"plan", "base"})
    return settings | {
        "uncertainties": plain(scenario.uncertainties),
        "deflation": plain(scenario.plan.deflation),
    }


def versions() -> dict[str, str]:
    """Return versions of the project, of Python, of the platform and of the libraries."""
    from sim import __version__

    found = {"sim": __version__, "python": platform.python_version()}
    found["platform"] = f"{platform.system()} {platform.machine()}"
    return found | {name: _version(name) for name in _LIBRARIES}


def _version(library: str) -> str:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:  # the compiler may be missing
        return "absent"
