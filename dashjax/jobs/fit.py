"""Fitting a user's own files: from expression and prior to edges."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
import pandas as pd

from dashjax.data import Prior, Split, combine_priors
from dashjax.dynamics import AbstractField, DirectSpec, PhoenixSpec
from dashjax.errors import InputError
from dashjax.evidence import EnsemblePosterior, edges_at_precision
from dashjax.io import (
    CellOptions,
    Edges,
    Match,
    align_edges,
    make_folder,
    read_network,
    read_regulators,
    save_model,
    similarity_edges,
    write_table,
)
from dashjax.jobs.check import Finding, check_data, read_files
from dashjax.jobs.network import NetworkFit, OnEpochs, Trainer, fit_network, pieces_of, time_unit
from dashjax.jobs.priors import DENSE_GENES, matrix_from_edges, prior_from_edges
from dashjax.jobs.tune import choose_setting, folds_of
from dashjax.networks import edge_list, relative_effects, strongest_edges
from dashjax.sparsity import sparsity
from dashjax.training import (
    STATUSES,
    FitConfig,
    FitResult,
    Method,
    Setting,
    find_method,
)

#: Called with everything found in the files, before training.
OnFinding = Callable[[Finding], None]

#: Edges that are listed of a network too large for a matrix.
MOST_EDGES = 100_000
#: Least probability of an edge outside the prior that is listed.
LISTED = 0.01


def fit_files(
    expression: Path,
    priors: Sequence[Path],
    out: Path,
    method: str = "dash",
    genes_file: Path | None = None,
    regulators_file: Path | None = None,
    match: str = "exact",
    trust: tuple[float, float] = (0.05, 0.01),
    strength: float | None = None,
    epochs: int = 200,
    hidden: int | None = None,
    validation: float = 0.1,
    seed: int = 0,
    ensemble: int | None = None,
    precision: float = 0.9,
    tune: int | None = None,
    ppi: Path | None = None,
    cells: CellOptions | None = None,
    on_epochs: OnEpochs = lambda done, total, text: None,
    on_finding: OnFinding = lambda finding: None,
) -> list[str]:
    """Fit one network to a user's files and write edges.tsv, model.npz, curves.csv and figures.

    The files are checked first, see `check_data`, and what is worth a warning is reported before training starts.

    With folds to tune by, λ or the strength is chosen first, and choice.csv says how. With an ensemble, edges.tsv holds
    the posterior of every edge that has one worth a line, see `posterior_table`; the model is the first member, which
    saw all trajectories.

    Returns:
        Lines that say what was fitted.

    Raises:
        InputError: on anything wrong with the files or arguments, before anything is written.
    """
    chosen = find_method(method)
    for name, value in zip(("--lambda-1", "--lambda-2"), trust, strict=True):
        if not 0 <= value <= 1:
            raise InputError(f"{name}: must be between 0 and 1, got {value:g}")
    if not 0 < precision < 1:
        raise InputError(f"--precision: must be between 0 and 1, got {precision:g}")
    if ensemble is not None and ensemble < 1:
        raise InputError(f"--ensemble: must be at least 1, got {ensemble}")
    if strength is not None:
        chosen.check_strength(strength)
    data, networks = read_files(expression, priors, genes_file, match, cells)
    named: Match = "intersect" if match == "intersect" else "exact"
    sources = [align_edges(network, data.genes, named) for network in networks]
    for finding in check_data(data, networks, match):
        on_finding(finding)
    allowed = np.ones(len(data.genes), bool)
    if regulators_file is not None:
        allowed = read_regulators(regulators_file, data.genes, named)
    barred = sum(int((~allowed[edges.regulators]).sum()) for edges in sources)
    sources = [Edges(*(part[allowed[edges.regulators]] for part in edges)) for edges in sources]
    known = combine_priors([prior_from_edges(edges, len(data.genes)) for edges in sources])
    if ppi is not None:
        # A matrix that names no genes goes by the order of the expression's file.
        similar = similarity_edges(read_network(ppi, data.file_order), data.genes, "intersect")
        known = replace(known, similarity=matrix_from_edges(similar, len(data.genes)))
    if len(data.genes) > DENSE_GENES:
        _refuse_dense(chosen, bool(allowed.all()), len(data.genes))
    said, tried = [], None
    base = FitConfig(field=PhoenixSpec(hidden), epochs=epochs)
    if tune is not None:
        scaled = data.trajectories.in_time_unit(time_unit(data.trajectories))
        trial = Trainer(chosen.configure(base), allowed)

        def train_setting(setting: Setting, fold: Split, words: str) -> FitResult:
            on_epochs(0, epochs, words)
            hyper = chosen.hyperparameters(epochs, setting.trust, setting.strength)
            return trial(jax.random.key(seed), fold, known, hyper)

        setting, tried, why = choose_setting(chosen, folds_of(pieces_of(scaled), tune, seed), train_setting)
        trust, strength = setting.trust, setting.strength
        said.append(why)
    if ensemble is not None:
        chosen = replace(chosen, members=ensemble)
    fitted = fit_network(
        data.trajectories, known, chosen, base, trust, strength, allowed, validation, seed, precision, on_epochs
    )
    result, posterior = fitted.result, fitted.posterior
    if posterior is None:
        table = _edges_of(result.field, data.genes)
    else:
        said += _describe_posterior(posterior, known, priors, precision)
        said += _describe_errors(fitted)
        table = posterior_table(posterior, known, data.genes, precision)
    index = {gene: number for number, gene in enumerate(data.genes)}
    table["in_prior"] = known.states(table["source"].map(index).to_numpy(int), table["target"].map(index).to_numpy(int))
    _write_fit(out, result, table, data.genes, tried)
    if table.empty:
        said.append("no regulator reaches any target any more: train for fewer epochs, or use an edge-resolved method")
    listed = f"{len(table)} edges{'' if posterior is None else ' listed'}"
    return [
        f"{len(data.genes)} genes, {len(data.names)} trajector{'y' if len(data.names) == 1 else 'ies'}, "
        f"{known.n_edges} prior edges"
        + (f", and {barred} left out because their source may not regulate" if barred else ""),
        f"{fitted.method.name}: {STATUSES[int(result.status)]} after epoch {int(result.last_epoch)}, model of epoch "
        f"{int(result.epoch)}, validation error {float(result.validation_error):.4g}, "
        f"{100 * float(sparsity(result.field.effective_layers())):.1f} % of the weights zero",
        *said,
        f"{listed} ({int(table['in_prior'].sum())} of them in the prior): {out / 'edges.tsv'}",
    ]


def _refuse_dense(method: Method, unrestricted: bool, genes: int) -> None:
    """Refuse methods that hold a number for every pair of genes where there are too many.

    Raises:
        InputError: for ensembles, and edge-resolved fields in which every gene may regulate.
    """
    if method.members is not None:
        raise InputError(
            f"--method {method.name}: holds a probability for every pair, too many for {genes:,} genes "
            f"(at most {DENSE_GENES:,}); dash, or direct+dash with --regulators, can do it"
        )
    if isinstance(method.field, DirectSpec) and unrestricted:
        raise InputError(
            f"--method {method.name}: needs --regulators for {genes:,} genes (more than {DENSE_GENES:,}), for it has a "
            "weight for every regulator and target"
        )


def _edges_of(field: AbstractField, genes: Sequence[str]) -> pd.DataFrame:
    """Return a field's edges as a table; of a genome's, the `MOST_EDGES` strongest."""
    if len(genes) <= DENSE_GENES:
        return edge_list(relative_effects(field), genes)
    regulator, target, weight = strongest_edges(field, MOST_EDGES)
    names = np.asarray(genes, dtype=object)
    return pd.DataFrame({"source": names[regulator], "target": names[target], "weight": weight})


def posterior_table(posterior: EnsemblePosterior, prior: Prior, genes: Sequence[str], precision: float) -> pd.DataFrame:
    """Return the edges of a posterior as a table, the most probable first.

    Args:
        posterior: of an ensemble.
        prior: its prior; prior edges are listed however improbable, others from a probability of `LISTED` on.
        genes: names in the arrays' order.
        precision: expected share of true edges in the returned set.

    Returns:
        A frame with columns source, target; weight, the posterior mean of the edge's effect on the target's rate of
        change, with weight_low and weight_high around 90 % of it; probability; returned, whether it belongs to the
        edge set of the asked precision; frequency, the share of members that return it; activation, the probability
        that it activates, given that it exists; and sign_agreement, the share of members that agree on that.
    """
    mixture = posterior.posterior
    probability = np.asarray(mixture.probability)
    listed = (probability >= LISTED) | (np.asarray(prior.edges) != 0)
    # A listed prior edge of no probability at all still needs a line.
    table = edge_list(np.where(listed, np.maximum(probability, np.finfo(np.float32).tiny), 0.0), genes)
    index = {gene: number for number, gene in enumerate(genes)}
    pairs = table["source"].map(index).to_numpy(), table["target"].map(index).to_numpy()
    effect, spread = np.asarray(mixture.effect)[pairs], np.asarray(mixture.spread)[pairs]
    return table.assign(
        weight=effect,
        weight_low=effect - 1.645 * spread,
        weight_high=effect + 1.645 * spread,
        probability=probability[pairs],
        returned=np.asarray(edges_at_precision(mixture.probability, precision))[pairs],
        frequency=np.asarray(posterior.frequency)[pairs],
        activation=np.asarray(mixture.activation)[pairs],
        sign_agreement=np.asarray(posterior.agreement)[pairs],
    )


def _describe_posterior(
    posterior: EnsemblePosterior, prior: Prior, paths: Sequence[Path], precision: float
) -> list[str]:
    """Say what the edges' posterior makes of each prior, and what it returns."""
    probability, known = np.asarray(posterior.posterior.probability), np.asarray(prior.edges) != 0
    returned = np.asarray(edges_at_precision(posterior.posterior.probability, precision))
    stated = np.asarray(prior.edges)[None] if prior.sources is None else np.asarray(prior.sources)
    lines = []
    for path, edges in zip(paths, stated, strict=True):
        mine = edges != 0
        share = f" ({probability[mine].mean():.0%})" if mine.any() else ""
        lines.append(f"of {mine.sum()} edges in {path}, {probability[mine].sum():.1f} are expected to be true{share}")
    activates = np.asarray(posterior.posterior.activation) > 0.5
    signed = returned & known & (np.asarray(prior.edges) < 0).any()
    if signed.any():
        right = (activates == (np.asarray(prior.edges) > 0))[signed].mean()
        lines.append(f"{right:.0%} of the {signed.sum()} returned prior edges have the prior's sign")
    return [
        *lines,
        f"outside the prior, {probability[~known].sum():.1f} more are expected",
        f"returned: {returned.sum()} edges, {(returned & ~known).sum()} of them new, at an expected precision of "
        f"{precision:g}",
    ]


