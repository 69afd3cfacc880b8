"""What is shown while replications run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sim.briefing.lines import SAYS

if TYPE_CHECKING:
    from rich.console import Console


@contextmanager
def progress(
    console: Console, language: str, quiet: bool, doing: str = "simulating"
) -> Iterator[Callable[[int, int], None] | None]:
    """Say what was done before; show a bar with rate and time left where a person is looking.

    Parameters
    ----------
    console : rich.console.Console
        Of standard error.
    language : {"zh", "en"}
        Language.
    quiet : bool
        Say nothing.
    doing : {"simulating", "verifying"}
        What takes so long.

    Yields
    ------
    callable or None
        To be called with the replications (or cases) done and asked for.
    """
    if quiet:
        yield None
        return
    earlier: list[int] = []

    def resumed(done: int, count: int) -> None:
        """Say once what was done before."""
        if not earlier:
            earlier.append(done)
            if done:
                line = SAYS[language]["resumed"].format(done=done, count=count)
                console.print(line, highlight=False, markup=False, soft_wrap=True)

    if not console.is_terminal:
        yield resumed
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    unit = SAYS[language]["per_second"]
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
        TextColumn("{task.fields[rate]} " + unit), TimeElapsedColumn(), TimeRemainingColumn(),
        console=console, transient=True,
    ) as bar:  # fmt: skip
        task = bar.add_task(SAYS[language][doing], total=None, rate="–")

        def on_progress(done: int, count: int) -> None:
            elapsed = bar.tasks[0].elapsed or 0.0
            resumed(done, count)
            new = done - earlier[0]
            rate = f"{new / elapsed:,.1f}" if elapsed > 0 and new else "–"
            bar.update(task, completed=done, total=count, rate=rate)

        yield on_progress
