"""Reports that the tests of several formats share: one of a real audit, one of hostile sources, one of 500 findings."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

from lstmadvisor import config, packs, project, review
from lstmadvisor.facts import Place
from lstmadvisor.measured import (
    Histogram,
    MeasuredClipping,
    MeasuredLayer,
    MeasuredLoss,
    MeasuredOptimizer,
    Probe,
    Profile,
    Series,
)
from lstmadvisor.model import Evidence, Finding, Fix, Grade, Report, Severity
from lstmadvisor.probe.statistics import derived
from lstmadvisor.report.html import report_html
from lstmadvisor.reproduction import Reproduction
from lstmadvisor.review import Request
from lstmadvisor.rule_info import RuleInfo

ROOT = Path(__file__).parents[1]
ABOUT = Reproduction(
    command="lstmadvisor audit train.py --html report.html",
    versions=(("lstmadvisor", "0.1.0"), ("Python", "3.12.0")),
    settings='{\n  "ignore": ["LA101"]\n}',
    configured_in="pyproject.toml",
    files=(("train.py", "0" * 64),),
)


def rules() -> dict[str, RuleInfo]:
    """The shipped rules by code."""
    return {rule.code: rule for rule in packs.infos(packs.packs())}


def html(report: Report) -> str:
    """A report as HTML."""
    return report_html(report, ABOUT, rules())


def audited(*paths: Path) -> Report:
    """The audit of programs, with the default settings."""
    found = project.Project(Path.cwd())
    return review.audit(Request(paths=paths, project=found, config=config.check(found)))


def copied(name: str, folder: Path) -> Path:
    """A copy of an example's folder."""
    return Path(shutil.copytree(ROOT / "examples" / name, folder / name))


CANARY = "window.canary=1"
HOSTILE = (
    f"</script><script>{CANARY}</script>",
    f"<img src=x onerror={CANARY}>",
    f'" onmouseover="{CANARY}" x="\' autofocus onfocus=\'{CANARY}\'',
    "{{ 7 * 191 }}{% raw %}{# gone #}${7*191}",
    f"]]>--><svg onload={CANARY}></style><!--",
    "\u202eevil\u2066 \x1b[31mred\x07 \u200b zero \ufeff",
    "&lt;b&gt; &amp;",
)
"""Texts that run, vanish or mislead where they are not shown as text."""

_HOSTILE_PROGRAM = '''\
"""{doc}"""
import argparse

import torch
from torch import nn

# {comment}
parser = argparse.ArgumentParser(description={text!r})
parser.add_argument("--clip", type=float, default=1.0, help={text!r})
parser.add_argument("--dropout", type=float, default=0.9, help={text!r})
args = parser.parse_args()
lstm, head = nn.LSTM(1, 32, batch_first=True), nn.Linear(32, 1)
drop = nn.Dropout(args.dropout)
parameters = [*lstm.parameters(), *head.parameters()]
optimizer = torch.optim.Adam(parameters, lr=1e-3)
for step in range(20):
    optimizer.zero_grad()
    out, _ = lstm(torch.randn(8, 21, 1))
    loss = nn.functional.mse_loss(drop(head(out)), torch.randn(8, 21, 1))  # {comment}
    loss.backward()
    optimizer.step()
    nn.utils.clip_grad_norm_(parameters, 1.0)  # {comment}
'''


def hostile_files(folder: Path) -> list[Path]:
    """Programs whose names, comments, strings, help texts and metadata are `HOSTILE`."""
    text = " ".join(HOSTILE)
    comment = "".join(c for c in text if c not in "\x07\x1b")
    program = _HOSTILE_PROGRAM.format(doc=comment.replace('"', "'"), comment=comment, text=text)
    plain = folder / "<img src=x onerror=window.canary=1>{{7*191}}\u202e.py"
    plain.write_text(program, encoding="utf-8")
    cell = {"cell_type": "code", "source": program, "metadata": {"tags": [text]}, "outputs": [], "execution_count": 1}
    words = {"cell_type": "markdown", "source": text, "metadata": {}}
    book = folder / '"><script>window.canary=1<\x5cscript>.ipynb'
    metadata = {"kernelspec": {"name": text, "display_name": text, "language": "python"}}
    book.write_text(json.dumps({"cells": [words, cell], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}))
    return [plain, book]


def hostile_finding() -> Finding:
    """A finding each of whose texts is hostile."""
    text = " `".join(HOSTILE)
    at = Place(path=HOSTILE[1], line=1, column=1)
    return Finding(
        at=at, message=text, help=text, label=text, code="LA502", rule="clip-after-step", severity=Severity.ERROR,
        grade=Grade.A, topic="other", fix=Fix(title=text, applicability="unsafe"),
        evidence=(Evidence(at=at, text=text), Evidence(text=text), Evidence(series=text, text=text)),
    )  # fmt: skip