def _describe_errors(fitted: NetworkFit) -> list[str]:
    """Say so where single steps were fitted because whole paths missed."""
    if fitted.errors is None or fitted.errors[0] <= fitted.errors[1]:
        return []
    path, step = fitted.errors
    return [
        f"whole trajectories missed the observations by {path:.3g}, single steps by {step:.3g}: the dynamics are "
        f"disturbed, not only the observations, so the network is that of {fitted.method.name}"
    ]


def _write_fit(out: Path, result, edges: pd.DataFrame, genes, tried: pd.DataFrame | None) -> None:
    from dashjax.report.figures import effect_map, training_curves, tuning_curve
    from dashjax.report.write import write_figure

    make_folder(out)
    write_table(out / "edges.tsv", edges)
    save_model(out / "model.npz", result.field, genes)
    arrays = result.curves.arrays()
    pd.DataFrame({"epoch": np.arange(1, len(arrays["pruned"]) + 1), **arrays}).to_csv(out / "curves.csv", index=False)
    write_figure(out, "training_curves", training_curves({"this run": [arrays]}))
    if len(genes) <= DENSE_GENES:
        network = np.asarray(relative_effects(result.field))
        write_figure(out, "effects", effect_map(network, genes))
    if tried is not None:
        tried.to_csv(out / "choice.csv", index=False)
        write_figure(out, "choice", tuning_curve(tried))
