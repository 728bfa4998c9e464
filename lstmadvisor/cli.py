"""The commands, nothing else.  What takes time to import is imported by the command that needs it."""

from __future__ import annotations

import atexit
import gc

gc.set_threshold(300_000)  # before the imports: to search for garbage after every 700 objects takes them a tenth longer

from collections.abc import Callable  # noqa: E402
from typing import Any, TypeVar  # noqa: E402

import click  # noqa: E402

from lstmadvisor import __version__  # noqa: E402
from lstmadvisor.report import FACTS_FORMATS, FORMATS  # noqa: E402

VERBOSE = "lstmadvisor.verbose"
_SEVERITIES = ("error", "warning", "advice")
_EXIT_CODES = "Exit codes: 0 clean, 1 findings (see --fail-on), 2 could not run."
_EPILOG = f"{_EXIT_CODES} Options may stand in the environment: LSTMADVISOR_SELECT for --select, and so on."

Command = TypeVar("Command", bound=Callable[..., Any])


class _Main(click.Group):
    """Turns what goes wrong into one line and exit code 2."""

    def invoke(self, ctx: click.Context) -> Any:
        from lstmadvisor.errors import UserError

        atexit.register(gc.freeze)  # what is left at the end is not searched for garbage
        try:
            return super().invoke(ctx)
        except UserError as error:
            click.echo(f"lstmadvisor: {error}", err=True)
        except KeyboardInterrupt:
            ctx.exit(130)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            click.echo(f"lstmadvisor: internal error: {type(error).__name__}: {error}; -v shows where", err=True)
            if ctx.meta.get(VERBOSE):
                import traceback

                traceback.print_exc()
        raise click.exceptions.Exit(2)


def _words(ctx: click.Context, option: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word.strip() for words in given for word in words.split(",") if word.strip())


