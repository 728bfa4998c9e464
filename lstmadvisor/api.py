"""What the commands do, as functions.  Nothing here writes, prints or exits; `UserError` says what cannot be done."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lstmadvisor import config as configuration
from lstmadvisor import project, review, sources
from lstmadvisor.model import Report
from lstmadvisor.project import Project
from lstmadvisor.review import Request
from lstmadvisor.selection import Layer

AnyPath = str | Path


def check(
    *paths: AnyPath,
    select: Iterable[str] | None = None,
    ignore: Iterable[str] = (),
    config: AnyPath | None = None,
    isolated: bool = False,
) -> Report:
    """Lints files and folders, as `lstmadvisor check` does: errors and warnings.

    select: codes, prefixes, families, topics or names of rules to run, in place of the configured ones.
    ignore: those not to run.  config: a TOML file in place of the nearest.  isolated: no configuration.
    """
    return review.check(request(map(Path, paths), None, select, ignore, config, isolated))


def audit(
    script: AnyPath,
    *,
    select: Iterable[str] | None = None,
    ignore: Iterable[str] = (),
    config: AnyPath | None = None,
    isolated: bool = False,
) -> Report:
    """Reviews one program whole, as `lstmadvisor audit` does: advice, every outcome and the scorecard included."""
    return review.audit(request([Path(script)], None, select, ignore, config, isolated))


def check_source(
    text: str | bytes,
    path: AnyPath = sources.STDIN,
    *,
    select: Iterable[str] | None = None,
    ignore: Iterable[str] = (),
    config: AnyPath | None = None,
    isolated: bool = False,
) -> Report:
    """Lints source text that need not be in a file; `path` says where it would lie, and what it is called.

    A path that ends in `.ipynb` says that the text is the JSON of a notebook.
    """
    source = _source(text, str(path))
    return review.check(request([], source, select, ignore, config, isolated))


def request(
    paths: Iterable[Path],
    source: sources.Source | None = None,
    select: Iterable[str] | None = None,
    ignore: Iterable[str] = (),
    config: AnyPath | None = None,
    isolated: bool = False,
) -> Request:
    """What `review` is to be asked, by the configuration that holds for the paths or the source."""
    named = list(paths)
    concerned = named if source is None or source.file is None else [source.file]
    if isolated:
        found = Project(Path.cwd())
    else:
        found = project.named(Path(config)) if config is not None else project.nearest(concerned)
    checked = configuration.check(found)
    return Request(
        paths=tuple(named),
        project=found,
        config=checked,
        layer=Layer(None if select is None else tuple(select), (), tuple(ignore)),
        baseline=review.known(found, checked),
        stdin=source,
        stdin_data=b"" if source is None else source.original.encode("utf-8", "surrogatepass"),
    )


def _source(text: str | bytes, path: str) -> sources.Source:
    from lstmadvisor.errors import UserError

    try:
        return sources.from_text(text, path)
    except sources.Unreadable as error:
        raise UserError(str(error)) from None
