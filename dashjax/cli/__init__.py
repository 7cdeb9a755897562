"""The command line: parses, calls, prints. Nothing here computes."""

from __future__ import annotations

import io
import os
import platform
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from dashjax.cli.asking import influence, pathways, perturb
from dashjax.cli.fitting import check, export, fit, score
from dashjax.cli.records import rerun, show
from dashjax.cli.studying import compare, methods, reproduce, simulate
from dashjax.cli.sweeping import quickstart, report, status, sweep
from dashjax.cli.terminal import as_options, said
from dashjax.errors import InputError
from dashjax.interrupts import stop_listening


class Once(TyperCommand):
    """A command that takes an option but once, unless it collects several values: the first is not lost silently."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse what was typed.

        Raises:
            InputError: on an option that stands twice.
        """
        given = self.make_parser(ctx).parse_args(args=list(args))[2]
        for option in given:
            if given.count(option) > 1 and not (option.multiple or option.nargs == -1 or option.is_eager):
                raise InputError("given twice", option.name)
        rest = super().parse_args(ctx, args)
        for option in self.params:
            # Earlier typers leave paths as text until the command is called, and the record is made before.
            value = ctx.params.get(option.name)
            if type(getattr(option, "type", None)).__name__ in ("Path", "TyperPath") and value is not None:
                ctx.params[option.name] = Path(value) if isinstance(value, str) else [Path(part) for part in value]
        return rest


app = typer.Typer(
    name="dashjax",
    help="Sparse, interpretable neural-ODE models of gene regulation.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for command in (
    *(quickstart, sweep, status, report),
    *(check, fit, export, score),
    *(influence, pathways, perturb),
    *(compare, methods, reproduce, simulate),
    *(show, rerun),
):
    app.command(cls=Once)(command)


def _print_version(wanted: bool) -> None:
    if wanted:
        from dashjax.io.provenance import commit, installed

        print(f"dashjax {installed('dashjax') or 'unknown'}" + (f" (commit {found})" if (found := commit()) else ""))
        raise typer.Exit


@app.callback()
def begin(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Sparse, interpretable neural-ODE models of gene regulation."""
    said.clear()
    keep_programs()


def keep_programs() -> None:
    """Keep compiled programs in the user's cache folder, so that the next command of the same shape starts at once.

    `JAX_COMPILATION_CACHE_DIR` names another folder; set but empty, it keeps nothing. Programs are tied to the
    processor they were compiled on, so each machine that shares a home has its own folder.
    """
    if "JAX_COMPILATION_CACHE_DIR" in os.environ:
        return
    import jax

    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    jax.config.update("jax_compilation_cache_dir", str(cache / "dashjax" / (platform.node() or "here")))


def in_options(error: InputError) -> str:
    """Return what is wrong with the command line's names for what the library calls arguments."""
    message = str(error)
    if error.argument is not None:
        message = f"--{error.argument.replace('_', '-')}: {error.problem}"
    return as_options(message)


def main() -> None:
    """Run the command line; a user's mistake is one line on standard error and exit code 2."""
    if sys.stdout is None:  # closed by whoever started this
        sys.stdout = open(os.devnull, "w")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal of few characters, or a file's name that is no text, changes what is shown and stops nothing.
            stream.reconfigure(errors="backslashreplace")
    code, message = 0, None
    try:
        found = app(standalone_mode=False)
        code = found if isinstance(found, int) else 0
        sys.stdout.flush()
    except InputError as error:
        message = in_options(error)
    except typer.Abort:
        code = 130
    except OSError as error:
        message = f"{error.filename or 'standard output'}: {error.strerror or error}"
    except Exception as error:
        # What typer raises for a wrong command line knows how to say so, whichever click it is built on.
        if not hasattr(error, "format_message"):
            raise
        if type(error).__name__ == "NoArgsIsHelpError":
            print(error.format_message())
        else:
            message = " ".join(error.format_message().split())
    if message is not None:
        code = 2
        with suppress(OSError):
            print(f"dashjax: {message}", file=sys.stderr, flush=True)
    try:
        sys.stdout.flush()
    except OSError:
        # What a full or closed output did not take would be tried again at the end, and fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    stop_listening()
    sys.exit(code)