def _outputs(ctx: click.Context, option: click.Parameter, given: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    pairs = [word.partition("=") for word in given]
    for form, _, file in pairs:
        if form not in FORMATS or not file:
            raise click.BadParameter(f"{form!r} is not FORMAT=FILE with one of {', '.join(FORMATS)}")
    return tuple((form, file) for form, _, file in pairs)


def _verbose(ctx: click.Context, option: click.Parameter, given: bool) -> bool:
    ctx.meta[VERBOSE] = given
    return given


def _together(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def _setting(name: str, *more: str, **given: Any) -> Callable[[Command], Command]:
    """An option that an environment variable can set too: `--fail-on` by LSTMADVISOR_FAIL_ON."""
    return click.option(name, *more, envvar="LSTMADVISOR" + name[1:].replace("-", "_").upper(), **given)


def _words_option(name: str, help: str, metavar: str = "RULES", **given: Any) -> Callable[[Command], Command]:
    return _setting(name, multiple=True, callback=_words, metavar=metavar, help=help, **given)


def _rules(ctx: click.Context, option: click.Parameter, typed: str) -> list[Any]:
    from lstmadvisor.completion import rules

    return rules(ctx, option, typed)


_PATH = click.Path(readable=False)
"""For the shell to complete; what cannot be read is told by the command."""


_reading = _together(
    _setting("--output-file", "-o", type=click.Path(dir_okay=False), help="Write there, not to stdout."),
    _setting("--color", type=click.Choice(("auto", "always", "never")), default="auto", show_default=True),
    _setting("--config", type=click.Path(dir_okay=False), help="Read this TOML file, not the nearest one."),
    _setting("--isolated", is_flag=True, help="Read no configuration."),
    click.option("--stdin-filename", metavar="PATH", type=_PATH, help="What `-` is called, and where it lies."),
    _setting("--quiet", "-q", is_flag=True, help="No summary, no messages."),
    click.option("--verbose", "-v", is_flag=True, callback=_verbose, help="Say more; show tracebacks."),
)
_finding = _together(
    _words_option("--exclude", "Leave these files and folders out when folders are searched.", "PATTERNS"),
    _setting("--force-exclude", is_flag=True, help="Leave them out even if they are named here."),
    _setting("--jobs", "-j", type=click.IntRange(min=1), metavar="N", help="Use N processes at most [one per core]."),
    _setting("--no-cache", is_flag=True, help="Keep nothing, and take nothing from what was kept."),
    _setting("--cache-dir", metavar="FOLDER", type=click.Path(file_okay=False), help="Keep what was understood there."),
)
_judging = _together(
    _setting("--format", "form", type=click.Choice(FORMATS), default="full", show_default=True),
    click.option(
        "--output",
        "outputs",
        multiple=True,
        callback=_outputs,
        metavar="FORMAT=FILE",
        help="Write this as well; repeatable.",
    ),
    _words_option(
        "--select", "Run these: codes, prefixes, families, topics or names of rules, or all.", shell_complete=_rules
    ),
    _words_option("--extend-select", "Run these as well.", shell_complete=_rules),
    _words_option("--ignore", "Do not run these.", shell_complete=_rules),
    _setting("--min-severity", type=click.Choice(_SEVERITIES), default="advice", help="Leave out what is below."),
    _setting("--fail-on", type=click.Choice((*_SEVERITIES, "never")), help="Exit with 1 from here [warning]."),
    _setting("--baseline", metavar="FILE", type=_PATH, help="Do not report the findings that it lists."),
    click.option("--update-baseline", is_flag=True, help="Make the findings of this run the known ones."),
    click.option(
        "--html", metavar="FILE", type=click.Path(dir_okay=False), help="Write a report to read in a browser."
    ),
)


_unsafe = click.option("--unsafe-fixes", is_flag=True, help="Fixes that change the training, too.")
_diff = click.option("--diff", is_flag=True, help="Show what fixes would change; exit with 1 if there is anything.")


@click.group(cls=_Main, context_settings={"help_option_names": ["-h", "--help"]}, epilog=_EPILOG)
@click.version_option(__version__, prog_name="lstmadvisor")
def main() -> None:
    """An advice linter for LSTM, GRU and RNN training code in PyTorch and Keras."""


@main.command(epilog=_EXIT_CODES)
@click.argument("paths", nargs=-1, required=True, type=_PATH)
@click.option("--fix", is_flag=True, help="Make the fixes that cannot change what is learned.")
@_unsafe
@_diff
@click.option("--add-noqa", is_flag=True, help="Silence the findings by comments in the files.")
@click.option("--show-settings", is_flag=True, help="Print the settings and the rules in force, and stop.")
@click.option("--show-files", is_flag=True, help="Print the files that would be checked, and stop.")
@click.option("--fix-only", is_flag=True, help="Fix, and report nothing.")
@_judging
@_finding
@_reading
def check(paths: tuple[str, ...], **options: Any) -> None:
    """Lint files, folders or `-`: errors and warnings in the files named."""
    from lstmadvisor.session import Session

    Session(**options).check(paths)


_probing = _together(
    click.option("--probe", is_flag=True, help="Run the script for a while and measure it."),
    click.option("--probe-steps", "steps", type=click.IntRange(min=1), default=200, show_default=True, metavar="N"),
    click.option(
        "--probe-seconds", "seconds", type=click.FloatRange(min=1), default=120.0, show_default=True, metavar="S"
    ),
    click.option("--probe-memory", "memory", type=click.FloatRange(min=0.1), metavar="GIB", help="End it above that."),
    click.option(
        "--python", metavar="PATH", type=_PATH, help="Run it with this interpreter, that of the project's environment."
    ),
    click.option("--in-place", is_flag=True, help="Run it where it is, not in a scratch copy."),
    click.option("--dry-run", is_flag=True, help="Say what would be run, and stop."),
    click.option("--save-probe", "save", type=click.Path(dir_okay=False), help="Write what was measured there."),
    click.option("--load-probe", "load", type=click.Path(dir_okay=False), help="Report on what was measured before."),
)


@main.command(epilog=_EXIT_CODES)
@click.argument("script", type=_PATH)
@click.argument("arguments", nargs=-1, metavar="[-- ARGS]")
@click.option("--all", "everything", is_flag=True, help="Fold nothing.")
@_unsafe
@_diff
@_probing
@_judging
@_reading
def audit(script: str, arguments: tuple[str, ...], probe: bool, **options: Any) -> None:
    """Review one training program whole: every outcome, advice included.

    With --probe, the script is run as `SCRIPT ARGS` for a few hundred optimizer steps, in a copy of the working
    directory, and measured.
    """
    from lstmadvisor.session import Session

    probing = {name: options.pop(name) for name in ("python", "in_place", "dry_run", "save", "load")}
    probing |= {name: options.pop(name) for name in ("steps", "seconds", "memory")}
    Session(**options, probing={"run": probe, "arguments": arguments, **probing}).audit(script)


@main.command()
@click.argument("paths", nargs=-1, required=True, type=_PATH)
@click.option("--format", "form", type=click.Choice(FACTS_FORMATS), default="full", show_default=True)
@_finding
@_reading
def facts(paths: tuple[str, ...], **options: Any) -> None:
    """Show what is understood of programs, and what is unknown and why."""
    from lstmadvisor.session import Session

    Session(**options).facts(paths)


@main.command()
@click.argument("name", required=False, shell_complete=_rules)
@click.option("--format", "form", type=click.Choice(FACTS_FORMATS), default="full", show_default=True)
@_setting("--color", type=click.Choice(("auto", "always", "never")), default="auto", show_default=True)
def rule(name: str | None, form: str, color: str) -> None:
    """Explain a rule, or list all of them, or those of a family, topic or prefix."""
    from lstmadvisor.explain import explain

    explain(name, form, color)


@main.command()
@click.argument("name", type=click.Choice(("report", "facts", "configuration")))
def schema(name: str) -> None:
    """Print the JSON Schema of what is written or read."""
    from lstmadvisor import output, schemas

    output.write(schemas.published(name))


@main.command()
def server() -> None:
    """Serve editors by the Language Server Protocol."""
    from importlib.util import find_spec

    from lstmadvisor.errors import UserError

    if find_spec("pygls") is None:
        raise UserError("the server needs pygls: pip install 'lstmadvisor[lsp]'")
    from lstmadvisor.lsp.server import made

    made().start_io()
