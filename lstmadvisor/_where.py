"""Where the folders lie that are shipped with the package as data: `rules` and `reports`."""

from pathlib import Path


def shipped(name: str) -> Path:
    """Return the folder `name`: bundled inside an installed package, or beside it in a checkout.

    The folder beside the package counts only if the pyproject.toml there is this project's own: in `site-packages`,
    where an installed package lies, a folder `rules` belongs to some other distribution.
    """
    package = Path(__file__).resolve().parent
    bundled = package / "_bundled" / name
    if bundled.is_dir():
        return bundled
    beside = package.parent / name
    if beside.is_dir() and _is_checkout(package.parent):
        return beside
    raise FileNotFoundError(f"lstmadvisor is incomplete: its folder {name!r} is neither at {bundled} nor in a checkout")


def _is_checkout(folder: Path) -> bool:
    try:
        text = (folder / "pyproject.toml").read_text(encoding="utf-8")
    except OSError:
        return False
    return 'name = "lstmadvisor"' in text.splitlines()
