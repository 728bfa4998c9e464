"""What writing the HTML report adds to the CPU time of an audit: with `--html` and without, run in turn.

    python benchmarks/report_cost.py [FILE...]

Each run is a process of its own, cold; user plus system time of the finished process is counted.  Printed are the
median of the paired ratios with the interval that holds the median at 95 %, and the size of the report.  Without files
the examples are taken, and a folder of copies of them that has more than 500 findings.
"""

from __future__ import annotations

import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
PAIRS = 9
"""The second lowest to the second highest of so many ratios hold their median at 96 %."""


def seconds(arguments: list[str], folder: Path) -> float:
    """User plus system seconds of one run of lstmadvisor."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "lstmadvisor", *arguments], cwd=folder, capture_output=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(arguments: list[str], folder: Path, pairs: int) -> None:
    """Print one line for a command."""
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch, "report.html")
        written = [*arguments, "--html", str(report)]
        seconds(written, folder)
        ratios, plain = [], []
        for _ in range(pairs):
            plain.append(seconds(arguments, folder))
            ratios.append(seconds(written, folder) / plain[-1])
        size = report.stat().st_size
    ratios.sort()
    middle = statistics.median(ratios)
    print(
        f"{middle:.2f} x ({ratios[1]:.2f} to {ratios[-2]:.2f})   {statistics.median(plain):.2f} s without   "
        f"{size / 1000:.0f} KB   {' '.join(arguments)} in {folder.name}"
    )


def many(folder: Path, copies: int = 60) -> Path:
    """A folder of programs with more than 500 findings."""
    for number in range(copies):
        for name in ("charmodel", "sunspots"):
            shutil.copytree(EXAMPLES / name, folder / "many" / f"{name}{number}")
    return folder / "many"


def main(files: list[str]) -> None:
    """Measure every file, or the examples."""
    for file in map(Path, files):
        measure(["audit", file.name], file.resolve().parent, PAIRS)
    if not files:
        for name in ("sunspots/train.py", "charmodel/train.py", "vowels/train.py", "notebook/forecast.ipynb"):
            measure(["audit", Path(name).name], EXAMPLES / Path(name).parent, PAIRS)
        with tempfile.TemporaryDirectory() as scratch:
            measure(["check", "."], many(Path(scratch)), 3)


if __name__ == "__main__":
    main(sys.argv[1:])
