"""Every scenario that ships gives the answer that ships beside it."""

import csv
from pathlib import Path

import pytest

from tests.expected.update import answer_of, expected_file, scenario_files


@pytest.mark.usefixtures("told_once")
@pytest.mark.parametrize("path", scenario_files(), ids=lambda path: path.stem)
def test_expected_answer(path: Path) -> None:
    with expected_file(path).open(encoding="utf-8", newline="") as stream:
        expected = [(row["name"], row["value"]) for row in csv.DictReader(stream)]
    found = answer_of(path)
    assert [name for name, _ in found] == [name for name, _ in expected]
    for (name, value), (_, before) in zip(found, expected, strict=True):
        # Equal bits are promised on one platform; another's exp and log may differ in the last.
        assert float(value) == pytest.approx(float(before), rel=1e-6), name


def test_no_scenario_is_forgotten() -> None:
    assert scenario_files()
    assert all(expected_file(path).exists() for path in scenario_files())
