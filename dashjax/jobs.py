"""The two file-to-file jobs: fit a user's own data, and simulate a study to files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from dashjax.data import Prior, Split, Trajectories, make_prior
from dashjax.dynamics import PhoenixSpec
from dashjax.errors import InputError
from dashjax.evidence import EnsemblePosterior, edges_at_precision, ensemble_posterior
from dashjax.io import (
    read_expression,
    read_phoenix,
    read_prior,
    read_system,
    save_model,
    write_edges,
    write_phoenix,
    write_system,
)
from dashjax.networks import edge_list, relative_effects
from dashjax.simulate import (
    add_edges,
    draw_initial_states,
    drop_edges,
    flip_signs,
    generate_system,
    relocate_edges,
    simulate_expression,
)
from dashjax.sparsity import sparsity
from dashjax.training import (
    STATUSES,
    FitConfig,
    advance,
    advance_members,
    find_method,
    finish,
    finish_members,
    start,
    start_members,
)

#: Least probability of an edge outside the prior that is listed.
LISTED = 0.01
#: Epochs between two progress reports.
EPOCHS_PER_CALL = 10


def hold_out(trajectories: Trajectories, share: float, seed: int) -> tuple[Trajectories, Trajectories]:
    """Split trajectories into those to train on and those to validate on.

    Whole trajectories are held out where there are at least five; otherwise each is cut into its single
    transitions first, so that one long time course can be validated too.

    Raises:
        InputError: on a share outside (0, 1) or data too short to hold anything out.
    """
    if not 0 < share < 1:
        raise InputError(f"--validation: must be between 0 and 1, got {share:g}")
    if trajectories.n_trajectories < 5:
        trajectories = single_transitions(trajectories)
    count = trajectories.n_trajectories
    held = max(1, round(share * count))
    if held >= count:
        raise InputError(f"--validation: {share:g} of {count} pieces of data leaves nothing to train on")
    order = np.random.default_rng([seed, 3]).permutation(count)
    return trajectories[np.sort(order[held:])], trajectories[np.sort(order[:held])]


def single_transitions(trajectories: Trajectories) -> Trajectories:
    """Cut trajectories into pieces of two observations."""

    def pairs(leaf):
        joined = jnp.stack([leaf[:, :-1], leaf[:, 1:]], axis=2)
        return joined.reshape(-1, *joined.shape[2:])

    pieces = Trajectories(pairs(trajectories.times), pairs(trajectories.expression), pairs(trajectories.observed))
    return pieces[np.flatnonzero(np.asarray(pieces.observed).all(axis=1))]


def fit_files(
    expression: Path,
    prior: Path,
    out: Path,
    method: str = "dash",
    genes_file: Path | None = None,
    match: str = "exact",
    trust: tuple[float, float] = (0.05, 0.01),
    strength: float | None = None,
    epochs: int = 200,
    hidden: int | None = None,
    validation: float = 0.1,
    seed: int = 0,
    ensemble: int | None = None,
    precision: float = 0.9,
    on_epochs: Callable[[int, int, str], None] = lambda done, total, text: None,
) -> list[str]:
    """Fit one network to a user's files and write edges.tsv, model.npz, curves.csv and figures.

    With an ensemble, edges.tsv holds the posterior of every edge that has one worth a line, see `posterior_table`;
    the model is the first member, which saw all trajectories.

    Returns:
        Lines that say what was fitted.

    Raises:
        InputError: on anything wrong with the files or arguments, before anything is written.
    """
    chosen = find_method(method)
    for name, value in zip(("--lambda-1", "--lambda-2"), trust, strict=True):
        if not 0 <= value <= 1:
            raise InputError(f"{name}: must be between 0 and 1, got {value:g}")
    if match not in ("exact", "intersect"):
        raise InputError(f"--match: unknown value '{match}'; valid: exact, intersect")
    if not 0 < precision < 1:
        raise InputError(f"--precision: must be between 0 and 1, got {precision:g}")
    if ensemble is not None and ensemble < 1:
        raise InputError(f"--ensemble: must be at least 1, got {ensemble}")
    data = read_expression(expression, genes_file).in_canonical_order()
    known = make_prior(read_prior(prior, data.genes, match))  # type: ignore[arg-type]
    train, held = hold_out(data.trajectories, validation, seed)
    split = Split(train, held, held)

    if strength is not None:
        chosen.check_strength(strength)
    if ensemble is not None:
        chosen = replace(chosen, members=ensemble)
    members = chosen.members
    # A user's epochs are those of every run.
    total = epochs * (members or 1)
    hyper = chosen.hyperparameters(total, trust, strength)
    config = chosen.configure(FitConfig(field=PhoenixSpec(hidden), epochs=total))
    key = jax.random.key(seed)
    if members is None:
        state = jax.jit(lambda k: start(k, split, hyper, config))(key)
        step = jax.jit(lambda state, numbers: advance(key, split, known, hyper, config, state, numbers))
    else:
        state = jax.jit(lambda k: start_members(k, split, hyper, config, members))(key)
        step = jax.jit(lambda state, numbers: advance_members(key, split, known, hyper, config, state, numbers))
    pieces, done = [], 0
    while done < epochs and bool(np.any(state.running)):
        state, piece = step(state, jnp.arange(done + 1, done + EPOCHS_PER_CALL + 1))
        pieces.append(piece)
        done = min(done + EPOCHS_PER_CALL, epochs)
        on_epochs(done, epochs, f"validation error {float(np.mean(state.chosen.validation_error)):.3g}")
    curves = jax.tree.map(lambda *parts: jnp.concatenate(parts, axis=-1)[..., :done], *pieces)

    said = []
    if members is None:
        result = finish(state, curves, split, config)
        edges = edge_list(relative_effects(result.field), data.genes)
    else:
        on_epochs(epochs, epochs, "weighing the evidence")
        results = finish_members(state, curves, split, config)
        weigh = jax.jit(lambda k, fields: ensemble_posterior(k, fields, data.trajectories, known, precision))
        posterior = weigh(key, results.field)
        edges = posterior_table(posterior, known, data.genes, precision)
        result = jax.tree.map(lambda leaf: leaf[0], results)
        said = _describe_posterior(posterior, known, precision)
    in_prior = np.asarray(known.edges) != 0
    index = {gene: number for number, gene in enumerate(data.genes)}
    edges["in_prior"] = in_prior[edges["source"].map(index), edges["target"].map(index)]
    _write_fit(out, result, edges, data.genes)
    status = STATUSES[int(result.status)]
    listed = f"{len(edges)} edges{' listed' if said else ''} ({int(edges['in_prior'].sum())} of them in the prior)"
    return [
        f"{len(data.genes)} genes, {data.trajectories.n_trajectories} trajectories, {int(in_prior.sum())} prior edges",
        f"{method}: {status} after epoch {int(result.last_epoch)}, model of epoch {int(result.epoch)}, validation "
        f"error {float(result.validation_error):.4g}, {100 * float(sparsity(result.field.effective_layers())):.1f} % "
        f"of the weights zero",
        *said,
        f"{listed}: {out / 'edges.tsv'}",
    ]


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
        edge set of the asked precision; frequency, the share of members that return it; and sign_agreement.
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
        sign_agreement=np.asarray(posterior.agreement)[pairs],
    )


def _describe_posterior(posterior: EnsemblePosterior, prior: Prior, precision: float) -> list[str]:
    """Say what the edges' posterior makes of the prior, and what it returns."""
    probability, known = np.asarray(posterior.posterior.probability), np.asarray(prior.edges) != 0
    returned = np.asarray(edges_at_precision(posterior.posterior.probability, precision))
    share = f" ({100 * probability[known].mean():.0f} %)" if known.any() else ""
    return [
        f"of {known.sum()} prior edges, {probability[known].sum():.1f} are expected to be true{share}; outside the "
        f"prior, {probability[~known].sum():.1f} more",
        f"returned: {returned.sum()} edges, {(returned & ~known).sum()} of them new, at an expected precision of "
        f"{precision:g}",
    ]


