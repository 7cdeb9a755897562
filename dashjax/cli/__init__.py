"""The command line: parses, calls, prints. Nothing here computes."""

from __future__ import annotations

import os
import platform
import re
import sys
from pathlib import Path

import typer

from dashjax.cli.asking import influence, pathways, perturb
from dashjax.cli.fitting import check, export, fit, score
from dashjax.cli.studying import compare, methods, reproduce, simulate
from dashjax.cli.sweeping import quickstart, report, status, sweep
from dashjax.errors import InputError

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
):
    app.command()(command)


@app.callback()
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
    return re.sub(r"\b(match|time|trajectory|layer|bins|genes)='([^']*)'", r"--\1 \2", message)


def main() -> None:
    """Run the command line; a user's mistake is one line on standard error and exit code 2."""
    try:
        code = app(standalone_mode=False)
    except InputError as error:
        message = in_options(error)
    except typer.Abort:
        sys.exit(130)
    except Exception as error:
        # What typer raises for a wrong command line knows how to say so, whichever click it is built on.
        if not hasattr(error, "format_message"):
            raise
        message = " ".join(error.format_message().split())
        if type(error).__name__ == "NoArgsIsHelpError":
            print(error.format_message())
            sys.exit(0)
    else:
        sys.exit(code if isinstance(code, int) else 0)
    print(f"dashjax: {message}", file=sys.stderr)
    sys.exit(2)
