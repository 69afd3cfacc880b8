"""Documents that cannot drift: every code block runs, every generated table is up to date."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(bash|python)\n(.*?)^```", re.DOTALL | re.MULTILINE)
HOW_TOS = ("docs/how-to.md", "docs/fitting.md", "docs/hindcast.md", "docs/calibration.md")
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


def blocks(name: str) -> list[tuple[str, str]]:
    return BLOCK.findall((ROOT / name).read_text(encoding="utf-8"))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Copy what a reader starts from, so that blocks write nothing into the real one.

    The package itself is not copied: its kernels would be compiled anew.
    """
    copy = tmp_path / "checkout"
    copy.mkdir()
    for name in ("run_sim.py", "scenarios", "docs"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    return copy


@pytest.mark.slow
@pytest.mark.parametrize("name", HOW_TOS)
def test_how_to_blocks_run(checkout: Path, name: str) -> None:
    """One after the other: some go on from what one before has written."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for kind, text in blocks(name):
        command = ["bash", "-euc", text] if kind == "bash" else [sys.executable, "-c", text]
        done = subprocess.run(
            command,
            cwd=checkout,
            env=os.environ | {"PATH": path, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, text + done.stderr


def test_tables_of_columns_are_up_to_date() -> None:
    command = [sys.executable, "docs/generate_fields.py", "--check"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)


@pytest.mark.parametrize(
    "name",
    ["README.md", "README.zh.md", "docs/contract.md", "docs/model.md", "docs/architecture.md",
     "docs/roadmap.md", "docs/credibility.md", *HOW_TOS, "docs/verify.md",
     "scenarios/luoyang-2021/README.md",
     "scenarios/luoyang-2021/README.zh.md"],
)  # fmt: skip
def test_links_lead_somewhere(name: str) -> None:
    for target in LINK.findall((ROOT / name).read_text(encoding="utf-8")):
        assert (ROOT / name).parent.joinpath(target).exists(), target


def test_both_readmes_give_the_same_lines() -> None:
    english, chinese = (
        [text for kind, text in blocks(name) if kind == "bash"]
        for name in ("README.md", "README.zh.md")
    )
    assert english == chinese
    assert len(english) == 2


def test_files_that_the_roadmap_names_exist() -> None:
    text = (ROOT / "docs/roadmap.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:tests|benchmarks)/[^`*]+)`", text)
    assert named
    assert all((ROOT / name).exists() for name in named)
