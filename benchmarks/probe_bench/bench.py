"""Does the probe name the fault, and is it silent where there is none?

Runs every healthy program in `programs/`, and every fault that `faults.yaml` seeds into one, for 200 steps from several
seeds, and judges what was measured by the LA9 rules.  Prints for each case how often its cause was named, for the
healthy ones how often anything was said aloud, with the 95 % bound, and what thresholds that are set by one half of the
cases come to on the other half.

    python benchmarks/probe_bench/bench.py FOLDER [--seeds 5] [--jobs 1] [--only WORD] [--judge]

FOLDER keeps what was measured, so that a bench that was interrupted goes on, and `--judge` judges it anew without
running anything.  A run takes some 8 seconds of one core, all of them about half an hour on two.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import yaml
from tuning import tuned

from lstmadvisor import engine, packs, sources
from lstmadvisor.config import RuleSettings
from lstmadvisor.extract import programs as extraction
from lstmadvisor.facts import Program
from lstmadvisor.measured import Probe
from lstmadvisor.model import Finding, Severity
from lstmadvisor.probe.joining import joined
from lstmadvisor.probe.run import Plan, probed
from lstmadvisor.probe.statistics import derived
from lstmadvisor.rule import Options, Rule

HERE = Path(__file__).parent
ARGUMENTS = {"sunspots.py": ("--data", str(HERE.parents[1] / "examples" / "sunspots" / "sunspots.csv"))}
STEPS = 200


@dataclass(frozen=True)
class Case:
    """A program, healthy or with one fault seeded into it."""

    name: str
    program: str
    text: str
    causes: tuple[str, ...] = ()
    """rules that name the fault; none for a healthy program"""
    half: str = ""

    @property
    def slug(self) -> str:
        """The name as a file name."""
        return "".join(c if c.isalnum() else "-" for c in self.name)


def cases() -> list[Case]:
    """The healthy programs, then the faults."""
    texts = {path.name: path.read_text(encoding="utf-8") for path in sorted((HERE / "programs").glob("*.py"))}
    halves = ("tune", "test")
    found = [
        Case(f"healthy {name[:-3]}", name, text, (), halves[n % 2]) for n, (name, text) in enumerate(texts.items())
    ]
    for fault in yaml.safe_load((HERE / "faults.yaml").read_text(encoding="utf-8")):
        text = texts[fault["program"]]
        for old, new in fault["edits"]:
            if old not in text:
                raise SystemExit(f"{fault['name']}: {fault['program']} holds no {old!r}")
            text = text.replace(old, new)
        found.append(Case(fault["name"], fault["program"], text, tuple(fault["cause"]), fault["set"]))
    return found


def measure(case: Case, seed: int, folder: Path, again: bool) -> Probe | None:
    """What was measured of one run, now or before."""
    kept = folder / "runs" / case.slug / f"{seed}.json"
    if kept.exists():
        probe = Probe.model_validate_json(kept.read_text(encoding="utf-8"))
    elif not again:
        return None
    else:
        script = write(case, folder)
        arguments = ("--seed", str(seed), *ARGUMENTS.get(case.program, ()))
        probe = probed(Plan(script, arguments, steps=STEPS, seconds=110))
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(probe.model_dump_json(), encoding="utf-8")
    return probe.model_copy(update={"statistics": derived(probe)})


def write(case: Case, folder: Path) -> Path:
    """Lays the program out, in a folder of its own."""
    script = folder / "scripts" / case.slug / case.program
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(case.text, encoding="utf-8")
    return script


def understood(case: Case, folder: Path) -> Program:
    """The facts of the program, as its text tells them."""
    (program,) = extraction.understand([write(case, folder)], sources.Library())
    return program


def judge(program: Program, probe: Probe, rules: list[Rule], options: dict[str, Options]) -> tuple[Finding, ...]:
    """What the LA9 rules say."""
    settings = {rule.code: RuleSettings(options.get(rule.name, rule.options()), None) for rule in rules}
    return engine.judge([joined(program, probe)], rules, settings).findings


def loud(findings: tuple[Finding, ...]) -> list[Finding]:
    """Warnings and errors."""
    return [one for one in findings if one.severity is not Severity.ADVICE]


def bound(runs: int, alarms: int) -> float:
    """The upper 95 % bound of Clopper and Pearson for a rate, by bisection."""
    from math import comb

    low, high = alarms / runs if runs else 0.0, 1.0
    for _ in range(60):
        rate = (low + high) / 2
        at_most = sum(comb(runs, k) * rate**k * (1 - rate) ** (runs - k) for k in range(alarms + 1))
        low, high = (rate, high) if at_most > 0.05 else (low, rate)
    return high


def main() -> int:
    """Runs, judges, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", default="", help="cases whose name holds this")
    parser.add_argument("--judge", action="store_true", help="judge what was measured before; run nothing")
    parser.add_argument("--verbose", action="store_true", help="print what was said of each run")
    args = parser.parse_args()
    os.environ |= {"OMP_NUM_THREADS": "1", "KERAS_BACKEND": "torch"}
    chosen = [case for case in cases() if args.only in case.name]
    jobs = [(case, seed) for case in chosen for seed in range(args.seeds)]

    def run(job: tuple[Case, int]) -> Probe | None:
        probe = measure(*job, args.folder, not args.judge)
        print(f"{job[0].name}, seed {job[1]}: {probe.status if probe else 'missing'}", file=sys.stderr)
        return probe

    with ThreadPoolExecutor(args.jobs) as pool:
        measured = dict(zip(jobs, pool.map(run, jobs), strict=True))
    rules = [rule for rule in packs.rules(packs.packs()) if rule.family == "probe"]
    facts = {case.name: understood(case, args.folder) for case in chosen}
    report(chosen, measured, facts, rules, args.seeds, args.verbose)
    return 0


