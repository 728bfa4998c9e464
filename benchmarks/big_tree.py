"""Fetches the sources of public libraries that train networks, as a large tree to measure on.

    python benchmarks/big_tree.py FOLDER

Each is downloaded by pip, as source or wheel, and unpacked into a folder of its own; what pip cannot get is left out.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from shutil import unpack_archive

PACKAGES = (
    "fastai flair darts transformers keras gluonts neuralforecast pytorch-forecasting speechbrain stanza torchrl tsai "
    "allennlp parlai OpenNMT-py autokeras neuralhydrology pytorch-lightning"
).split()
_NOT_BUILT = ("--no-deps", "--no-build-isolation", "--quiet", "--disable-pip-version-check")


def fetch(package: str, folder: Path) -> bool:
    """Unpack a package into the folder; whether that was possible."""
    with tempfile.TemporaryDirectory() as scratch:
        for kind in ("--only-binary=:all:", "--no-binary=:all:"):
            command = [sys.executable, "-m", "pip", "download", *_NOT_BUILT, kind, "--dest", scratch, package]
            if subprocess.run(command, check=False, capture_output=True).returncode == 0:
                break
        archives = [path for path in Path(scratch).iterdir() if path.suffix in (".whl", ".gz", ".zip")]
        for archive in archives:
            unpack_archive(archive, folder, "zip" if archive.suffix == ".whl" else None)
    return bool(archives)


def main(folder: Path) -> None:
    """Fetch what is not there yet, and say what the tree holds."""
    for package in PACKAGES:
        if not (folder / package).is_dir() and not fetch(package, folder / package):
            print(f"{package}: not to be had", file=sys.stderr)
    files = list(folder.rglob("*.py"))
    print(f"{len(files):,} Python files, {sum(file.stat().st_size for file in files) / 1e6:.0f} MB in {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
