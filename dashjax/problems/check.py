"""What may be wrong with a user's data, said before anything is fitted to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from dashjax.data import KINDS, Finding
from dashjax.errors import InputError
from dashjax.io import Expression, NamedNetwork, align_network
from dashjax.io.h5ad import DOUBT
from dashjax.io.metadata import LEFT_OUT
from dashjax.io.name_hints import name_hints
from dashjax.io.tables import short

#: Expression beyond this is taken for counts.
LARGEST_LOG_EXPRESSION = 30.0
#: Share of values below zero beyond which they are no levels with an error.
BELOW_ZERO = 0.2
#: How a reader begins to say that a knocked-out gene was measured high.
HIGH = "knocked out, yet measured"
#: What `name_hints` says of names that are the same but for their spelling.
OTHERWISE_SPELT = "differ only in"
#: How many times longer than another a trajectory may last before one of them has probably another unit of time.
SPANS = 1000
#: What is said where there is nothing to learn from.
NOTHING_CHANGES = "no gene ever changes, so nothing can be learnt from it"
#: Share of all pairs from which a prior says little.
DENSE = 0.3
#: Genes per step from one time to the next beyond which data say little.
STEPS_PER_GENE = 10


def check_data(data: Expression, networks: Sequence[NamedNetwork], match: str = "exact") -> list[Finding]:
    """Say what was found in expression and priors that were read."""
    findings = check_expression(data)
    for network in networks:
        findings += check_prior(network, data.genes, match)
    return findings


def verdict(findings: Sequence[Finding]) -> str:
    """Return one line that says whether the files can be fitted."""
    errors, warnings = (sum(f.level == level for f in findings) for level in ("error", "warning"))
    if errors:
        return f"cannot be fitted: {errors} error{'s' * (errors > 1)}"
    return f"can be fitted, but see {warnings} warning{'s' * (warnings > 1)}" if warnings else "ready to fit"


def check_expression(data: Expression) -> list[Finding]:
    """Say what expression holds: its times, values that are missing, constant genes, and its scale."""
    values = data.trajectories
    observed, times = np.asarray(values.observed), np.asarray(values.times)
    steps = np.diff(times, axis=1)[observed[:, 1:]]
    courses = [] if not values.n_trajectories else [
        f"{_count(values.n_trajectories, 'trajectory', 'trajectories')} of "
        f"{_range(observed.sum(axis=1))} times from {times.min():g} to {times.max():g}, {_range(steps)} apart"
    ]  # fmt: skip
    samples = [] if data.steady is None else [_count(len(data.steady.names), "sample at rest", "samples at rest")]
    # What a reader saw on the way is said by the reader; what was probably not meant is a warning.
    doubted = [
        note for note in data.notes if note.startswith((HIGH, DOUBT)) or OTHERWISE_SPELT in note or LEFT_OUT in note
    ]
    notes = [
        ", ".join([f"{values.n_genes:,} genes", *courses, *samples]),
        *_stated(data),
        *(note for note in data.notes if note not in doubted),
    ]
    warnings = list(doubted)
    constant = _constant(data)
    if not changes(data).any():
        return [*_findings(data.source, notes, warnings), Finding("error", data.source, NOTHING_CHANGES)]
    spans = (np.where(observed, times, -np.inf).max(axis=1) - times[:, 0]) if len(times) else np.ones(1)
    if spans.max() > SPANS * spans.min():
        warnings.append(
            f"trajectories last from {spans.min():.3g} to {spans.max():.3g}; are all their times in one unit?"
        )
    if constant.any():
        names = _examples([data.genes[n] for n in np.flatnonzero(constant)])
        warnings.append(f"{_count(constant.sum(), 'gene never changes', 'genes never change')} ({names})")
    largest = float(np.nanmax(np.abs(_everything(data))))
    if largest > LARGEST_LOG_EXPRESSION:
        warnings.append(f"values reach {largest:,.4g}; counts should be normalised and logged first")
    below = float(np.nanmean(_everything(data) < 0))
    if below > BELOW_ZERO:
        warnings.append(
            f"{below:.0%} of the values are below zero: zero then stands for an average, as in z-scores and "
            "log ratios, not for absence"
        )
    told = len(steps) + (0 if data.steady is None else len(data.steady.names))
    if told * STEPS_PER_GENE < values.n_genes:
        what = f"{len(steps)} steps from one time to the next" if len(steps) else f"{told} samples"
        warnings.append(f"{what} for {values.n_genes:,} genes: the data can add little to the prior")
    return _findings(data.source, notes, warnings)


def check_prior(network: NamedNetwork, genes: Sequence[str], match: str = "exact") -> list[Finding]:
    """Say what a prior holds: genes matched and not, signs, density, repeats, self loops, which way its edges point."""
    known = set(genes)
    absent = [name for name in network.names if name not in known]
    edges = [
        (regulator, target, weight)
        for regulator, target, weight in zip(network.regulators, network.targets, network.weights, strict=True)
        if weight != 0 and regulator in known and target in known
    ]
    try:
        align_network(network, genes, "intersect" if match == "intersect" else "exact")
    except InputError as error:
        problem = str(error).removeprefix(network.source).lstrip(",: ")
        if not edges:
            return [Finding("error", network.source, problem)]
        errors = [Finding("error", network.source, problem)]
    else:
        errors = []
    unique = {(regulator, target) for regulator, target, _ in edges}
    regulators, targets = {regulator for regulator, _ in unique}, {target for _, target in unique}
    pairs = max(len(genes) * (len(genes) - 1), 1)
    negative = sum(weight < 0 for *_, weight in edges)
    signs = f"{negative / len(edges):.0%} of them repress" if negative else "unsigned"
    notes, warnings = [], []
    notes.append(
        f"{len(unique):,} edges from {_count(len(regulators), 'regulator', 'regulators')} to {len(targets):,} targets "
        f"of the expression, {len(unique) / pairs:.2%} of all pairs, {signs}"
    )
    if absent and match == "intersect":
        hints = "".join(f"; {hint}" for hint in name_hints(absent, genes))
        notes.append(
            f"{len(absent):,} of its {len(network.names):,} genes are not in the expression and are left out "
            f"({_examples(absent)}){hints}"
        )
    lonely = len(known - regulators - targets)
    if lonely:
        notes.append(f"{lonely:,} of {len(genes):,} genes have no prior edge")
    loops = sum(regulator == target for regulator, target in unique)
    if loops:
        notes.append(_count(loops, "self loop", "self loops"))
    if len(edges) > len(unique):
        notes.append(f"{_count(len(edges) - len(unique), 'edge stands', 'edges stand')} more than once")
    if len(unique) > DENSE * pairs:
        warnings.append(f"states {len(unique) / pairs:.0%} of all pairs, so says little")
    largest = max(abs(weight) for *_, weight in edges)
    if largest > 1:
        warnings.append(f"weights reach {largest:,.4g}; they are confidences, and should lie in [−1, 1]")
    if _looks_reversed(unique):
        warnings.append(
            f"{len(regulators):,} regulators for {len(targets):,} targets; a few regulators have many targets in a "
            f"gene network, so source and target may be swapped, or the matrix transposed"
        )
    return _findings(network.source, notes, warnings) + errors


def _findings(source: str, notes: Sequence[str], warnings: Sequence[str]) -> list[Finding]:
    return [
        *(Finding("note", source, text) for text in notes),
        *(Finding("warning", source, text) for text in warnings),
    ]


def _looks_reversed(edges: set[tuple[str, str]]) -> bool:
    """Say whether targets look like regulators: fewer of them, the busiest with more edges than any regulator has.

    Edges of a gene network gather on its regulators: the busiest have far more targets than any target has regulators.
    """
    if len(edges) < 10:
        return False
    regulators, out_degree = np.unique([regulator for regulator, _ in edges], return_counts=True)
    targets, in_degree = np.unique([target for _, target in edges], return_counts=True)
    return len(regulators) > 1.5 * len(targets) and in_degree.max() > 1.5 * out_degree.max()


def _stated(data: Expression) -> list[str]:
    """Say what was done, by kind."""
    kinds = Counter(one.kind for one in data.interventions)
    experiments = len({one.experiment for one in data.interventions})
    if not kinds:
        return []
    counts = ", ".join(f"{kinds[kind]} × {kind}" for kind in KINDS if kinds[kind])
    return [f"interventions in {_count(experiments, 'experiment', 'experiments')}: {counts}"]


def _everything(data: Expression) -> np.ndarray:
    """Return all values (row, gene), NaN where one is missing."""
    values = data.trajectories
    seen = np.asarray(values.observed)
    counted = np.broadcast_to(np.asarray(values.counted), values.expression.shape)[seen]
    rows = np.where(counted, np.asarray(values.expression)[seen], np.nan)
    return rows if data.steady is None else np.concatenate([rows, data.steady.levels])


def changes(data: Expression) -> np.ndarray:
    """Say which genes were seen at two levels at least."""
    everything = _everything(data)
    return np.fmax.reduce(everything, axis=0) > np.fmin.reduce(everything, axis=0)


def _constant(data: Expression) -> np.ndarray:
    everything = _everything(data)
    return np.fmax.reduce(everything, axis=0) == np.fmin.reduce(everything, axis=0)


def _range(values: np.ndarray) -> str:
    low, high = float(values.min()), float(values.max())
    return f"{low:g}" if np.isclose(low, high) else f"{low:.3g} to {high:.3g}"


def _examples(names: Sequence[str]) -> str:
    return ", ".join(map(short, names[:3])) + ("…" if len(names) > 3 else "")


def _count(number: int, one: str, more: str) -> str:
    return f"{number:,} {one if number == 1 else more}"
