"""The two file-to-file jobs: fit a user's own data, and simulate a study to files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from dashjax.data import Split, Trajectories, make_prior
from dashjax.dynamics import PhoenixSpec
from dashjax.errors import InputError
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
from dashjax.training import STATUSES, FitConfig, advance, find_method, finish, start

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
    on_epochs: Callable[[int, int, str], None] = lambda done, total, text: None,
) -> list[str]:
    """Fit one network to a user's files and write edges.tsv, model.npz, curves.csv and figures.

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
    data = read_expression(expression, genes_file).in_canonical_order()
    known = make_prior(read_prior(prior, data.genes, match))  # type: ignore[arg-type]
    train, held = hold_out(data.trajectories, validation, seed)
    split = Split(train, held, held)

    if strength is not None:
        chosen.check_strength(strength)
    hyper = chosen.hyperparameters(epochs, trust, strength)
    config = chosen.configure(FitConfig(field=PhoenixSpec(hidden), epochs=epochs))
    key = jax.random.key(seed)
    state = jax.jit(lambda k: start(k, split, hyper, config))(key)
    step = jax.jit(lambda state, numbers: advance(key, split, known, hyper, config, state, numbers))
    pieces, done = [], 0
    while done < epochs and bool(state.running):
        state, piece = step(state, jnp.arange(done + 1, done + EPOCHS_PER_CALL + 1))
        pieces.append(piece)
        done = min(done + EPOCHS_PER_CALL, epochs)
        on_epochs(done, epochs, f"validation error {float(state.chosen.validation_error):.3g}")
    curves = jax.tree.map(lambda *parts: jnp.concatenate(parts)[:done], *pieces)
    result = finish(state, curves, split, config)

    edges = edge_list(relative_effects(result.field), data.genes)
    in_prior = np.asarray(known.edges) != 0
    index = {gene: number for number, gene in enumerate(data.genes)}
    edges["in_prior"] = in_prior[edges["source"].map(index), edges["target"].map(index)]
    _write_fit(out, result, edges, data.genes)
    status = STATUSES[int(result.status)]
    return [
        f"{len(data.genes)} genes, {data.trajectories.n_trajectories} trajectories, {int(in_prior.sum())} prior edges",
        f"{method}: {status} after epoch {int(result.last_epoch)}, model of epoch {int(result.epoch)}, validation "
        f"error {float(result.validation_error):.4g}, {100 * float(sparsity(result.field.effective_layers())):.1f} % "
        f"of the weights zero",
        f"{len(edges)} edges ({int(edges['in_prior'].sum())} of them in the prior): {out / 'edges.tsv'}",
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
