"""Wrong input through the command line: exit code 2, everything told, nothing written."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sim.cli import main
from tests.plans import replaced, write_plan

ROOT = Path(__file__).parents[2]


def ask(*words: str | Path) -> int:
    """Run a command in this process and return its exit code."""
    with pytest.raises(SystemExit) as caught:
        main([str(word) for word in words])
    return int(caught.value.code or 0)


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """Write a plan with faults in three files."""
    return write_plan(
        tmp_path / "plan",
        replaced("projects.csv", "1,1000,", "1,-1000,")
        | replaced("releases.csv", "A2,2021-01", "B2,2021-01")
        | replaced("drivers.toml", "normal(1.02, 0.03", "normal(1.02, -0.03"),
    )


CHINESE = [
    "[错误] projects.csv，第2行，列“total”，值“-1000”：金额为负；处理：填写非负金额",
    "[错误] releases.csv，第4行，列“account”，值“B2”：账户未定义，最接近的是“A2”；"
    "处理：在 accounts.csv 中定义，或使用账户类别",
    "[错误] drivers.toml，第9行，列“prices.distribution”，值“normal(1.02, -0.03, 0.9, 1.2)”："
    "分布无法识别：sd 不得为负；"
    "处理：参照 triangular(2, 5, 8) 或 lognormal(median=1.1, sigma=0.25)",
]
ENGLISH = [
    "[error] projects.csv, row 2, column 'total', value '-1000': the amount is negative; "
    "remedy: give an amount of zero or more",
    "[error] releases.csv, row 4, column 'account', value 'B2': the account is not defined; "
    "the nearest is 'A2'; remedy: define it in accounts.csv, or use a class of accounts",
    "[error] drivers.toml, row 9, column 'prices.distribution', value "
    "'normal(1.02, -0.03, 0.9, 1.2)': the distribution does not parse: sd must not be negative; "
    "remedy: write it like triangular(2, 5, 8) or lognormal(median=1.1, sigma=0.25)",
]


@pytest.mark.parametrize(
    ("language", "lines", "last"),
    [("zh", CHINESE, "输入有误：3 个错误，0 个提醒；未写入任何文件。"),
     ("en", ENGLISH, "The input is wrong (errors: 3, warnings: 0); nothing written.")],
)  # fmt: skip
@pytest.mark.parametrize("command", ["run", "check", "replay"])
def test_every_problem_is_told_and_nothing_written(
    command: str,
    language: str,
    lines: list[str],
    last: str,
    broken: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    more = {"run": ["--out", "out"], "replay": ["--replication", "0"]}.get(command, [])
    assert ask(command, broken, "--lang", language, *more) == 2
    out, err = capsys.readouterr()
    assert out == ""
    told = err.splitlines()
    assert sorted(told[:-1]) == sorted(lines)
    assert told[-1] == last
    assert [path.name for path in tmp_path.iterdir()] == ["plan"]


def test_check_passes_a_sound_plan_and_lists_warnings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask("check", write_plan(tmp_path / "a"), "--lang", "en") == 0
    assert capsys.readouterr() == ("Checked (errors: 0, warnings: 0).\n", "")
    folder = write_plan(tmp_path / "b", replaced("plan.toml", "target = 1200\n", ""))
    assert ask("check", folder, "--lang", "en") == 0
    out, err = capsys.readouterr()
    assert out == "Checked (errors: 0, warnings: 1).\n"
    assert err.startswith("[warning] plan.toml: no target is given")


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("projects.P1.totl=5", "--set, column 'projects.P1.totl': unknown key"),
        ("projects.P1.total=-5", "--set, column 'projects.P1.total', value '-5': the amount"),
        ("nonsense", "--set, column 'nonsense': the override does not parse"),
        ("uncertainties.flood=off", "--set, column 'uncertainties.flood': unknown key"),
    ],
)
def test_overrides(
    override: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = write_plan(tmp_path / "plan"), tmp_path / "out"
    assert ask("run", folder, "--set", override, "--out", out, "--lang", "en") == 2
    assert told in capsys.readouterr().err
    assert not out.exists()


def test_a_project_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_plan(tmp_path / "plan")
    assert ask("replay", folder, "--replication", "0", "--project", "PP1", "--lang", "en") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "--project, value 'PP1': there is no such project; the nearest is 'P1'" in err


def test_check_lists_every_error_and_run_the_first_two_hundred(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    releases = "account,available,amount\n" + "A1,never,1\n" * 230
    folder = write_plan(tmp_path / "plan", {"releases.csv": releases})
    assert ask("check", folder, "--lang", "en") == 2
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 231
    assert told[-1].startswith("The input is wrong (errors: 230, ")
    assert ask("run", folder, "--lang", "en") == 2
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 202
    assert told[-2] == "... and 30 more"


@pytest.mark.parametrize(
    ("words", "chinese", "english"),
    [
        (["run", "--lng"], "没有选项“--lng”，最接近的是“--lang”",
         "there is no option '--lng'; the nearest is '--lang'"),
        (["replay"], "缺少 '--replication'", "'--replication' is missing"),
        (["check"], "缺少 'FILE'", "'FILE' is missing"),
        (["order", "--lang", "fr"], "'--lang' 不在可选值之内，可选：zh, en",
         "'--lang' is none of the choices zh, en"),
        (["run", "-n", "0"], "'-n' / '--replications' 须为整数，不小于 1，不大于 10000000",
         "'-n' / '--replications' must be a whole number of at least 1 and at most 10000000"),
        (["replay", "--replication", "x"], "'--replication' 须为整数，不小于 0",
         "'--replication' must be a whole number of at least 0"),
    ],
)  # fmt: skip
def test_words_that_the_parser_does_not_know(
    words: list[str], chinese: str, english: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(*words) == 2
    usage, remedy, told = capsys.readouterr().err.splitlines()
    assert usage.startswith(f"用法：run_sim.py {words[0]} [OPTIONS]")
    assert remedy == f"查看帮助：run_sim.py {words[0]} --help"
    assert told == f"命令行有误：{chinese}"
    for language in (["--lang", "en"], ["--lang=en"]):
        assert ask(words[0], *language, *words[1:]) == 2
        usage, _, told = capsys.readouterr().err.splitlines()
        assert usage.startswith("Usage: ")
        assert told == f"The command line is wrong: {english}"


@pytest.mark.parametrize(
    ("words", "chinese", "english"),
    [
        (["run", "--seed"], "选项“--seed”之后缺少取值", "option '--seed' lacks its value"),
        (["run", "--quiet=1"], "选项“--quiet”不带取值", "option '--quiet' takes no value"),
    ],
)
def test_options_with_a_value_too_few_or_too_many(
    words: list[str], chinese: str, english: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(*words) == 2
    assert capsys.readouterr().err.splitlines()[-1] == f"命令行有误：{chinese}"
    assert ask("run", "--lang=en", *words[1:]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == f"The command line is wrong: {english}"


def test_a_word_that_is_no_command(capsys: pytest.CaptureFixture[str]) -> None:
    """Its class, with the nearest command in it, is new in click 8.4; before, the word is told."""
    assert ask("en") == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith("命令行有误：")
    assert "en" in told


def test_a_fault_of_the_parser_without_a_kind_is_told_in_its_own_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert ask("run", "a.toml", "b.toml") == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert told == "命令行有误：Got unexpected extra argument (b.toml)"


ENCODINGS = [
    ({"PYTHONIOENCODING": "utf-8"}, "utf-8"),
    ({"PYTHONIOENCODING": "ascii"}, "utf-8"),
    ({"PYTHONIOENCODING": "gbk"}, "gbk"),
    ({"PYTHONIOENCODING": "latin-1"}, "latin-1"),
    ({"LC_ALL": "C"}, "utf-8"),
    ({"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, "utf-8"),
]


@pytest.fixture(scope="module")
def asked_before(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A command whose run stands already: what is left to do is to print."""
    place = tmp_path_factory.mktemp("encodings")
    text = '[about]\ntitle = "𠮷年"\n[uncertainties]\nall = "off"\n'
    folder = write_plan(place / "plan", replaced("plan.toml", "target = 1200\n", ""))
    (folder / "s.toml").write_text(text, encoding="utf-8")
    command = [sys.executable, "run_sim.py", "run", str(folder / "s.toml"), "-n", "2",
               "--out", str(place / "out")]  # fmt: skip
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    return command


