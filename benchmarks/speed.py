"""How fast many replications are: ratios measured in one run, on this machine.

    python benchmarks/speed.py [--only NAME,...] [--replications N]

against      replications a second on two threads against one process of the reference engine, the
             same realizations, draws included on both sides
months48     the whole command of N replications of the Luoyang plan over the time that numpy's
             generator takes for the documented number of uniforms, into an array used again
months12     the same with a horizon of one year
network      the whole command: 1,000 linked activities, 10,000 replications
growth       cost against the number of projects, 1,000 to 100,000, as an exponent
second       from the command to the first finished batch, machine code cached

The documented number of uniforms is the number of addresses of the plan, whether they are drawn or
not. Every command is a process of its own that starts warm; what it takes is wall-clock time.
"""

from __future__ import annotations

import argparse
import csv
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

import sim
from sim.plan.portfolio import build_portfolio
from sim.runs.rows import prepare_runner, run_rows
from sim.runs.workers import simulate_batch
from sim.sampling.sampler import build_sampler

ROOT = Path(__file__).parents[1]
LUOYANG = ROOT / "scenarios" / "luoyang-2021"
THREADS = 2


def command(*words: object) -> float:
    """Return the seconds that `run_sim.py run` takes in a process of its own."""
    with tempfile.TemporaryDirectory() as out:
        began = time.perf_counter()
        line = [sys.executable, str(ROOT / "run_sim.py"), "run", *map(str, words), "--out", out,
                "--quiet", "--workers", str(THREADS)]  # fmt: skip
        subprocess.run(line, check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
        return time.perf_counter() - began


def uniforms(count: int, replications: int) -> float:
    """Return the seconds numpy's generator takes for so many uniforms a replication."""
    generator, room = np.random.default_rng(1), np.empty(count)
    began = time.perf_counter()
    for _ in range(replications):
        generator.random(out=room)
    return time.perf_counter() - began


def against(replications: int) -> None:
    """Print the speed on two threads against the reference engine in one process."""
    sampler = build_sampler(
        build_portfolio(sim.load_scenario(LUOYANG / "baseline.toml").plan), 2021
    )
    runner, few = prepare_runner(sampler), 6
    with ThreadPoolExecutor(THREADS) as pool:
        run_rows(runner, range(64), pool)
        began = time.perf_counter()
        run_rows(runner, range(min(replications, 640)), pool)
        compiled = (time.perf_counter() - began) / min(replications, 640)
    began = time.perf_counter()
    simulate_batch(sampler, range(few))
    reference = (time.perf_counter() - began) / few
    print(f"against   {reference / compiled:8.0f} x   (least 250, aim 500): "
          f"{1 / compiled:,.0f} a second against {1 / reference:.2f}")  # fmt: skip


def whole(name: str, plan: Path, replications: int, least: float, aim: float) -> None:
    """Print what a whole command takes over the time of its uniforms."""
    sampler = build_sampler(build_portfolio(sim.load_scenario(plan).plan), 2021)
    # The machine may be slower now and then: once before and once after.
    before = uniforms(len(sampler.addresses), replications)
    taken = command(plan, "-n", replications)
    bare = (before + uniforms(len(sampler.addresses), replications)) / 2
    print(f"{name:9s} {taken / bare:8.1f} x   (most {least:g}, aim {aim:g}): {taken:.1f} s for "
          f"{replications:,} replications, {bare:.2f} s for {len(sampler.addresses):,} uniforms "
          "each")  # fmt: skip


def one_year(folder: Path) -> Path:
    """Return the Luoyang plan with a horizon of one year."""
    copy = folder / "luoyang-12"
    shutil.copytree(LUOYANG, copy)
    lines = (copy / "plan.toml").read_text(encoding="utf-8").splitlines()
    at = next(k for k, line in enumerate(lines) if line.startswith("target"))
    lines.insert(at, "horizon = 2021-12-31")
    (copy / "plan.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return copy / "baseline.toml"


def write_network(folder: Path, count: int, linked: bool = True) -> Path:
    """Write a plan of activities, each after up to two earlier ones."""
    folder.mkdir()
    (folder / "plan.toml").write_text(
        'name = "network"\nstatus_date = 2020-12-31\nplan_year = 2021\ntarget = 1\n'
        'calendar = "continuous"\nhorizon = 2024-12-31\n',
        encoding="utf-8",
    )
    with (folder / "projects.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "name", "total", "annual_plan", "planned_start", "planned_finish",
                         "gates", "duration", "predecessors"])  # fmt: skip
        for k in range(count):
            before = sorted({max(k - 40, 0), max(k - 63, 0)}) if linked and k >= 63 else []
            start = 1 + (k // 40) % 300 if linked else 1 + k % 300
            day = np.datetime64("2020-12-31") + start
            writer.writerow([f"A{k}", f"A{k}", 100, 50, day, day + 400, "none",
                             "days: triangular(10, 20, 40)",
                             ";".join(f"A{one}" for one in before)])  # fmt: skip
    return folder


def network(folder: Path) -> None:
    """Print what a pure network of 1,000 linked activities takes, the whole command."""
    taken = command(write_network(folder / "network", 1000), "-n", 10_000)
    print(f"network   {taken:8.1f} s   (most 6, aim 3)")


def growth(folder: Path) -> None:
    """Print how the cost of a replication grows with the number of projects."""
    sizes, costs = (1_000, 10_000, 100_000), []
    for size in sizes:
        plan = write_network(folder / f"plan-{size}", size, linked=False)
        sampler = build_sampler(build_portfolio(sim.load_scenario(plan).plan), 1)
        runner, count = prepare_runner(sampler), max(4, 64_000 // size)
        with ThreadPoolExecutor(1) as pool:
            run_rows(runner, range(2), pool)
            began = time.perf_counter()
            run_rows(runner, range(count), pool)
        costs.append((time.perf_counter() - began) / count)
    exponent = math.log(costs[-1] / costs[0]) / math.log(sizes[-1] / sizes[0])
    told = ", ".join(f"{cost * 1e3:.2f} ms" for cost in costs)
    print(f"growth    {exponent:8.2f}     (most 1.2, aim 1.05): {told} for 1 k, 10 k, 100 k")


def second(folder: Path) -> None:
    """Print the seconds from the command to the first finished batch."""
    out = folder / "second"
    line = [sys.executable, str(ROOT / "run_sim.py"), "--out", str(out), "--quiet"]
    began = time.perf_counter()
    process = subprocess.Popen(line, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        while not any(out.glob("*/.partial-*/batch-*")) and process.poll() is None:
            time.sleep(0.02)
        taken = time.perf_counter() - began
    finally:
        process.kill()
        process.wait()
    print(f"second    {taken:8.1f} s   (most 4, aim 2)")


def main() -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--only", default="")
    parser.add_argument("--replications", type=int, default=10_240)
    chosen = parser.parse_args()
    print(f"{os.cpu_count()} cores, {THREADS} threads; each line is a ratio measured in this run")
    with tempfile.TemporaryDirectory() as name:
        folder, count = Path(name), chosen.replications
        command(LUOYANG / "baseline.toml", "-n", 20)  # machine code is cached from here on
        every: dict[str, Callable[[], None]] = {
            "against": lambda: against(count),
            "months48": lambda: whole("months48", LUOYANG / "baseline.toml", count, 35, 12),
            "months12": lambda: whole("months12", one_year(folder), count, 15, 6),
            "network": lambda: network(folder),
            "growth": lambda: growth(folder),
            "second": lambda: second(folder),
        }
        for measure in chosen.only.split(",") if chosen.only else every:
            every[measure]()


if __name__ == "__main__":
    main()
