"""`python -m lstmadvisor`, the same as the command `lstmadvisor`."""

import os
import sys

if not getattr(sys.flags, "safe_path", False) and sys.path[:1] in ([""], [os.getcwd()]):  # noqa: PTH109
    # The folder under review: a click.py or json.py there must not run in place of the real one.
    del sys.path[0]

from lstmadvisor.cli import main

if __name__ == "__main__":
    main(prog_name="lstmadvisor")
