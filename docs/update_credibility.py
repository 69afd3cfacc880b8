"""Put numbers into credibility.md: `python docs/update_credibility.py [-n N] [--only BLOCK ...]`.

Simulates the Luoyang baseline with one parameter after another changed, on the same luck, and the
tables of evidence beside it; writes each table between its marks, so that what the document shows
is what ran. About ten minutes on two cores; needs numba.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping

from credibility_effects import driver_effects, driver_sources, parameter_effects, spreads
from credibility_evidence import classes, covered, kinds, months, orderings, schedule, scores
from credibility_runs import ROOT, Numbers

DOCUMENT = ROOT / "docs/credibility.md"

BLOCKS: Mapping[str, Callable[[Numbers], str]] = {
    "driver-sources": driver_sources,
    "driver-effects": driver_effects,
    "parameter-effects": parameter_effects,
    "spreads": spreads,
    "months": months,
    "classes": classes,
    "kinds": kinds,
    "schedule": schedule,
    "orderings": orderings,
    "coverage": covered,
    "scores": scores,
}


def put(text: str, mark: str, content: str) -> str:
    """Put content between two marks of a document."""
    begin, end = f"<!-- begin: {mark} -->", f"<!-- end: {mark} -->"
    before, rest = text.split(begin)
    return before + begin + "\n" + content + "\n" + end + rest.split(end)[1]


def main() -> None:
    """Simulate and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", "--replications", type=int, default=320)
    parser.add_argument("--only", nargs="+", choices=tuple(BLOCKS), default=tuple(BLOCKS))
    asked = parser.parse_args()
    if asked.replications < 40:
        parser.error("errors from 20 blocks need at least 40 replications")
    numbers = Numbers(asked.replications)
    for mark in asked.only:
        content = BLOCKS[mark](numbers)
        text = put(DOCUMENT.read_text(encoding="utf-8"), mark, content)
        DOCUMENT.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
