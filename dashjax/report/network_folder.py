"""Folders of a fitted network and of what was asked of it: tables, the network's file, figures."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from dashjax.data import DENSE_GENES
from dashjax.io import make_folder, write_atomically, write_table
from dashjax.io.result_folder import how_made, published
from dashjax.io.sealed import checksum
from dashjax.networks import Network, load_network
from dashjax.networks.network_file import FILE
from dashjax.plot import effects, pathways
from dashjax.plot import response as response_bars
from dashjax.questions import Response
from dashjax.report.asked_pages import influence_page, pathways_page, response_page
from dashjax.report.biology import at_rest_figure, influence_figure, trajectories_figure
from dashjax.report.figure_files import write_figure
from dashjax.report.figures import training_curves, tuning_curve
from dashjax.report.methods_text import network_methods, write_methods
from dashjax.report.network_page import Observed, network_page


def write_network(
    out: Path | str,
    network: Network,
    tried: pd.DataFrame | None = None,
    observed: Observed | None = None,
    sources: Sequence[str] = (),
    title: str = "",
) -> None:
    """Write edges.tsv, model.npz, curves.csv, figures and report.html of a network, and choice.csv of what was tried.

    Args:
        out: its folder.
        network: as fitted.
        tried: settings that were tried for it.
        observed: what it was fitted to, for the page; see `observed_of`.
        sources: names of the priors, in order.
        title: of the page.
    """
    out = Path(out)
    with published(out, "fit", network.provenance) as part:
        write_table(part / "edges.tsv", edges_table(network))
        network.save(part / FILE)
        write_methods(part, network_methods(network, tried))
        if network.curves:
            epochs = {"epoch": np.arange(1, len(network.curves["pruned"]) + 1)}
            curves = pd.DataFrame({**epochs, **network.curves})
            write_atomically(part / "curves.csv", lambda path: curves.to_csv(path, index=False))
        if tried is not None:
            write_atomically(part / "choice.csv", lambda path: tried.to_csv(path, index=False))
            write_figure(part, "choice", tuning_curve(tried))
        _write_page(part, out, network, observed, sources, title)


def write_network_page(out: Path, observed: Observed | None = None, sources: Sequence[str] = ()) -> None:
    """Write figures and report.html of a network that stands in its folder already.

    Args:
        out: the folder that `dashjax fit` wrote.
        observed: what it was fitted to, which a folder does not keep; courses are left out if None.
        sources: names of the priors, in order.
    """
    network = load_network(out)
    with published(out, "fit") as part:
        _write_page(part, out, network, observed, sources, "")


def _write_page(
    part: Path, out: Path, network: Network, observed: Observed | None, sources: Sequence[str], title: str
) -> None:
    figures = {}
    if network.curves:
        name = str(network.how.get("fitted", network.how.get("method", "this run")))
        figures["training_curves"] = write_figure(part, "training_curves", training_curves({name: [network.curves]}))
    if len(network.genes) <= DENSE_GENES:
        figures["effects"] = write_figure(part, "effects", effects(network).figure)
    title = title or f"Network: {out.resolve().name}"
    write_page(
        part, network_page(title, network, observed, sources, figures, how_made(out, "fit") or network.provenance)
    )


def write_page(folder: Path, page: str, name: str = "report.html") -> None:
    """Write a page into a folder."""
    # A name may hold half a surrogate pair, which is no text.
    write_atomically(folder / name, lambda path: path.write_text(page, encoding="utf-8", errors="replace"))


def edges_table(network: Network) -> pd.DataFrame:
    """Return a network's edges as edges.tsv has them.

    The effect is called weight there, as edge lists of other programs call it; without a posterior, weight is what
    edges are ranked by, and columns that say nothing are left out.
    """
    edges = network.edges
    if network.posterior is None:
        return edges.rename(columns={"score": "weight"})[["source", "target", "weight", "effect", "in_prior"]]
    names = {"effect": "weight", "effect_low": "weight_low", "effect_high": "weight_high"}
    columns = ["source", "target", *names.values(), "probability", "returned", "frequency", "activation"]
    return edges.rename(columns=names)[[*columns, "sign_agreement", "in_prior"]]


def write_influence(out: Path, table: pd.DataFrame, of: str = "influence") -> None:
    """Write influence.tsv, its figure and influence.html, as a part of what they are of."""
    with published(out, of) as part:
        write_table(part / "influence.tsv", table)
        png = write_figure(part, "influence", influence_figure(table))
        write_page(part, influence_page(table, png, how_made(out, of)), "influence.html")


def write_pathways(out: Path, table: pd.DataFrame) -> None:
    """Write pathways.tsv, its figure and pathways.html."""
    with published(out, "pathways") as part:
        write_table(part / "pathways.tsv", table)
        png = write_figure(part, "pathways", pathways(table).figure)
        write_page(part, pathways_page(table, png, how_made(out, "pathways")), "pathways.html")


def perturbation_name(knock_out: Sequence[str], knock_down: Mapping[str, float], held: Mapping[str, float]) -> str:
    """Return the name of the folder that a perturbation's files go to, whatever characters its genes' names have.

    Examples:
        >>> perturbation_name(["GATA1"], {"TAL1": 0.5}, {})
        'GATA1_out,TAL1_down_0.5'
        >>> perturbation_name(["../x"], {}, {})
        '.._x_out-583c6d41'
    """
    parts = [f"{gene}_out" for gene in knock_out]
    parts += [f"{gene}_down_{share:.12g}" for gene, share in knock_down.items()]
    parts += [f"{gene}_held_{level:.12g}" for gene, level in held.items()]
    # In any order it is the same perturbation.
    name = ",".join(sorted(parts))
    plain = re.sub(r"[^0-9A-Za-z,._+-]", "_", name)[:80]
    return plain if plain == name and not name.startswith(".") else f"{plain}-{checksum(name.encode())[:8]}"


def write_response(
    out: Path,
    table: pd.DataFrame,
    response: Response,
    genes: Sequence[str],
    words: str,
    at_rest: pd.DataFrame | None = None,
    part: str = "",
) -> None:
    """Write response.tsv, trajectories.tsv, figures and response.html of a perturbation.

    Args:
        out: the folder.
        table: of `response_table`.
        response: behind it.
        genes: names in its order.
        words: what was done.
        at_rest: of `Network.at_rest`; written to at_rest.tsv.
        part: of `perturbation_name`, the folder in there that they go to, so that several perturbations may share one.
    """
    paths = {name: np.asarray(getattr(response, name)).mean(axis=0) for name in ("unperturbed", "perturbed")}
    times = np.asarray(response.times)
    trajectories = pd.DataFrame(
        {
            "gene": np.repeat(np.asarray(genes, dtype=object), len(times)),
            "time": np.tile(times, len(genes)),
            **{name: path.T.ravel() for name, path in paths.items()},
        }
    )
    with published(out, f"perturb {part}".strip()) as everything:
        folder = everything / part
        make_folder(folder)
        write_table(folder / "response.tsv", table)
        write_table(folder / "trajectories.tsv", trajectories)
        figures = {
            "response": write_figure(folder, "response", response_bars(table, title=words).figure),
            "trajectories": write_figure(folder, "trajectories", trajectories_figure(table, trajectories)),
        }
        if at_rest is not None:
            write_table(folder / "at_rest.tsv", at_rest)
            figures["at_rest"] = write_figure(folder, "at_rest", at_rest_figure(at_rest, words))
        page = response_page(table, response, genes, words, figures, at_rest, how_made(out, f"perturb {part}".strip()))
        write_page(folder, page, "response.html")
