"""From a problem, or from a user's data, to a network: one call."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dashjax.data import DENSE_GENES, Finding, Problem, Trajectories
from dashjax.dynamics import DirectSpec
from dashjax.engine import Cell, MemoryStore, OnProgress, Store, find_network, run_cells
from dashjax.errors import InputError, unknown
from dashjax.evidence import AlongPaths, FoundAgain
from dashjax.inference.progress import show_progress
from dashjax.inference.tuning import Tuned, folds_of, tune_setting
from dashjax.io import CellOptions, Expression, NamedNetwork
from dashjax.io.provenance import describe_call
from dashjax.io.result_folder import claimed
from dashjax.methods import DEFAULT_METHOD, DEFAULT_TRUST, Method, find_method
from dashjax.networks import Network
from dashjax.problems import read_problem
from dashjax.training import FitConfig

if TYPE_CHECKING:
    import anndata
    import pandas as pd

#: How many times as many edges as its prior a network may return without a remark.
MANY_EDGES = 2
#: Chain error from which a network is remarked upon, far above what chains stop at.
UNSETTLED = 0.2


def infer_network(
    expression: Path | str | pd.DataFrame | anndata.AnnData | Trajectories | Expression | None = None,
    prior: Path | str | pd.DataFrame | NamedNetwork | Sequence[Any] | None = None,
    *,
    regulators: Sequence[str] | Path | str | None = None,
    time: str | None = None,
    trajectory: str | None = None,
    method: str | Method | None = None,
    seed: int = 0,
    progress: bool = True,
    layer: str | None = None,
    bins: int | None = None,
    genes: Sequence[str] | Path | str | None = None,
    match: str = "exact",
    steady: Path | str | pd.DataFrame | None = None,
    interventions: Path | str | pd.DataFrame | None = None,
    perturbation: str | None = None,
    control: str | None = None,
    gene_symbols: str | None = None,
    normalise: str | None = None,
    transpose: bool = False,
    **settings: Any,
) -> Network:
    """Infer a gene regulatory network from expression over time and, if there is one, a prior.

        network = dj.infer_network(adata, net, time="dpt_pseudotime", trajectory="lineage")
        network.edges.query("returned")

    Expression may be in any unit: genes are centred and scaled for training, and results are in the units given.

    Examples:
        >>> from dashjax import generate_system, simulate_study
        >>> system = generate_system(8, seed=0)
        >>> observed = simulate_study(system, 0, train=6, validation=1, test=1, times=(0.0, 1.0, 3.0)).seen()
        >>> network = infer_network(observed, genes=system.genes, method="dash", epochs=2, progress=False)
        >>> network.genes[:3], network.how["method"]
        (('G1', 'G2', 'G3'), 'dash')

    Args:
        expression: a path of any format of `dashjax.io.read_expression`; an AnnData; a tidy frame
            `trajectory,time,GENE…`; or `Trajectories` with `genes`. None where all samples are at rest.
        prior: a path of any format of `dashjax.io.read_network`, or a frame `source,target[,weight][,sign]` as
            decoupler gives it; several in a list, each of which is believed as far as the data bear it out; or None.
        regulators: genes that may regulate, as names or a path; all if None.
        time: column of an AnnData's `obs`, or of a frame, with times or pseudotimes; a usual name if None.
        trajectory: column with trajectories, lineages or replicates; all cells are one if None.
        method: name of a method, see `dashjax.METHODS`, or a `Method`; the edge posterior if None.
        seed: everything random follows from it.
        progress: whether to show how far it is, on standard error, and to warn of what the checks found.
        layer: of an AnnData; its X if None.
        bins: metacells along each trajectory of cells; chosen if None.
        genes: names of the genes where the expression has none: a list, or a path.
        match: what becomes of names in prior or regulators that the expression lacks: "exact" refuses them, "intersect"
            leaves them out, with "union" the prior's genes join without measurements.
        steady: samples at rest, which belong to no time course: a path or a frame, a row per sample named in its first
            column or index, a column per gene.
        interventions: what was done in which trajectory or sample: a path or a frame `trajectory,gene,kind[,value]`
            with kinds knockout, knockdown, overexpression, clamp and stimulus; see `dashjax.data.Intervention`.
        perturbation: column of an AnnData's `obs` with the genes knocked out in each cell, `A+B` for both.
        control: what that column says of undisturbed cells; a usual name if None.
        gene_symbols: column of an AnnData's `var` with gene names; its index if None.
        normalise: "log1p" where an AnnData holds raw counts: each cell is scaled to 10,000, then log(1 + x) is taken.
        transpose: whether genes stand in the rows of the tables of expression and of samples at rest.
        **settings: see `infer`: epochs, members, trust, strength, precision, tune, folder, validation, similarity.

    Returns:
        The network. What the checks found in the data is in its `findings`.

    Raises:
        InputError: on anything wrong with data or arguments, in one line.
    """
    _refuse_unknown(settings)
    given = {"expression": expression, "prior": prior, "regulators": regulators, "genes": genes, "steady": steady,
             "interventions": interventions, "similarity": settings.get("similarity")}  # fmt: skip
    asked = {"time": time, "trajectory": trajectory, "layer": layer, "bins": bins, "match": match, "method": method,
             "perturbation": perturbation, "control": control, "gene_symbols": gene_symbols, "normalise": normalise,
             "transpose": transpose, "seed": seed}  # fmt: skip
    # Before the work, so that it is of the files that were read.
    made = describe_call("dashjax.infer_network", given | asked | settings, _paths(given.values()))
    cells = CellOptions(layer, time, trajectory, bins, perturbation, control, gene_symbols, normalise)
    problem = read_problem(
        expression,
        prior,
        regulators=regulators,
        cells=None if cells == CellOptions() else cells,
        genes=genes,
        match=match,
        steady=steady,
        interventions=interventions,
        similarity=settings.pop("similarity", None),
        validation=settings.pop("validation", 0.1),
        transpose=transpose,
    )
    shown: AbstractContextManager[OnProgress | None] = show_progress("network") if progress else nullcontext()
    with _recorded(settings.get("folder"), made), shown as on_progress:
        network = infer(problem, method, seed=seed, on_progress=on_progress, **settings)
    if progress:
        for finding in network.findings:
            if finding.level == "warning":
                warnings.warn(f"{finding.source}: {finding.text}", stacklevel=2)
    return replace(network, provenance=made)


def _refuse_unknown(settings: Iterable[str]) -> None:
    """Refuse settings that neither `infer` nor the problem takes.

    Raises:
        InputError: naming the nearest argument.
    """
    own = [name for name in signature(infer_network).parameters if name != "settings"]
    # The problem and progress are `infer_network`'s to hand on.
    handed = [name for name in signature(infer).parameters if name not in (*own, "problem", "on_progress")]
    taken = [*handed, "validation", "similarity"]
    for name in settings:
        if name not in taken:
            raise InputError(unknown("argument", name, [*own, *taken]))


def _recorded(folder: Path | str | None, made: Mapping[str, Any]) -> AbstractContextManager[Any]:
    """Record in a folder of finished runs what they are of; nowhere if None."""
    if folder is None:
        return nullcontext()
    return claimed(Path(folder), "runs", "runs", "manifest.json", "finished runs of dashjax.infer_network", made=made)


def _paths(given: Iterable[Any]) -> list[Path]:
    """Return what names a file among arguments: a path, or a text that is one; several stand in a list."""
    parts = [part for value in given for part in (value if isinstance(value, list | tuple) else [value])]
    return [Path(part) for part in parts if isinstance(part, Path | str) and _exists(part)]


def _exists(path: Path | str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):  # no name of a file
        return False


def infer(
    problem: Problem,
    method: str | Method | None = None,
    *,
    seed: int = 0,
    epochs: int | None = None,
    members: int | None = None,
    trust: tuple[float, float] = DEFAULT_TRUST,
    strength: float | None = None,
    precision: float = 0.9,
    tune: int | None = None,
    config: FitConfig | None = None,
    folder: Path | str | None = None,
    on_progress: OnProgress | None = None,
    on_tuned: Callable[[Tuned], None] = lambda tuned: None,
) -> Network:
    """Infer the network of a problem.

    Args:
        problem: what is known before.
        method: see `infer_network`.
        seed: everything random follows from it.
        epochs: passes over the training data of every run; the method's own if None.
        members: runs of an ensemble; the method's own if None. A method without a posterior gets one by it.
        trust: λ of both layers, for methods that leave it open.
        strength: the method's own number; its default if None.
        precision: expected share of true edges among those a posterior returns.
        tune: folds to choose trust or strength by, instead of giving it.
        config: what shapes the program, without the method's parts.
        folder: where finished runs are kept, so that a killed call goes on where it was; nowhere if None.
        on_progress: told of progress.
        on_tuned: told what was chosen.

    Raises:
        InputError: on settings that the method or the data do not allow.
    """
    chosen = find_method(method) if isinstance(method, str) else method or find_method(DEFAULT_METHOD)
    base = FitConfig() if config is None else config
    plain = chosen
    if members is not None:
        chosen = chosen.with_evidence(AlongPaths(), members)
    refuse_dense(chosen, problem)
    cell = Cell(problem, chosen, seed, base, epochs, trust, strength, precision=precision)
    # What cannot be tuned is refused before anything is written.
    tries = None if tune is None else folds_of(replace(cell, method=replace(plain, evidence=None, fallback=None)), tune)
    store: MemoryStore = MemoryStore() if folder is None else Store(folder, "runs", {"of": "one network"})
    report: OnProgress = on_progress or (lambda progress: None)
    if tries is not None:
        tuned = tune_setting(tries, store, report)
        cell = replace(cell, trust=tuned.setting.trust, strength=tuned.setting.strength)
        on_tuned(tuned)
    run_cells([cell], store, on_progress=report)
    network = find_network(cell, store)
    settings = {"method": chosen.name, "seed": seed, "epochs": epochs, "members": members, "trust": trust,
                "strength": strength, "precision": precision, "tune": tune, "problem": problem.fingerprint}  # fmt: skip
    network = replace(network, provenance=describe_call("dashjax.inference.infer", settings))
    return network.with_findings([*problem.findings, *remarks(network)])


def refuse_dense(method: Method, problem: Problem) -> None:
    """Refuse methods that hold a number for every pair of genes where there are too many.

    Raises:
        InputError: for posteriors, and edge-resolved fields in which every gene may regulate.
    """
    genes = len(problem.genes)
    if genes <= DENSE_GENES:
        return
    if method.evidence is not None:
        raise InputError(
            f"{method.name} holds a probability for every pair, too many for {genes:,} genes "
            f"(at most {DENSE_GENES:,}); dash, or direct+dash with regulators, can do it",
            "method",
        )
    if isinstance(method.field, DirectSpec) and problem.regulators is None:
        raise InputError(
            f"{method.name} needs regulators for {genes:,} genes (more than {DENSE_GENES:,}), for it has a "
            "weight for every regulator and target",
            "method",
        )


def remarks(network: Network) -> list[Finding]:
    """Say in a line each what a reader of the edges must know."""
    name = str(network.how.get("method", "the method"))
    found = []
    if network.how.get("status") == "diverged":
        found.append(Finding("warning", name, "training diverged; the network is that of its last finite epoch"))
    known = network.prior.n_edges
    if network.posterior is None and len(network.genes) <= DENSE_GENES:
        returned = int(network.returned.sum())
        if not returned:
            text = "no regulator reaches any target any more: train for fewer epochs, or use an edge-resolved method"
            found.append(Finding("warning", name, text))
        if known and returned > MANY_EDGES * known:
            # Were all prior edges true, and as many true ones missing, and were all of those among the returned ones.
            inside = int(network.returned[network.prior.pairs()].sum())
            share = (inside + known) / returned
            if share < 1:
                text = (
                    f"returns {returned:,} edges where its prior has {known:,}: even if the prior is all true and "
                    f"lacks as many edges again, no more than {share:.0%} of them can be true, so the prior's own "
                    f"edges are likelier; method {DEFAULT_METHOD} gives every edge a probability"
                )
                found.append(Finding("warning", name, text))
    again = FoundAgain.of(network.how)
    if again is not None:
        found.append(Finding("note" if again.added else "warning", "prior", again.describe()))
    error = float(network.how.get("chain_error", 0.0))
    if error > UNSETTLED:
        text = f"probabilities still differ by {error:.0%} between the halves of the draws they are averages of"
        found.append(Finding("warning", name, f"{text}: another seed may give another ranking"))
    if network.how.get("fitted") == "activity" and name != "activity":
        text = (
            "the prior's own edges show in their regulators' activities (what their other targets do) rather than in "
            "their levels, so the network is that of activity; it has no dynamics to predict with"
        )
        found.append(Finding("note", name, text))
    if "step_error" in network.how and network.how.get("fitted") != network.how.get("method"):
        text = (
            f"whole trajectories missed the observations by {network.how['path_error']:.3g}, single steps by "
            f"{network.how['step_error']:.3g} of a gene's range: the dynamics are disturbed, not only the "
            f"observations, so the network is that of {network.how['fitted']}"
        )
        found.append(Finding("note", name, text))
    return found


def describe(network: Network, sources: Sequence[str] = ()) -> list[str]:
    """Return lines that say what was fitted and what the evidence makes of each prior.

    Args:
        network: as inferred.
        sources: names of the priors, in order.
    """
    how: Mapping[str, Any] = network.how
    if "validation_error" not in how and network.posterior is not None:
        return _describe_posterior(network, np.asarray(network.posterior.posterior.probability), sources)
    lines = [
        f"{how.get('fitted', how['method'])}: {how['status'].replace('_', ' ')} after epoch {how['last_epoch']:g}, "
        f"model of epoch {how['selected_epoch']:g}, validation error {how['validation_error']:.4g}, "
        f"{100 * how['sparsity']:.1f} % of the weights zero"
    ]
    if network.posterior is None:
        return lines
    return lines + _describe_posterior(network, np.asarray(network.posterior.posterior.probability), sources)


def _describe_posterior(network: Network, probability: np.ndarray, sources: Sequence[str]) -> list[str]:
    assert network.posterior is not None, "told by the caller"
    known = np.zeros(probability.shape, bool)
    known[network.prior.pairs()] = True
    edges = np.asarray(network.prior.edges)
    stated = edges[None] if network.prior.sources is None else np.asarray(network.prior.sources)
    lines = []
    for number, part in enumerate(stated):
        mine = part != 0
        if mine.any():
            source = sources[number] if number < len(sources) else f"prior {number + 1}"
            lines.append(
                f"of {mine.sum()} edges in {source}, {probability[mine].sum():.1f} are expected to be true "
                f"({probability[mine].mean():.0%})"
            )
    signed = network.returned & known & (edges < 0).any()
    if signed.any():
        activates = np.asarray(network.posterior.posterior.activation) > 0.5
        right = (activates == (edges > 0))[signed].mean()
        lines.append(f"{right:.0%} of the {signed.sum()} returned prior edges have the prior's sign")
    outside = "outside the prior, " if known.any() else ""
    lines.append(f"{outside}{probability[~known].sum():.1f} {'more ' if known.any() else 'edges '}are expected")
    if not network.returned.any():
        return [
            *lines,
            f"returned: no edge, for the likeliest has a probability of {probability.max():.2f} and an expected "
            f"precision of {network.precision:g} is asked for; those expected are the sum of many small "
            "probabilities. More trajectories or time points help, and a lower precision lists more",
        ]
    return [
        *lines,
        f"returned: {network.returned.sum()} edges, {(network.returned & ~known).sum()} of them new, at an expected "
        f"precision of {network.precision:g}",
    ]
