"""The page of a fitted network, from what the data added to how it was made."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from dashjax.data import Finding, Problem, Trajectories
from dashjax.evidence import ASKABLE, PROBABILITY_BINS, FoundAgain
from dashjax.inference import describe, remarks
from dashjax.io.provenance import describe_run, provenance
from dashjax.networks import Network
from dashjax.report.model_answers import KnockOut, Paths, follow_courses, knock_out_regulators, regulator_table
from dashjax.report.page import (
    BarSet,
    Layer,
    Part,
    Section,
    bar_rows,
    bars_view,
    courses_view,
    facts,
    heading,
    hint,
    network_view,
    paragraphs,
    render_page,
    sentences,
    static_figure,
    static_table,
    table_view,
    tiles,
)

#: Edges that a page holds, the likeliest.
MOST_EDGES = 20_000
#: Regulators in bars, and genes that respond to a knock-out.
BARS = 20
_EDGE_LABELS = {
    "source": "regulator",
    "target": "target",
    "probability": "probability",
    "score": "score",
    "effect": "effect",
    "effect_low": "effect, 5 %",
    "effect_high": "effect, 95 %",
    "returned": "returned",
    "in_prior": "in prior",
    "stated_by": "stated by",
    "frequency": "share of members",
    "activation": "activates, probability",
    "sign_agreement": "members agree on sign",
}
_EDGE_HINTS = {
    "probability": "that the edge exists, given the data and the prior",
    "effect": "change of the target's rate of change per unit of the regulator, in your units",
    "returned": "whether the method returns it at the precision asked for",
    "frequency": "share of the ensemble's members that return the edge by themselves",
    "activation": "that it activates, given that it exists",
    "score": "what edges are ranked by",
}
_REGULATOR_LABELS = {
    "gene": "regulator",
    "expected_targets": "expected targets",
    "targets": "targets returned",
    "new": "of them new",
    "in_prior": "targets in the prior",
    "activates": "activates",
    "represses": "represses",
    "influence": "influence",
    "standard_error": "± standard error",
}


class Observed(NamedTuple):
    """What was observed over time.

    Attributes:
        names: of the trajectories.
        trajectories: in the user's units, genes in the network's order.
    """

    names: Sequence[str]
    trajectories: Trajectories


def observed_of(problem: Problem) -> Observed | None:
    """Return what a problem's network was fitted to over time; None where all samples are at rest."""
    if not problem.observed.n_trajectories:
        return None
    given = problem.given
    names = problem.trajectories or [str(number + 1) for number in range(given.n_trajectories)]
    return Observed(names, given)


def network_page(
    title: str,
    network: Network,
    observed: Observed | None = None,
    sources: Sequence[str] = (),
    figures: Mapping[str, bytes] | None = None,
    record: Mapping[str, Any] | None = None,
) -> str:
    """Return the page of a network.

    Args:
        title: its heading.
        network: as fitted.
        observed: what it was fitted to; courses are left out if None.
        sources: names of the priors, in order.
        figures: pictures for where scripts do not run: effects, training_curves.
        record: how it was made, see `dashjax.io.provenance`; what the network knows of itself if None.
    """
    figures = figures or {}
    edges = _with_sources(network, network.edges, sources)
    regulators = regulator_table(network, None if observed is None else observed.trajectories)
    paths = None if observed is None else follow_courses(network, observed.trajectories, edges)
    knocked = knock_out_regulators(network, regulators, None if observed is None else observed.trajectories)
    subtitle = f"{len(network.genes):,} genes, {network.how.get('fitted', network.how.get('method', 'a network'))}"
    if observed is not None:
        subtitle += f", {observed.trajectories.n_trajectories:,} trajectories"
    sections = [
        Section("What did the data add to the prior?", _added(network, edges, sources), "What the data add"),
        Section("Which regulators matter?", _regulators(regulators), "Regulators"),
        Section("What is the network?", _drawing(network, edges, figures), "Network"),
        Section("Edges", _edges(network, edges), "Edges"),
        Section("Can I trust it?", _trust(network, figures), "Trust"),
        Section("How do genes change over time?", _courses(network, observed, paths, edges), "Courses"),
        Section("What happens if I knock out a regulator?", _knock_outs(network, knocked), "Knock-outs"),
        Section("How was it made?", [facts(made_facts(record or {}, network.how))], "How it was made"),
    ]
    return render_page(title, subtitle, sections)


