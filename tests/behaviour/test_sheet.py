"""The command sheet: every item of the checklist, the numbers of the manifest, what is no run."""

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from sim.cli import main
from tests.worlds import project, write_world

# Items of the STRESS-DES checklist as published (Monks and others 2019), in order.
CHECKLIST = {
    "1.1": ("目的", "Purpose"), "1.2": ("输出", "outputs"), "1.3": ("试验", "experimentation"),
    "2.1": ("总览", "overview"), "2.2": ("基础", "Base model logic"), "2.3": ("情景", "Scenario"),
    "2.4": ("算法", "Algorithms"), "2.5.1": ("实体", "entities"), "2.5.2": ("活动", "activities"),
    "2.5.3": ("资源", "resources"), "2.5.4": ("队列", "queues"), "2.5.5": ("退出", "exit"),
    "3.1": ("来源", "sources"), "3.2": ("预处理", "Pre-processing"), "3.3": ("参数", "parameters"),
    "3.4": ("假设", "Assumptions"), "4.1": ("初始化", "Initialisation"),
    "4.2": ("长度", "Run length"), "4.3": ("估计", "Estimation"), "5.1": ("软件", "Software"),
    "5.2": ("抽样", "Random sampling"), "5.3": ("执行", "execution"), "5.4": ("系统", "System"),
    "6.1": ("共享", "sharing"),
}  # fmt: skip
DRIVERS = """[rain]
title = "雨"
distribution = "triangular(0.9, 1.0, 1.3)"
stress = "triangular(1.1, 1.3, 1.6)"
acts_on = "duration"
source = "a gauge"
"""
HEADING = re.compile(r"^### (\S+) (.*)\n\n((?:(?!^#).*\n)*)", re.MULTILINE)


def ask(*words: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    return int(ended.value.code or 0)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("sheet")
    rows = [project("A", "2020-03-01", "2022-06-30", 90_000, 40_000, done_before_year=30_000)]
    folder = write_world(place / "plan", rows, "target = 4", DRIVERS)
    words = ("--engine", "reference", "-n", 3, "--seed", 77, "--set", "uncertainties.rain=stress")
    assert ask("run", folder, *words, "--out", place / "out", "--quiet") == 0
    return place / "out" / "plan"


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    """Return a copy of the folder of runs, to be changed at will."""
    return Path(shutil.copytree(made, tmp_path / "plan"))


def only_run(runs: Path) -> Path:
    return runs / (runs / "latest").read_text().strip()


def change(runs: Path, name: str = "manifest.json", **values: Any) -> None:
    path = only_run(runs) / name
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | values), encoding="utf-8")


