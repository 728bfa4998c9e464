"""Runs `lstmadvisor check` over public code and compares what it says aloud with the verdicts in wild.yaml.

    python benchmarks/wild.py [--cache FOLDER] [--repositories FOLDER] [NAME ...]

The packages are fetched from PyPI in the versions of wild.yaml (without what they depend on; nothing of them is
run) and kept in the cache.  Of the repositories, those are read that FOLDER holds as owner+name, checked out at
the commit of wild.yaml.  NAMEs choose some of both.

A finding is known by its path, cell, line and code.  Printed are the precision (right or defensible among those
judged), the findings without a verdict, and the verdicts whose finding is gone.  The exit code is 1 if there is a
finding that is new, or one where the package should have none.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tarfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

VERDICTS = Path(__file__).with_name("wild.yaml")
SECONDS = 1800


class Key(NamedTuple):
    """What a finding is known by."""

    path: str
    cell: int | None
    line: int
    code: str

    def __str__(self) -> str:
        cell = "" if self.cell is None else f"cell {self.cell}:"
        return f"{self.path}:{cell}{self.line} {self.code}"


def main() -> int:
    """Prints the comparison; 1 if something is new."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "lstmadvisor-wild")
    parser.add_argument("--repositories", type=Path)
    parser.add_argument("names", nargs="*")
    given = parser.parse_args()
    judged: Counter[str] = Counter()
    surprises = 0
    for entry, folder in _sources(yaml.safe_load(VERDICTS.read_text(encoding="utf-8")), given):
        verdicts = {_key(one): one for one in entry["findings"]}
        found = _check(folder)
        new, gone = [k for k in found if k not in verdicts], [k for k in verdicts if k not in found]
        judged.update(verdicts[k]["verdict"] for k in found if k in verdicts)
        surprises += len(new)
        print(f"{entry['name']}: {len(found)} findings, {len(new)} new, {len(gone)} gone", flush=True)
        for key in new:
            print(f"  new   {key}  {found[key]}")
        for key in gone:
            print(f"  gone  {key}  ({verdicts[key]['verdict']})")
    total = sum(judged.values())
    if total:
        fine = judged["right"] + judged["defensible"]
        print(f"{fine} of {total} judged findings are right or defensible ({fine / total:.1%}): {dict(judged)}")
    return int(surprises > 0)


def _sources(doc: dict[str, Any], given: argparse.Namespace) -> Iterator[tuple[dict[str, Any], Path]]:
    """What is to be read, and where it lies."""
    for entry in doc["packages"]:
        if not given.names or entry["name"] in given.names:
            yield entry, _package(entry["name"], str(entry["version"]), given.cache)
    for entry in doc["repositories"] if given.repositories else ():
        folder = given.repositories / entry["name"].replace("/", "+")
        if folder.is_dir() and (not given.names or entry["name"] in given.names):
            yield entry, folder


def _package(name: str, version: str, cache: Path) -> Path:
    """The unpacked sources of a package, fetched if they are not in the cache; of `stdlib` those of this Python."""
    if name == "stdlib":
        return Path(json.__file__).parent.parent
    folder = cache / f"{name}-{version}"
    if not folder.is_dir():
        archives = cache / "archives" / f"{name}-{version}"
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(archives)]
        subprocess.run([*pip, f"{name}=={version}"], check=True)
        archive = next(archives.iterdir())
        folder.mkdir(parents=True)
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as wheel:
                wheel.extractall(folder)
        else:
            with tarfile.open(archive) as source:
                source.extractall(folder, filter="data")
    return folder


def _check(folder: Path) -> dict[Key, str]:
    """The messages of the findings in a folder; nothing of it may fail."""
    command = [
        sys.executable,
        "-m",
        "lstmadvisor",
        "check",
        "--isolated",
        "--format",
        "json",
        "--fail-on",
        "never",
        ".",
    ]
    done = subprocess.run(
        [*command, "--exclude", "site-packages"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=True,
    )
    report = json.loads(done.stdout)
    failed = [outcome for outcome in report["outcomes"] if outcome["state"] == "error"]
    if failed:
        raise SystemExit(f"{folder}: {failed}")
    return {_key(one): one["message"] for one in report["findings"]}


def _key(one: dict[str, Any]) -> Key:
    return Key(one["path"], one.get("cell"), one["line"], one["code"])


if __name__ == "__main__":
    raise SystemExit(main())
