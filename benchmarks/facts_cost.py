"""CPU time of `lstmadvisor facts` on each file given, as a multiple of importing libcst and pydantic, measured in turn.

    python benchmarks/facts_cost.py FILE...

Each run is a process of its own, cold; user plus system time of the finished process is counted.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
from pathlib import Path

FLOOR = ("-c", "import libcst, pydantic")


def seconds(arguments: tuple[str, ...], cwd: Path) -> float:
    """User plus system seconds of one run of Python."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], cwd=cwd, capture_output=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(files: list[str]) -> None:
    """Print the ratio for each file, the worst last."""
    here = Path.cwd()
    seconds(FLOOR, here)
    rows = []
    for file in files:
        path = Path(file).resolve()
        floor = statistics.median(seconds(FLOOR, here) for _ in range(3))
        cost = seconds(("-m", "lstmadvisor", "facts", "--format", "json", path.name), path.parent)
        rows.append((cost / floor, cost, floor, file))
    for ratio, cost, floor, file in sorted(rows):
        print(f"{ratio:5.1f} x   {cost:.2f} s against {floor:.2f} s   {file}")
    if rows:
        ratios = [row[0] for row in rows]
        print(f"median {statistics.median(ratios):.1f} x, most {max(ratios):.1f} x, of {len(rows)} files")


if __name__ == "__main__":
    main(sys.argv[1:])