# --- what the data add ---------------------------------------------------------------------------------------


def _added(network: Network, edges: pd.DataFrame, sources: Sequence[str]) -> list[Part]:
    returned = edges[edges["returned"].astype(bool)]
    new = int((~returned["in_prior"].astype(bool)).sum())
    counts = {"edges returned": f"{len(returned):,}", "of them not in the prior": f"{new:,}"}
    known = network.prior.n_edges
    if known:
        counts = {"edges in the prior": f"{known:,}", **counts}
    if known and network.posterior is not None:
        probability = np.asarray(network.posterior.posterior.probability)[network.prior.pairs()]
        counts["of the prior expected to be true"] = f"{probability.mean():.0%}"
    again = FoundAgain.of(network.how)
    if not known:
        word = "There was no prior: every edge here rests on the data alone."
    elif again is None:
        why = "too few of its edges, or of too few regulators, could be hidden and asked for again"
        if network.posterior is None:
            why = "that takes a method with probabilities"
        elif known < ASKABLE:
            why = f"there are {known:,} prior edges, and to hide some and ask for them again takes {ASKABLE}"
        word = f"Whether the data add to the prior cannot be told here: {why}."
    elif again.added:
        word = "The data add to the prior: edges that were hidden from the fit were found again."
    else:
        word = (
            "The data add nothing to the prior that can be told: edges that were hidden from the fit were not found "
            "again better than by counting their regulators' other targets. Take new edges here for hints at most."
        )
    parts = [paragraphs(word), tiles(counts)]
    if again is not None:
        parts += [paragraphs(again.describe() + "."), _again_bars(again)]
    said = [("note", line) for line in _described(network, sources)]
    if "validation_error" in network.how:
        # The first says how training ended, which is a matter of trust.
        said = said[1:]
    own = [(finding.level, finding.text) for finding in remarks(network) if again is None or finding.source != "prior"]
    return [*parts, sentences([*said, *own])]


def _described(network: Network, sources: Sequence[str] = ()) -> list[str]:
    known = {"method", "status", "last_epoch", "selected_epoch", "sparsity"}
    if network.posterior is None and not known | {"validation_error"} <= set(network.how):
        return []
    return describe(network, sources)


def _again_bars(again: FoundAgain) -> Part:
    names = ("data and out-degree", "out-degree alone", "chance")
    rows = bar_rows(names, (again.aupr, again.by_degree, again.chance), groups=(0, 1, 1))
    return bars_view(
        "again",
        "how well hidden prior edges are found again",
        "AUPR on hidden prior edges",
        [BarSet("all", rows)],
        limits=(0.0, max(1.0, again.aupr)),
        groups=("with the data", "without"),
        fallback=static_table(["", "AUPR"], [[row[0], f"{row[1]:.3f}"] for row in rows]),
    )