@pytest.mark.parametrize(("settings", "encoding"), ENCODINGS)
def test_whatever_the_encoding_of_the_terminal(
    settings: dict[str, str], encoding: str, asked_before: list[str]
) -> None:
    """ASCII means that there is no locale; any other encoding is kept, what it lacks is escaped."""
    kept = {key: value for key, value in os.environ.items()
            if not key.startswith(("LC_", "LANG", "PYTHON"))}  # fmt: skip
    done = subprocess.run(
        asked_before, cwd=ROOT, capture_output=True, check=False, env=kept | settings
    )
    assert done.returncode == 0, done.stderr
    out, err = done.stdout.decode(encoding), done.stderr.decode(encoding)
    for word, stream in (("𠮷年", out), ("填报完成投资", out), ("提醒 1 条，查看", err)):
        escaped = word.encode(encoding, errors="backslashreplace").decode(encoding)
        assert escaped in stream


def test_the_hint_about_warnings_can_be_pasted(asked_before: list[str]) -> None:
    """It is a whole command, with what was set."""
    asked = [*asked_before, "--set", "projects.P4.duration=pert(0.9, 1, 1.6)", "--lang", "en"]
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = done.stderr
    hint = next(line for line in told.splitlines() if line.startswith("Warnings: 1;"))
    command = hint.partition("to see them: ")[2]
    assert "'--set=projects.P4.duration=pert(0.9, 1, 1.6)'" in command
    again = subprocess.run(
        ["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert again.returncode == 0, again.stderr
    assert "(errors: 0, warnings: 1)" in again.stdout


def test_problems_that_are_found_late_are_input_errors_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_plan(tmp_path / "plan", replaced("correlations.csv", "0.3", "-1"))
    assert ask("check", folder, "--lang", "en") == 2
    assert "correlations.csv" in capsys.readouterr().err


def test_paths_that_are_no_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (tmp_path / "none", tmp_path, ROOT / "pyproject.toml", Path("/dev/null")):
        assert ask("check", path, "--lang", "en") == 2
        assert "Traceback" not in capsys.readouterr().err


def test_as_a_process_of_its_own(broken: Path, tmp_path: Path) -> None:
    """What a user sees: the code of the process, Chinese by default, whatever the locale."""
    command = [sys.executable, "run_sim.py", "run", str(broken), "--out", str(tmp_path / "out")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 2
    assert done.stdout == b""
    assert sorted(done.stderr.decode().splitlines()[:-1]) == sorted(CHINESE)
    assert not (tmp_path / "out").exists()


def test_bytes_that_are_no_text_on_the_command_line(broken: Path) -> None:
    note = os.fsdecode(b"projects.P1.note=\xff")
    command = [sys.executable, "run_sim.py", "check", str(broken), "--set", note]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
