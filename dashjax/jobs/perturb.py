"""Knock-outs and over-expression in a fitted model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from dashjax.data import LARGEST_EXPRESSION
from dashjax.errors import InputError, suggest
from dashjax.io import make_folder, write_table
from dashjax.io.tables import parse_number, short
from dashjax.jobs.fitted import RANDOM_STARTS, StartOptions, choose_starts, read_fit
from dashjax.networks import RELATIONS, perturb, response_table

#: Below this a response is the solver's rounding.
ROUNDING = 1e-6


def read_perturbation(
    genes: Sequence[str], knock_out: Sequence[str], over_express: Sequence[str]
) -> tuple[np.ndarray, str]:
    """Return the level each gene is held at, NaN for free ones, and the perturbation in words.

    Args:
        genes: of the model.
        knock_out: names of genes to hold at 0.
        over_express: names and levels, `GENE=LEVEL`.

    Raises:
        InputError: on unknown or repeated genes, levels that are no numbers, or nothing to perturb.
    """
    wanted = [("--knock-out", name, 0.0, f"{name} knocked out") for name in knock_out]
    for text in over_express:
        # The last sign, for names of genes may hold one.
        name, sign, number = text.rpartition("=")
        level = parse_number(number) if sign and number else None
        if level is None or not abs(level) <= LARGEST_EXPRESSION:
            raise InputError(f"--over-express: expected GENE=LEVEL, for example {genes[0]}=1.5, got '{short(text)}'")
        wanted.append(("--over-express", name, level, f"{name} held at {level:g}"))
    if not wanted:
        raise InputError("--knock-out, --over-express: name at least one gene to perturb")
    index = {gene: number for number, gene in enumerate(genes)}
    levels = np.full(len(genes), np.nan)
    for option, name, level, _ in wanted:
        if name not in index:
            raise InputError(f"{option}: the model has no gene '{short(name)}'{suggest(name, list(genes))}")
        if not np.isnan(levels[index[name]]):
            raise InputError(f"{option}: gene '{short(name)}' is perturbed twice")
        levels[index[name]] = level
    return levels, " and ".join(words for *_, words in wanted)


def perturb_files(
    model: Path,
    out: Path,
    knock_out: Sequence[str] = (),
    over_express: Sequence[str] = (),
    edges: Path | None = None,
    edges_only: bool = False,
    starts: StartOptions = RANDOM_STARTS,
) -> tuple[pd.DataFrame, list[str]]:
    """Knock genes of a fitted model out or hold them at a level, and write response.tsv, trajectories.tsv and figures.

    Returns:
        The table, see `response_table`, and lines that say what was done.

    Raises:
        InputError: on anything wrong with the files or arguments, before anything is written.
    """
    from dashjax.report.biology import response_figure, trajectories_figure
    from dashjax.report.write import write_figure

    fitted = read_fit(model, edges, edges_only)
    levels, words = read_perturbation(fitted.genes, knock_out, over_express)
    begin = choose_starts(fitted, starts)
    response = jax.jit(perturb)(fitted.field, begin.states, begin.times, jnp.asarray(levels, jnp.float32))
    if not np.isfinite(response.mean).all():
        raise InputError("perturb: the model does not stay finite; try a level nearer to the data's or a --horizon")
    table = response_table(response, fitted.network, ~np.isnan(levels), fitted.genes)
    paths = {name: np.asarray(getattr(response, name)).mean(axis=0) for name in ("unperturbed", "perturbed")}
    times = np.asarray(begin.times)
    trajectories = pd.DataFrame(
        {
            "gene": np.repeat(np.asarray(fitted.genes, dtype=object), len(times)),
            "time": np.tile(times, len(fitted.genes)),
            **{name: path.T.ravel() for name, path in paths.items()},
        }
    )
    make_folder(out)
    write_table(out / "response.tsv", table)
    write_table(out / "trajectories.tsv", trajectories)
    write_figure(out, "response", response_figure(table, words))
    write_figure(out, "trajectories", trajectories_figure(table, trajectories))
    return table, [
        f"{words}, from {begin.words}, followed to time {times[-1]:.3g}",
        _describe_reach(table),
        f"responses: {out / 'response.tsv'}, {out / 'trajectories.tsv'}",
    ]


def _describe_reach(table: pd.DataFrame) -> str:
    """Say how many genes respond notably, and how the perturbation reaches them."""
    others = table[table["relation"] != "perturbed"]
    size = others["response"].abs()
    if not (size > ROUNDING).any():
        return "no other gene responds"
    strong = others[size >= 0.1 * size.max()]["relation"]
    reached = ", ".join(f"{(strong == relation).sum()} {relation}" for relation in RELATIONS[1:])
    return f"{len(strong)} genes respond by at least a tenth of the strongest response: {reached}"