def _with_sources(network: Network, edges: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return edges with the priors that state each, where there are several."""
    stated = network.prior.sources
    if stated is None or len(stated) < 2:
        return edges
    place = {gene: number for number, gene in enumerate(network.genes)}
    pairs = edges["source"].map(place).to_numpy(int), edges["target"].map(place).to_numpy(int)
    said = np.stack([np.asarray(part)[pairs] != 0 for part in stated])
    labels = [names[number] if number < len(names) else f"prior {number + 1}" for number in range(len(said))]
    words = [" + ".join(label for label, yes in zip(labels, own, strict=True) if yes) or "–" for own in said.T]
    return edges.assign(stated_by=words)


# --- regulators, network, edges ------------------------------------------------------------------------------


def _regulators(table: pd.DataFrame) -> list[Part]:
    if not len(table):
        return [paragraphs("No gene regulates another in this network.")]
    sets = []
    expected = table[table["expected_targets"] > 0].head(BARS)
    rows = bar_rows(expected["gene"], expected["expected_targets"])
    if rows:
        sets.append(BarSet("expected targets", rows, "The sum of the probabilities of a regulator's edges."))
    if "influence" in table:
        strongest = table[table["influence"] > 0].sort_values("influence", ascending=False, kind="stable").head(BARS)
        mean, error = strongest["influence"], strongest["standard_error"]
        rows = bar_rows(strongest["gene"], mean, mean - error, mean + error)
        if rows:
            words = "How far a push of the gene carries through the fitted dynamics: mean |Δ| of all others."
            sets.append(BarSet("influence", rows, words))
    parts = []
    if sets:
        parts = [bars_view("regulators", "regulators", "", sets, choose="Rank by")]
    return [*parts, table_view("regulators", table, _REGULATOR_LABELS, "regulators", genes=("gene",))]


def _drawing(network: Network, edges: pd.DataFrame, figures: Mapping[str, bytes]) -> list[Part]:
    if not len(edges):
        return [paragraphs("The network has no edge to draw.")]
    caption = "The strongest regulators and their effects."
    instead = (
        static_figure("effects of the strongest regulators", figures["effects"], caption)
        if "effects" in figures
        else None
    )
    strength = "probability" if network.posterior is not None else "score"
    sign = "effect" if edges["effect"].notna().any() else "score"
    return [
        hint("Search a gene, or choose one in the drawing, to see its neighbours; hover or choose an edge to read it."),
        network_view(strength, sign, instead),
    ]  # fmt: skip


def _edges(network: Network, edges: pd.DataFrame) -> list[Part]:
    if not len(edges):
        return []
    shown = edges.head(MOST_EDGES)
    labels = {name: text for name, text in _EDGE_LABELS.items() if name in shown and shown[name].notna().any()}
    if network.posterior is not None:
        labels.pop("score", None)
    if _members(network) < 2:
        labels = {name: text for name, text in labels.items() if name not in ("frequency", "sign_agreement")}
    text = "Edges as the method ranks them; a name leads to its neighbours."
    if len(edges) > len(shown):
        text += f" The {len(shown):,} likeliest of {len(edges):,} stand here; edges.tsv has all."
    numeric = "probability" if "probability" in labels else "score"
    table = shown.assign(returned=shown["returned"].astype(bool), in_prior=shown["in_prior"].astype(bool))
    view = table_view(
        "edges",
        table,
        labels,
        "edges of the network",
        genes=("source", "target"),
        filters=(numeric, "returned", "in_prior"),
        hints=_EDGE_HINTS,
    )
    return [hint(text), view]


# --- trust ---------------------------------------------------------------------------------------------------


def _trust(network: Network, figures: Mapping[str, bytes]) -> list[Part]:
    how, parts = network.how, []
    lines: list[tuple[str, str]] = []
    if "validation_error" in how:
        lines += [("warning" if how.get("status") == "diverged" else "note", line) for line in _described(network)[:1]]
    if "path_error" in how:
        missed = f"Whole trajectories miss the observations by {how['path_error']:.3g} of a gene's range"
        lines.append(("note", f"{missed}, single steps by {how.get('step_error', np.nan):.3g}."))
    lines += [
        ("note", f"{name.replace('_', ' ')}: {value:.3g}")
        for name, value in how.items()
        if name.startswith(("chain", "rhat", "agreement")) and isinstance(value, float)
    ]
    again = FoundAgain.of(how)
    if again is not None:
        beside = f"AUPR {again.aupr:.2g} against {again.by_degree:.2g} for out-degree alone"
        text = (
            f"Hidden prior edges: {beside}, likelier with the data by {again.gain:.1f} standard errors over regulators."
        )
        lines.append(("note" if again.added else "warning", text))
    if network.posterior is None:
        lines.append(("note", "This method gives edges no probability: it does not say how many of them may be true."))
    warned = [finding for finding in network.findings if finding.level != "note"]
    lines += [(finding.level, _sourced(finding)) for finding in warned]
    if not warned:
        lines.append(("note", "The checks of the data found nothing to warn of."))
    parts.append(sentences(lines))
    said = remarks(network)
    notes = [finding for finding in network.findings if finding.level == "note" and finding not in said]
    if network.posterior is not None:
        parts += [heading("How sure are the edges?"), _sureness(network)]
    if again is not None and again.bins:
        parts += [heading("Do hidden prior edges bear the probabilities out?"), *_calibration(again)]
    if notes:
        parts += [heading("What else the checks found"), sentences([("note", _sourced(finding)) for finding in notes])]
    if "training_curves" in figures:
        caption = "Validation and training error by epoch, and pruned weights, of the first member."
        parts.append(static_figure("training", figures["training_curves"], caption))
    return parts


def _members(network: Network) -> int:
    return int(network.how.get("members", network.members))


def _sourced(finding: Finding) -> str:
    return f"{finding.source}: {finding.text}" if finding.source else finding.text


def _sureness(network: Network) -> Part:
    """Return how many edges of each probability there are, in the prior and outside, and how far members agree."""
    assert network.posterior is not None, "told by the caller"
    probability = np.asarray(network.posterior.posterior.probability)
    frequency = np.asarray(network.posterior.frequency)
    known = np.zeros(probability.shape, bool)
    known[network.prior.pairs()] = True
    pairs = ~np.eye(len(probability), dtype=bool)
    several = _members(network) > 1
    headings = [
        "probability",
        *(["prior edges", "expected true"] if known.any() else []),
        "other pairs",
        "expected true",
    ]
    headings += ["members that return them"] if several else []
    cells = []
    for low, high in itertools.pairwise(PROBABILITY_BINS):
        here = pairs & (probability >= low) & ((probability < high) | (high == 1.0))
        row = [f"{low:g} to {high:g}"]
        for part in ([here & known] if known.any() else []) + [here & ~known]:
            row += [f"{part.sum():,}", f"{probability[part].sum():,.1f}"]
        cells.append([*row, *([f"{frequency[here].mean():.0%}" if here.any() else "–"] if several else [])])
    return static_table(headings, cells[::-1])


def _calibration(again: FoundAgain) -> list[Part]:
    """Return what evidence that did not see prior edges said of them, by probability."""
    rows = [
        [f"{low:g} to {high:g}", f"{pairs:,.0f}", f"{expected:,.1f}", f"{found:,.0f}"]
        for (low, high), (pairs, expected, found) in zip(itertools.pairwise(PROBABILITY_BINS), again.bins, strict=True)
    ]
    words = (
        "Pairs by the probability that the evidence gives them without being told that the prior states them. Were the "
        "prior right and complete, the last two columns would agree; edges that it lacks make the last one smaller at "
        "high probabilities, edges that it misplaces make it larger at low ones."
    )
    return [hint(words), static_table(["probability", "pairs", "expected true", "hidden prior edges"], rows[::-1])]


# --- courses and knock-outs ----------------------------------------------------------------------------------


def _courses(network: Network, observed: Observed | None, paths: Paths | None, edges: pd.DataFrame) -> list[Part]:
    if observed is None or paths is None:
        return []
    given = observed.trajectories
    trajectories = {}
    for place, row in enumerate(paths.rows):
        seen = np.flatnonzero(np.asarray(given.observed[row]))
        counted = np.broadcast_to(np.asarray(given.counted[row]), given.expression[row].shape)
        values = np.where(counted, np.asarray(given.expression[row]), np.nan)[np.ix_(seen, paths.genes)]
        layers = [
            Layer(
                "observed", "joined" if paths.mean is None else "dots", "c1", np.asarray(given.times[row])[seen], values
            )
        ]
        if paths.mean is not None:
            low, high = (None if part is None else part[place] for part in (paths.low, paths.high))
            layers.insert(0, Layer("fitted", "line", "c0", paths.times[place], paths.mean[place], low, high))
        name = observed.names[row]
        trajectories[name if name not in trajectories else f"{name} ({row + 1})"] = layers
    words = "Observations as they were given"
    if paths.mean is None:
        words += "; this network has no dynamics, so there is no path to follow."
    else:
        words += ", and the path that the fitted dynamics take from the first of them"
        words += f"; the band spans the {network.members} members." if paths.low is not None else "."
    if len(paths.genes) < len(network.genes) or len(paths.rows) < given.n_trajectories:
        words += (
            f" {len(paths.genes):,} of {len(network.genes):,} genes and {len(paths.rows):,} of "
            f"{given.n_trajectories:,} trajectories are kept in this page."
        )
    names = [network.genes[gene] for gene in paths.genes]
    key = "edges" if len(edges) else None
    return [hint(words), courses_view("courses", names, trajectories, key, f"{network.members} members")]


def _knock_outs(network: Network, knocked: Sequence[KnockOut]) -> list[Part]:
    if not knocked:
        return []
    if network.posterior is not None and not network.returned.any():
        text = "No edge is sure enough to be returned, so a predicted knock-out would rest on none."
        return [sentences([("warning", f"{text} The command perturb predicts one all the same.")])]
    relations = ("direct", "downstream", "unconnected")
    sets = []
    for one in knocked:
        others = one.table[one.table["relation"] != "perturbed"]
        largest = others["response"].abs().max()
        moved = others[others["response"].abs() > 0.02 * largest].head(BARS) if largest > 0 else others.head(0)
        reached = [relations.index(name) for name in moved["relation"]]
        rows = bar_rows(moved["gene"], moved["response"], moved["response_low"], moved["response_high"], reached)
        if rows:
            sets.append(BarSet(one.gene, rows, f"{one.gene} knocked out: {one.words}."))
    if not sets:
        return []
    first = static_table(
        ["gene", "mean Δ", "how reached"], [[row[0], f"{row[1]:.3g}", relations[row[4]]] for row in sets[0].rows]
    )
    return [
        hint(
            "Predicted by the fitted dynamics for the regulators with most expected targets: the mean change of "
            "expression, with the range that holds nine in ten of starts and members. Direct: a returned edge leads "
            "there. Downstream: a path of such edges. Unconnected: none does, and the response comes through edges "
            "that are too uncertain to be returned. The command perturb does this for any gene, or several."
        ),
        bars_view(
            "knockouts",
            "responses to a knock-out",
            "mean Δ of expression",
            sets,
            relations,
            "Knocked out",
            fallback=first,
        ),
    ]  # fmt: skip


# --- how it was made -----------------------------------------------------------------------------------------


def made_facts(record: Mapping[str, Any], how: Mapping[str, Any] | None = None) -> dict[str, str]:
    """Return lines that say how a result was made.

    Args:
        record: of `dashjax.io.provenance`, or other facts by name.
        how: what a network knows of itself.
    """
    found: dict[str, str] = {}
    if "packages" in record:
        for name, text in describe_run(record):
            found[name] = f"{found[name]}; {text}" if name in found else text
    else:
        found = _plainly(record) | provenance()
    return {name: text for name, text in (found | _plainly(how or {})).items() if text}


def _plainly(how: Mapping[str, Any]) -> dict[str, str]:
    """Return what is known by name; the rest is said elsewhere in the page, or to nobody."""
    return {
        str(name).replace("_", " "): _told(value)
        for name, value in how.items()
        if name not in ("findings", "fold") and not str(name).startswith("hidden_")
    }


def _told(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {_told(part)}" for name, part in value.items())
    if isinstance(value, list | tuple):
        return "; ".join(_told(part) for part in value)
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:.6g}"
    return "" if value is None else str(value)
