"""Probes programs, each in a fork of one interpreter that has imported torch, which takes longer than the programs.

Reads a line of JSON for each, a plan as `lstmadvisor.probe.child` takes it, and answers with a line when the run is over.
What the programs print goes nowhere.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path


def main() -> None:
    import torch

    from lstmadvisor.probe.child import Child

    torch.set_num_threads(1)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    for line in sys.stdin:
        plan = json.loads(line)
        process = os.fork()
        if process == 0:
            try:
                os.chdir(Path(plan["script"]).parent)
                Child(plan).run()
            finally:
                os._exit(0)
        os.waitpid(process, 0)
        print("done", file=answers, flush=True)


if __name__ == "__main__":
    main()
