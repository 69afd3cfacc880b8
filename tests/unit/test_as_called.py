"""A hint names the tool as it was called, so that it can be pasted."""

import sys
from pathlib import Path

import pytest

from sim.commands.asking import as_called


@pytest.mark.parametrize(
    ("python", "script", "path", "told"),
    [
        (".venv/bin/python", "run_sim.py", "", ".venv/bin/python run_sim.py"),
        ("bin/python", "run_sim.py", "bin", "python run_sim.py"),
        ("bin/python", "a folder/run_sim.py", "bin", "python 'a folder/run_sim.py'"),
        ("bin/python", "bin/portfolio-sim", "bin", "portfolio-sim"),
        ("bin/python", "bin/portfolio-sim", "", "bin/portfolio-sim"),
        ("bin/python", "portfolio-sim", "bin", "./portfolio-sim"),
        ("bin/python", "bin/run_sim.py", "bin", "python bin/run_sim.py"),
    ],
)
def test_as_called(
    python: str, script: str, path: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (python, script):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / path) if path else "")
    monkeypatch.setattr(sys, "executable", str(tmp_path / python))
    monkeypatch.setattr(sys, "argv", [script])
    assert as_called() == told
    assert as_called("check", "a b.toml", "--set=x=1") == f"{told} check 'a b.toml' --set=x=1"


@pytest.mark.parametrize("script", ["", "-c", "no-such-file"])
def test_without_a_file_it_is_the_installed_command(
    script: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", [script])
    assert as_called("check") == "portfolio-sim check"