def report(
    chosen: list[Case],
    measured: dict[tuple[Case, int], Probe | None],
    facts: dict[str, Program],
    rules: list[Rule],
    seeds: int,
    verbose: bool,
) -> None:
    """Prints the table."""
    named = total = alarms = healthy = 0
    print(f"{'case':<48} {'half':<5} {'cause':<10} other findings (loud unless in brackets)")
    for case in chosen:
        hits, runs, others = 0, 0, Counter[str]()
        for seed in range(seeds):
            probe = measured[case, seed]
            if probe is None:
                continue
            runs += 1
            findings = judge(facts[case.name], probe, rules, {})
            hits += any(one.rule in case.causes for one in findings)
            loudly = loud(findings)
            others.update(
                one.rule if one in loudly else f"({one.rule})" for one in findings if one.rule not in case.causes
            )
            if not case.causes:
                healthy += 1
                alarms += bool(loudly)
            if verbose:
                for one in findings:
                    print(f"    {seed} {one.severity and one.severity.value} {one.rule}: {one.message}")
        if case.causes:
            named, total = named + hits, total + runs
        text = ", ".join(f"{name} {count}" for name, count in others.most_common())
        print(f"{case.name:<48} {case.half:<5} {f'{hits} of {runs}' if case.causes else '':<10} {text}")
    for half, other in (("tune", "test"), ("test", "tune")):
        print(f"\n{_halves(chosen, measured, facts, rules, seeds, half, other)}")
    if total:
        print(f"\nroot cause named in {named} of {total} faulty runs: {named / total:.1%}")
    if healthy:
        print(f"loud findings in {alarms} of {healthy} healthy runs; 95 % bound {bound(healthy, alarms):.1%}")


def _halves(
    chosen: list[Case],
    measured: dict[tuple[Case, int], Probe | None],
    facts: dict[str, Program],
    rules: list[Rule],
    seeds: int,
    half: str,
    other: str,
) -> str:
    """What thresholds that are set by one half of the cases come to on the other."""
    runs = [(case, probe) for case in chosen for seed in range(seeds) if (probe := measured[case, seed])]
    options = tuned(
        [probe for case, probe in runs if case.half == half and not case.causes],
        [(case.causes, probe) for case, probe in runs if case.half == half and case.causes],
        rules,
    )
    named = alarms = faulty = healthy = 0
    for case, probe in runs:
        if case.half == other:
            findings = judge(facts[case.name], probe, rules, options)
            faulty += bool(case.causes)
            healthy += not case.causes
            named += any(one.rule in case.causes for one in findings)
            alarms += bool(not case.causes and loud(findings))
    numbers = ", ".join(f"{name} {_number(one)}" for name, one in sorted(options.items()))
    return (
        f"thresholds set by the {half} half ({numbers})\n"
        f"on the {other} half: {named} of {faulty} causes named, {alarms} of {healthy} healthy runs with an alarm"
    )


def _number(options: Options) -> str:
    defaults = type(options)()
    changed = [f"{n} {v:.3g}" for n, v in vars(options).items() if v != getattr(defaults, n)]
    return " ".join(changed) or "as it is"


if __name__ == "__main__":
    sys.exit(main())
