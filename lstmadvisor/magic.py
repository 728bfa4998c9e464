"""`%%lstmadvisor` in IPython and Jupyter: reviews a cell in the light of all that were run before it."""

from __future__ import annotations

import json
from typing import Any

from IPython.core.magic import Magics, line_cell_magic, magics_class

from lstmadvisor import output
from lstmadvisor.api import check_source
from lstmadvisor.errors import UserError
from lstmadvisor.report import rendered
from lstmadvisor.report.terminal import Paint
from lstmadvisor.report.text import Look

SESSION = "session.ipynb"


@magics_class
class LstmadvisorMagics(Magics):
    """Registered by `%load_ext lstmadvisor`."""

    @line_cell_magic
    def lstmadvisor(self, line: str, cell: str | None = None) -> None:
        """`%%lstmadvisor` reviews the cell and then runs it; `%lstmadvisor` reviews all cells run so far.

        What follows on the line are rules to select.  `cell 3` in a finding is the cell with the number `In [3]`.
        """
        shell: Any = self.shell
        ran = shell.history_manager.input_hist_raw  # the present cell is the last of them
        cells = [{"cell_type": "code", "source": text} for text in ran]
        book = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4})
        try:
            report = check_source(book, SESSION, select=line.replace(",", " ").split() or None)
        except UserError as error:
            print(f"lstmadvisor: {error}")
        else:
            here = tuple(finding for finding in report.findings if cell is None or finding.at.cell == len(ran) - 1)
            look = Look(Paint(output.colored("auto")), output.columns())
            print(rendered(report.model_copy(update={"findings": here}), "full", look, audit=False), end="")
        if cell is not None:
            shell.run_cell(cell, store_history=False)
