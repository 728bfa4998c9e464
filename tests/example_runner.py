"""Runs example programs, one after the other, in one interpreter.

Reads a line of JSON for each, `{"folder": ..., "script": ...}`, and answers with a line, `{"error": null}` or the end
of the traceback.  What the programs print goes nowhere.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
import traceback
from pathlib import Path


def run(folder: str, script: str) -> str | None:
    """Runs a script in its folder; the modules beside it are forgotten afterwards."""
    before = set(sys.modules)
    os.chdir(folder)
    sys.path.insert(0, folder)
    try:
        runpy.run_path(str(Path(folder) / script), run_name="__main__")
    except SystemExit as leaving:
        return f"exit {leaving.code}" if leaving.code else None
    except BaseException:
        return "".join(traceback.format_exc().splitlines(keepends=True)[-12:])
    finally:
        sys.path.remove(folder)
        for name in set(sys.modules) - before:
            if str(getattr(sys.modules[name], "__file__", None) or "").startswith(folder):
                del sys.modules[name]
    return None


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    for line in sys.stdin:
        task = json.loads(line)
        sys.argv = [task["script"]]
        print(json.dumps({"error": run(task["folder"], task["script"])}), file=answers, flush=True)


if __name__ == "__main__":
    main()
