"""Imports go downward only; each library lives where a reader would look for it."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import sim

ROOT = Path(sim.__file__).parent
FLOORS = (
    "plan",
    "sampling",
    "engine",
    "runs",
    "analysis",
    "verification",
    "figures",
    "briefing",
    "commands",
    "cli",
)
# What a place never imports, beyond the floors above it: prefix of modules -> forbidden.
FORBIDDEN = {
    "engine": ("pandas", "polars", "scipy", "numpy.random", "sim.plan", "sim.runs"),
    "analysis": ("sim.engine", "sim.sampling", "matplotlib"),
    "verification": ("matplotlib",),
    "figures": ("sim.engine", "sim.sampling", "sim.plan"),
    "briefing": ("sim.engine.reference", "sim.sampling", "sim.plan"),
}
ONLY_IN = {
    "simpy": ("engine/reference/",),
    "numba": ("jit.py",),
    "matplotlib": ("figures/",),
    "click": ("cli.py", "commands/"),
    "random": (),
    "numpy.random": (),
    "requests": (),
    "urllib": (),
    "socket": (),
}
# Imported inside functions only, so that `import sim` and `--help` answer at once.
NEVER_AT_TOP = ("matplotlib", "polars", "scipy", "holidays", "rich")


def sources() -> list[Path]:
    return sorted(ROOT.rglob("*.py"))


def imports(path: Path, top_level: bool = False) -> Iterator[str]:
    """Yield every module that a file imports, however it is written."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    guarded = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test)
        for node in ast.walk(block)
    }
    later = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        if id(node) in guarded or (top_level and id(node) in later):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                package = ("sim", *path.relative_to(ROOT).parts)[: -node.level]
                module = ".".join(filter(None, [*package, module]))
            yield module
            for alias in node.names:
                # What follows may be a module, or a name of the public door, which lies elsewhere.
                door = sim._WHERE.get(alias.name) if module == "sim" else None
                yield door or f"{module}.{alias.name}"


def inside(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(prefix + ".")


def floor_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports(path: Path) -> None:
    floor, place = floor_of(path), path.relative_to(ROOT).as_posix()
    for name in imports(path):
        for other in FLOORS[FLOORS.index(floor) + 1 :] if floor in FLOORS else ():
            assert not inside(name, f"sim.{other}"), f"{place} imports {name} from above"
        for forbidden in FORBIDDEN.get(floor, ()):
            assert not inside(name, forbidden), f"{place} must not import {name}"
        for library, homes in ONLY_IN.items():
            if inside(name, library):
                assert place.startswith(homes) if homes else False, f"{place} imports {name}"
    for name in imports(path, top_level=True):
        for library in NEVER_AT_TOP:
            assert not inside(name, library), f"{place} imports {name} at the top"


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("import sim.cli", "sim.cli"),
        ("from sim import cli", "sim.cli"),
        ("from sim import runs as below", "sim.runs"),
        ("from sim import load_scenario", "sim.plan.scenario"),
        ("from sim.runs import folder", "sim.runs.folder"),
        ("from . import tables", "sim.plan.tables"),
        ("from ..runs import folder", "sim.runs.folder"),
        ("from .. import cli", "sim.cli"),
        ("from numpy import random", "numpy.random"),
        ("try:\n    import scipy\nexcept ImportError:\n    pass", "scipy"),
        ("class A:\n    from sim import cli", "sim.cli"),
    ],
)
def test_the_walk_sees_every_form(
    statement: str, found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    path = tmp_path / "plan" / "new.py"
    path.parent.mkdir()
    path.write_text(statement, encoding="utf-8")
    assert found in set(imports(path))
    assert found in set(imports(path, top_level=True))
    path.write_text("def later():\n    " + statement.replace("\n", "\n    "), encoding="utf-8")
    assert found in set(imports(path))
    assert found not in set(imports(path, top_level=True))


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_nobody_imports_the_whole(path: Path) -> None:
    """`import sim` would hide which floor is meant."""
    assert "sim" not in {
        alias.name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import)
        for alias in node.names
    }


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_library_is_silent(path: Path) -> None:
    calls = [
        node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]
    assert not calls


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_modules_stay_small(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 500


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import sim", ("numpy", "scipy", "polars", "matplotlib", "simpy", "numba", "pydantic",
                        "click")),
        ("import sim.cli", ("numpy", "scipy", "polars", "matplotlib", "simpy", "numba", "pydantic",
                            "rich")),
    ],
)  # fmt: skip
def test_start_up_loads_little(statement: str, absent: tuple[str, ...]) -> None:
    code = f"{statement}; import sys; print([m for m in {absent!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT.parent
    )
    assert done.stdout.strip() == "[]"


def test_the_phase_table_is_in_order() -> None:
    from sim.engine.rules import PHASES, Phase

    assert [rule.phase for rule in PHASES] == list(Phase)