def _write_fit(out: Path, result, edges: pd.DataFrame, genes) -> None:
    from dashjax.report.figures import effect_map, training_curves
    from dashjax.report.write import to_png

    _make_folder(out)
    write_edges(out / "edges.tsv", edges)
    save_model(out / "model.npz", result.field, genes)
    arrays = {name: np.asarray(getattr(result.curves, name)) for name in result.curves.__dataclass_fields__}
    pd.DataFrame({"epoch": np.arange(1, len(arrays["pruned"]) + 1), **arrays}).to_csv(out / "curves.csv", index=False)
    (out / "figures").mkdir(exist_ok=True)
    (out / "figures" / "training_curves.png").write_bytes(to_png(training_curves({"this run": [arrays]})))
    network = np.asarray(relative_effects(result.field))
    (out / "figures" / "effects.png").write_bytes(to_png(effect_map(network, genes)))


def simulate_files(
    out: Path,
    genes: int,
    seed: int,
    trajectories: int,
    times: str,
    noise: float,
    corruption: dict[str, float],
    equations: Path | None,
    names: Path | None,
    initial: Path | None,
) -> list[str]:
    """Simulate a system and write trajectories.csv, truth.tsv, prior.tsv, equations.csv and genes.csv.

    Returns:
        Lines that say what was simulated.

    Raises:
        InputError: on anything wrong with the arguments, before anything is written.
    """
    if names is not None and equations is None:
        raise InputError("--names: orders the genes of --equations, which is missing")
    try:
        grid = np.array([float(time) for time in times.split(",")])
    except ValueError:
        raise InputError(f"--times: expected numbers separated by commas, got '{times}'") from None
    if len(grid) < 2 or (np.diff(grid) <= 0).any() or not np.isfinite(grid).all():
        raise InputError(f"--times: needs at least two times, each later than the one before, got '{times}'")

    system = generate_system(genes, seed) if equations is None else read_system(equations, names)
    rng = np.random.default_rng([seed, 1])
    if initial is None:
        states = draw_initial_states(rng, system, trajectories)
        grids = [grid] * trajectories
    else:
        grids, observed = read_phoenix(initial)
        if observed[0].shape[1] != len(system.genes):
            raise InputError(f"{initial}: {observed[0].shape[1]} genes, the system has {len(system.genes)}")
        states = np.stack([expression[0] for expression in observed])
    expression = _simulate_grids(system, states, grids)
    noisy = [e + noise * rng.normal(size=e.shape) for e in expression]

    prior_rng = np.random.default_rng([seed, 2])
    prior = system.truth
    for name, change in (
        ("relocate", relocate_edges),
        ("drop", drop_edges),
        ("add", add_edges),
        ("flip", flip_signs),
    ):
        prior = change(prior_rng, prior, corruption[name])

    _make_folder(out)
    write_phoenix(out / "trajectories.csv", grids, noisy)
    write_edges(out / "truth.tsv", edge_list(system.truth, system.genes))
    write_edges(out / "prior.tsv", edge_list(prior, system.genes))
    write_system(out / "equations.csv", system)
    (out / "genes.csv").write_text("gene\n" + "\n".join(system.genes) + "\n", encoding="utf-8")
    lines = [
        f"{len(system.genes)} genes ({int(system.is_input.sum())} inputs), {int((system.truth != 0).sum())} true edges "
        f"({int((system.truth < 0).sum())} repressing), {int((prior != 0).sum())} prior edges, "
        f"{len(grids)} trajectories: {out}"
    ]
    if initial is not None:
        worst = max(np.abs(ours - theirs).max() for ours, theirs in zip(expression, observed, strict=True))
        lines.append(f"largest difference to {initial}: {worst:.2e}")
    return lines


def _simulate_grids(system, states: np.ndarray, grids: list[np.ndarray]) -> list[np.ndarray]:
    """Simulate trajectories whose observation times may differ, all times in one solve per length."""
    expression: list[np.ndarray] = [np.empty(0)] * len(grids)
    for length in {len(grid) for grid in grids}:
        rows = [number for number, grid in enumerate(grids) if len(grid) == length]
        solved = simulate_expression(system, states[rows], np.stack([grids[row] for row in rows]))
        for row, values in zip(rows, solved, strict=True):
            expression[row] = values
    return expression


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{out}: cannot be written ({error.strerror})") from None