def many_findings(number: int = 500) -> Report:
    """A report of that many findings in five files, each with two places."""
    lines = [f"    value_{n} = call(argument={n}, text='something', scale=0.{n})  # remark {n}" for n in range(1, 401)]
    texts = {f"package/module_{n}.py": "\n".join(lines) + "\n" for n in range(5)}
    known = list(rules().values())
    findings = tuple(
        Finding(
            at=Place(path=path, line=line, column=5, end_line=line, end_column=20),
            message="gradients are clipped after `step()` has used them, so that nothing is clipped",
            help="clip between `backward()` and `step()`", label="too late",
            evidence=(Evidence(at=Place(path=path, line=line + 9, column=5, end_column=12), text="the step"),),
            severity=tuple(Severity)[n % 3], grade=Grade.A, topic="other",
            code=known[n % len(known)].code, rule=known[n % len(known)].name,
        )
        for n, (path, line) in enumerate((p, 1 + 3 * k) for k in range(number // 5) for p in texts)
    )  # fmt: skip
    return Report(files=tuple(texts), findings=findings, sources=texts)


def probed(steps: int = 300) -> Probe:
    """A probed run with everything that can be measured: two layers, a loss that stops falling, one bad step."""
    along = tuple(range(steps))
    loss = tuple(0.2 + math.exp(-step / 40) + 0.05 * math.sin(step * 1.7) for step in along)
    norm = tuple(1.5 + math.sin(step * 2.3) for step in along)
    gates = ("gate-input", "gate-forget", "gate-cell", "gate-output", "hidden")
    edges = {name: tuple((n / 20 if name[:4] == "gate" else n / 10 - 1) for n in range(21)) for name in gates}
    probe = Probe(
        status="step-limit", steps=steps, asked=steps, seconds=7.25, seed=0, device="cpu",
        versions={"python": "3.12.0", "torch": "2.13.0"}, command=("train.py",), script="train.py",
        series=(
            Series(name="loss", steps=along, values=(*loss[:-3], None, *loss[-2:])),
            Series(name="validation-loss", steps=along[25::25], values=loss[25::25]),
            Series(name="gradient-norm", steps=along, values=tuple(min(value, 2.0) for value in norm)),
            Series(name="clip-norm", steps=along, values=norm),
            Series(name="update-ratio", steps=along[::10], values=tuple(0.01 / (1 + n) for n in range(0, steps, 10))),
            Series(name="update-ratio", of="lstm.weight_hh_l0", steps=along[::10], values=(0.003,) * len(along[::10])),
            Series(name="learning-rate", steps=along, values=tuple(1e-3 * 0.99**step for step in along)),
        ),
        profiles=tuple(
            Profile(of=layer, step=step, values=tuple(10.0 ** (t - 30) for t in range(30)), reach=4.7)
            for layer in ("encoder", "decoder") for step in (0, 10, steps - 10)
        ),
        histograms=tuple(
            Histogram(
                name=name, of=layer, step=step, edges=edges[name], counts=(*range(10), *range(10, 0, -1)), mean=0.5,
                low=0.01, high=0.02,
            )
            for layer in ("encoder", "decoder") for name in gates for step in (0, 25, 250)
        ),
        layers=(MeasuredLayer(kind="LSTM", path="encoder", units=32, sequence_length=30, batch=8, state="zero"),),
        optimizers=(MeasuredOptimizer(name="Adam", rates=(1e-3,)),),
        clipping=(MeasuredClipping(max=2.0, calls=steps, before_step=steps),),
        losses=(MeasuredLoss(name="mse_loss", constant=0.9),),
    )  # fmt: skip
    return probe.model_copy(update={"statistics": derived(probe)})


def hostile_probe() -> Probe:
    """A failed run each of whose texts is hostile."""
    text = " ".join(HOSTILE)
    probe = probed(60)
    return probe.model_copy(
        update={
            "status": "failed", "error": f"ValueError: {text}", "why": text, "device": text, "versions": {text: text},
            "command": (text,), "written": (text,),
            "series": tuple(one.model_copy(update={"of": one.of and text}) for one in probe.series),
            "profiles": tuple(one.model_copy(update={"of": text}) for one in probe.profiles),
            "histograms": tuple(one.model_copy(update={"of": text}) for one in probe.histograms),
            "layers": tuple(one.model_copy(update={"path": text, "kind": text}) for one in probe.layers),
        }
    )  # fmt: skip


def with_probe(report: Report, probe: Probe) -> Report:
    """A report whose first program was probed."""
    first, *others = report.programs
    return report.model_copy(update={"programs": (first.model_copy(update={"probe": probe}), *others)})