def items(runs: Path, language: str, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    capsys.readouterr()
    assert ask("sheet", runs, "--lang", language) == 0
    return {number: f"{title}\n{body}" for number, title, body in
            HEADING.findall(capsys.readouterr().out)}  # fmt: skip


@pytest.mark.parametrize(("language", "position"), [("zh", 0), ("en", 1)])
def test_every_item_of_the_checklist(
    run: Path, language: str, position: int, capsys: pytest.CaptureFixture[str]
) -> None:
    found = items(run, language, capsys)
    assert list(found) == list(CHECKLIST)
    for number, text in found.items():
        title, body = text.split("\n", 1)
        assert CHECKLIST[number][position] in title
        assert len(body.strip()) > 20
        assert "{" not in text
        chinese = re.findall("[\u4e00-\u9fff]", body)
        assert bool(chinese) == (language == "zh")


def test_numbers_are_those_of_the_run(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = only_run(run)
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    found = items(run, "en", capsys)
    reported = summary["year_end"]["reported"]
    row = next(line for line in found["1.2"].splitlines() if line.startswith("| reported"))
    cells = [cell.strip() for cell in row.split("|")[2:8]]
    keys = ("mean", "p5", "p20", "p50", "p80", "p95")
    told = [float(cell.replace(",", "")) * 1e4 for cell in cells]
    assert told == pytest.approx([reported[key] for key in keys], abs=0.5e4)
    row = next(line for line in found["4.3"].splitlines() if line.startswith("| reported"))
    assert float(row.split("|")[2].replace(",", "")) * 1e4 == pytest.approx(
        reported["mean_se"], abs=0.005e4
    )
    assert "| uncertainties.rain | on | stress |" in found["2.3"]
    assert "| rain | stress | triangular(1.1, 1.3, 1.6) | a gauge |" in found["3.3"]
    for name, mark in manifest["inputs_sha256"].items():
        assert f"| {name} | {mark} |" in found["3.1"]
    assert "seed 77, quasi" in found["5.2"]
    assert "2020-12-31" in found["4.1"]
    assert "3 replications" in found["4.2"]
    assert "2024-12-31" in found["4.2"]
    assert "no second engine" in found["5.3"]
    assert manifest["model_sha256"] in found["6.1"]
    assert folder.name in found["6.1"]


def test_the_sheet_follows_the_manifest(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check = {"engine": "reference", "replications": [0, 9], "agree": True, "differences": []}
    precision = {"measure": "reported.p50", "unit": "yuan", "half_width_asked": 2e9,
                 "half_width": 1.5e9, "reached": True, "most_replications": 9}  # fmt: skip
    change(run, seed=424_242, replications=4_321, cross_check=check, precision=precision)
    found = items(run, "en", capsys)
    assert "seed 424242" in found["5.2"]
    assert "replications 0, 9 again and agrees" in found["5.3"]
    assert "reported.p50 at most 2,000,000,000 (yuan); reached after 4,321" in found["4.2"]
    change(run, cross_check=check | {"agree": False}, precision=precision | {"reached": False})
    found = items(run, "zh", capsys)
    assert "本次结果不可用" in found["5.3"]
    assert "仍未达到" in found["4.2"]


def test_what_a_run_says_stays_text(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(run, plan="a|b\x1b[2J\n# 9 <script> [x](y)")
    found = items(run, "en", capsys)
    assert r"a\|b\x1b[2J\n# 9 \<script\> [x]\(y)".replace("\\x", "\\\\x").replace(
        "\\n", "\\\\n"
    ) in found["1.1"]  # fmt: skip
    assert list(found) == list(CHECKLIST)


def test_the_run_folder_itself_and_a_file(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert ask("sheet", run) == 0
    printed = capsys.readouterr().out
    assert ask("sheet", run / "latest") == 0
    assert capsys.readouterr().out == printed
    # How many replications and which seed are no changes to the plan.
    assert "3 次模拟，种子 77，对方案的改动 1 处" in printed.split("## 1 ")[0]
    target = tmp_path / "new" / "sheet.md"
    assert ask("sheet", only_run(run), "--out", target) == 0
    assert capsys.readouterr().out.strip() == str(target)
    assert target.read_text(encoding="utf-8") == printed
    assert os.listdir(target.parent) == ["sheet.md"]
    assert ask("sheet", run, "--out", target.parent) == 2
    assert ask("sheet", run, "--out", target / "below.md") == 1


@pytest.mark.parametrize("damage", ["empty", "latest", "outside", "json", "keys", "summary"])
def test_no_run_is_told(
    run: Path, damage: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place, folder = run, only_run(run)
    match damage:
        case "empty":
            place = tmp_path / "nothing"
        case "latest":
            (run / "latest").write_text("0123456789abcdef\n")
        case "outside":
            (tmp_path / "plan" / "inner").mkdir()
            place = tmp_path / "plan" / "inner"
            (place / "latest").write_text(f"../{folder.name}\n")
        case "json":
            (folder / "manifest.json").write_text('{"seed": ')
        case "keys":
            (folder / "manifest.json").write_text('{"seed": 1}')
        case "summary":
            (folder / "summary.json").unlink()
    target = tmp_path / "sheet.md"
    assert ask("sheet", place, "--out", target, "--lang", "en") == 2
    told = capsys.readouterr().err
    words = {"json": "cannot be read", "keys": '"fingerprint"', "summary": "cannot be read"}
    assert words.get(damage, "there is no finished run here") in told
    assert not target.exists()
