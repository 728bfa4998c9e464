"""How fast lstmadvisor is: every figure a ratio of CPU times, taken in turn in one run, with an interval.

    python benchmarks/ratios.py [--file SCRIPT ...] [--tree FOLDER] [--peers FOLDER] [--runs N]

--file: a script to measure beside the example, which has 120 lines; the modules that it imports are read, too.
--tree: a large tree of sources (benchmarks/big_tree.py fetches one); without it, only single files are measured.
--peers: a virtual environment with torchfix, torch-preflight, fixit or ruff, run on the same tree.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

HERE = Path(__file__).parent
EXAMPLE = HERE.parent / "examples" / "sunspots" / "train.py"
TOOL = (sys.executable, "-m", "lstmadvisor")
PEERS = {
    "torchfix": ("torchfix", "."),
    "torch-preflight": ("torch-preflight", "check", "."),
    "fixit": ("fixit", "--quiet", "lint", "."),
    "ruff": ("ruff", "check", "--isolated", "--no-cache", "--quiet", "."),
}
FLOOR_OF_A_TREE = """
import sys
from pathlib import Path
import libcst
for file in Path(sys.argv[1]).rglob("*.py"):
    data = file.read_bytes()
    if any(word in data for word in (b"nn.LSTM", b"nn.GRU", b"nn.RNN", b"LSTM(", b"GRU(", b"SimpleRNN(")):
        try:
            libcst.parse_module(data)
        except Exception:
            pass
"""


def cpu(command: Sequence[str], cwd: Path | None = None) -> float:
    """User plus system seconds of a command and its processes; its byte code is kept between runs."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPATH"] = os.pathsep.join([str(HERE.parent), environment.get("PYTHONPATH", "")])
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=cwd, env=environment, check=False, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def interval(ratios: Sequence[float], seed: int = 0) -> tuple[float, float]:
    """95 % of the medians of samples drawn from the ratios."""
    draw = random.Random(seed)
    medians = sorted(statistics.median(draw.choices(ratios, k=len(ratios))) for _ in range(2000))
    return medians[50], medians[-51]


def compare(
    what: str, most: float | None, runs: int, measured: Callable[[], float], floor: Callable[[], float]
) -> None:
    """Print the ratio of two costs, measured in turn."""
    measured(), floor()
    pairs = [(measured(), floor()) for _ in range(runs)]
    ratios = [cost / base for cost, base in pairs]
    low, high = interval(ratios)
    median = statistics.median(ratios)
    verdict = "" if most is None else f"at most {most:g}: " + ("holds" if median <= most else "does not hold")
    cost, base = (statistics.median(times) for times in zip(*pairs, strict=True))
    print(f"{what:<56} {median:8.2f}  [{low:.2f}, {high:.2f}]  {cost:8.3f} s / {base:.3f} s  {verdict}", flush=True)


def single(scripts: Sequence[Path], runs: int) -> None:
    """What a user waits for: one file, the help, a rule."""

    def python(code: str) -> Callable[[], float]:
        return lambda: cpu([sys.executable, "-c", code])

    def tool(*arguments: str, cwd: Path = EXAMPLE.parent) -> Callable[[], float]:
        return lambda: cpu([*TOOL, *arguments], cwd)

    heavy, light = python("import libcst, pydantic"), python("import click")
    for script in (EXAMPLE, *scripts):
        lines = len(script.read_bytes().splitlines())
        check = tool("check", "--isolated", script.name, cwd=script.parent)
        compare(f"check {script.name}, {lines} lines / import libcst, pydantic", 2, runs, check, heavy)
    compare("--help / import click", 2, runs, tool("--help"), light)
    compare("rule NAME / import click", 3, runs, tool("rule", "clip-after-step"), light)


def tree(folder: Path, runs: int) -> float:
    """A large tree, cold and warm; the seconds that it takes cold."""
    cold: list[float] = []
    with tempfile.TemporaryDirectory() as scratch:

        def check(*arguments: str) -> float:
            return cpu([*TOOL, "check", "--isolated", "--format", "concise", *arguments, "."], folder)

        def once() -> float:
            cold.append(check("--no-cache"))
            return cold[-1]

        floor = [sys.executable, "-c", FLOOR_OF_A_TREE, str(folder)]
        compare("big tree, cold / reading it, parsing what matters", 3, runs, once, lambda: cpu(floor))
        check("--cache-dir", scratch)
        compare("big tree, warm / cold", 0.1, runs, lambda: check("--cache-dir", scratch), lambda: cold[-1])
    return statistics.median(cold)


def peers(folder: Path, environment: Path, ours: float) -> None:
    """Others on the same tree, once each: they take long."""
    for name, command in PEERS.items():
        program = environment / "bin" / command[0]
        if program.is_file():
            cost = cpu([str(program), *command[1:]], folder)
            print(f"{name + ' / big tree, cold':<56} {cost / ours:8.2f}  {cost:8.1f} s / {ours:.1f} s", flush=True)


def others(names: Iterable[str]) -> None:
    """What other benchmarks of this folder measure, where they are."""
    for name in names:
        if (HERE / name).is_file():
            print(f"-- {name}", flush=True)
            subprocess.run([sys.executable, str(HERE / name)], check=False)


def main() -> None:
    """Print every ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--file", type=Path, action="append", default=[])
    parser.add_argument("--tree", type=Path)
    parser.add_argument("--peers", type=Path)
    parser.add_argument("--runs", type=int, default=7)
    given = parser.parse_args()
    print(f"CPU time, median of {given.runs} pairs [95 % interval], {os.cpu_count()} cores, Python {sys.version[:6]}")
    single([script.resolve() for script in given.file], given.runs)
    if given.tree is not None:
        ours = tree(given.tree.resolve(), max(1, given.runs // 3))
        if given.peers is not None:
            peers(given.tree.resolve(), given.peers.resolve(), ours)
    others(("report_cost.py", "probe_cost.py"))


if __name__ == "__main__":
    main()
