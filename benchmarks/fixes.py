"""What becomes of real programs by their fixes.

    python benchmarks/fixes.py FOLDER [--only RULE]... [--verbose]

Every folder inside FOLDER is taken for one project.  It is copied; all findings of the copy, advice included, are fixed
as `check --fix --unsafe-fixes` would.  Printed are, for each rule with fixes: its findings, how many of them carry
edits, how many are really fixed, and why the others are not.  At the end, whether all results compile, whether a
second run changes nothing, whether a fixed finding is still reported, whether there is an error that was not there,
and whether any file has changed but those that the fixes name.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import tempfile
import warnings
from collections import Counter
from pathlib import Path

from lstmadvisor import packs, review, selection, sources
from lstmadvisor.config import Config
from lstmadvisor.fix import write
from lstmadvisor.model import Finding, Severity
from lstmadvisor.project import Project
from lstmadvisor.selection import Layer

GONE = "gone by the fix of another finding"


class Tally:
    """Counts over all projects."""

    def __init__(self) -> None:
        self.found: Counter[str] = Counter()
        self.edited: Counter[str] = Counter()
        self.fixed: Counter[str] = Counter()
        self.gone: Counter[str] = Counter()
        self.reasons: dict[str, Counter[str]] = {}
        self.broken: list[str] = []

    def refuse(self, name: str, why: str) -> None:
        """Take note of a finding that is not fixed."""
        self.reasons.setdefault(name, Counter())[why] += 1


def has_edits(finding: Finding) -> bool:
    """Whether the finding has a fix that is made, not only shown."""
    return finding.fix is not None and bool(finding.fix.edits) and finding.fix.applicability != "display"


def project(folder: Path, codes: frozenset[str], tally: Tally, verbose: bool) -> None:
    """Fix the copy of one project in place, and count."""
    before = digests(folder)
    request = review.Request((Path(),), Project(folder), Config(), Layer(), diffs=False)

    def wanted(finding: Finding) -> bool:
        return finding.code in codes and has_edits(finding)

    first = review.audit(request)
    result = review.fix_audit(request, wanted)
    left = {(f.code, f.at, f.message) for f in result.report.findings}
    refused = {(f.code, f.message) for f, _ in result.refused}
    made = Counter(finding.code for finding, _ in result.made)
    for finding in first.findings:
        if finding.code in codes:
            tally.found[finding.rule] += 1
            if has_edits(finding):
                tally.edited[finding.rule] += 1
            else:
                tally.refuse(finding.rule, "no edits: a name or value is not known")
    for finding, _ in result.made:
        tally.fixed[finding.rule] += 1
    for finding, why in result.refused:
        tally.refuse(finding.rule, why)
    settled = refused | {(f.code, f.message) for f, _ in result.made}
    remaining = Counter((f.code, f.message) for f in result.report.findings)
    for finding in first.findings:
        words = (finding.code, finding.message)
        if finding.code in codes and has_edits(finding) and words not in settled and not remaining[words]:
            tally.refuse(finding.rule, GONE)
            tally.gone[finding.rule] += 1
    for code in codes:
        gone = sum(f.code == code for f in first.findings) - sum(key[0] == code for key in left)
        if made[code] > 0 and gone < 0:
            tally.broken.append(f"{folder.name}: {code} is reported more often than before")
    for path, (old, new) in result.contents.items():
        write.replace(Path(path), old, new)
        check_compiles(Path(path), old, tally)
    again = review.fix_audit(request, wanted)
    if again.contents:
        tally.broken.append(f"{folder.name}: a second run changes {', '.join(again.contents)}")
    errors = Counter((f.code, f.message) for f in first.findings if f.severity is Severity.ERROR)
    for finding in again.report.findings:
        if finding.severity is Severity.ERROR and not errors[finding.code, finding.message]:
            tally.broken.append(f"{folder.name}: new error {finding.code} at {finding.at.path}:{finding.at.line}")
    changed = {name for name, digest in digests(folder).items() if before.get(name) != digest}
    if changed != set(result.contents):
        tally.broken.append(f"{folder.name}: changed {changed ^ set(result.contents)}")
    if verbose:
        for finding, why in result.refused:
            print(f"  {folder.name}/{finding.at.path}:{finding.at.line} {finding.code} {why}")


def digests(folder: Path) -> dict[str, str]:
    """Of every file in a folder what it holds and its permissions."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {
        path.relative_to(folder).as_posix(): f"{hashlib.sha256(path.read_bytes()).hexdigest()} {path.stat().st_mode}"
        for path in files
    }


def check_compiles(path: Path, old: bytes, tally: Tally) -> None:
    """Take note of a file that was Python and is no more."""
    if path.suffix not in (".py", ".ipynb"):
        return
    for data in (old, path.read_bytes()):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                compile(sources.read(path, data).code, str(path), "exec", dont_inherit=True)
        except SyntaxError as error:
            if data is not old:
                tally.broken.append(f"{path}: {error}")
            return


def main() -> None:
    """Fix copies of all projects and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", action="append", default=[], help="codes, prefixes, families or names of rules")
    parser.add_argument("--project", action="append", default=[], help="names of folders inside FOLDER")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    rules = packs.infos(packs.packs())
    mended = [rule for rule in rules if rule.fix in ("safe", "unsafe")]
    codes = frozenset(rule.code for rule in mended)
    if options.only:
        codes &= selection.covered(rules, options.only)
    tally = Tally()
    here = Path.cwd()
    for folder in sorted(path for path in options.folder.resolve().iterdir() if path.is_dir()):
        if options.project and folder.name not in options.project:
            continue
        with tempfile.TemporaryDirectory() as temporary:
            copy = Path(temporary).resolve() / folder.name
            shutil.copytree(folder, copy, symlinks=True)
            os.chdir(copy)
            try:
                project(copy, codes, tally, options.verbose)
            finally:
                os.chdir(here)
    report(tally)


def report(tally: Tally) -> None:
    """Print the counts, the rules with most findings first."""
    print(f"{'rule':44} {'found':>6} {'edits':>6} {'fixed':>6}")
    for name, count in tally.found.most_common():
        print(f"{name:44} {count:6} {tally.edited[name]:6} {tally.fixed[name]:6}")
        for why, times in tally.reasons.get(name, Counter()).most_common(6):
            print(f"    {times:3} x {why}")
    found, fixed = tally.found.total(), tally.fixed.total()
    gone = tally.gone.total()
    print(f"{fixed} of {found} findings fixed and {gone} gone with them ({(fixed + gone) / max(found, 1):.0%})")
    print(
        "\n".join(tally.broken)
        or "all results compile, a second run changes nothing, no new error, nothing else changed"
    )


if __name__ == "__main__":
    main()
