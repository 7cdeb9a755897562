"""Methods texts for papers: what ran, with its numbers, and the literature behind it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dashjax.data import DENSE_GENES
from dashjax.evidence import FoundAgain, PosteriorConfig
from dashjax.io import write_atomically
from dashjax.io.provenance import installed
from dashjax.methods import METHODS, Method, find_method
from dashjax.networks import Network
from dashjax.report.references import REFERENCES, cited_by, in_words, to_bibtex

TEXT, BIBLIOGRAPHY = "methods.md", "references.bib"
#: What everything is computed with.
_SOFTWARE = "[bradbury2018jax, kidger2021equinox]"
#: What observations are counted as, one and many.
_COUNTED = {"trajectories": ("trajectory", "trajectories"), "samples": ("sample at rest", "samples at rest")}
_KEYS = re.compile(r"\[([a-z0-9]+(?:, [a-z0-9]+)*)\]")


def write_methods(folder: Path, paragraphs: Sequence[str]) -> None:
    """Write methods.md and references.bib.

    Args:
        folder: where.
        paragraphs: of text, in which `[key]` or `[key, key]` cites; citations are numbered in their order.
    """
    keys: list[str] = []
    for found in _KEYS.finditer("\n".join(paragraphs)):
        keys += [key for key in found[1].split(", ") if key in REFERENCES and key not in keys]
    numbers = {key: str(number) for number, key in enumerate(keys, start=1)}

    def numbered(found: re.Match) -> str:
        cited = found[1].split(", ")
        return f"[{', '.join(numbers[key] for key in cited)}]" if set(cited) <= set(numbers) else found[0]

    body = "\n\n".join(_KEYS.sub(numbered, paragraph) for paragraph in paragraphs)
    listed = "\n".join(f"{numbers[key]}. {in_words(REFERENCES[key])}" for key in keys)
    text = f"# Methods\n\n{body}\n\n## References\n\n{listed}\n"
    write_atomically(folder / TEXT, lambda path: path.write_text(text, encoding="utf-8"))
    write_atomically(folder / BIBLIOGRAPHY, lambda path: path.write_text(to_bibtex(keys), encoding="utf-8"))


def network_methods(network: Network, tried: pd.DataFrame | None = None) -> list[str]:
    """Return two paragraphs on how a network was inferred: data and model, then edges and what they rest on.

    Args:
        network: as inferred.
        tried: what tuning has tried, if anything.
    """
    how = network.how
    asked = str(how.get("method", "a method of the user's own"))
    fitted = str(how.get("fitted", asked))
    model = _of_estimator(network) if how.get("carrier") == "activity" else _of_dynamics(network, fitted)
    instead = ""
    if fitted != _plain_name(asked):
        instead = f" {fitted} took over from {asked}, as the data asked for."
    chosen = "" if tried is None else _tuning(tried)
    return [
        f"{_data(network)} {model}{chosen}{instead} Random numbers followed from seed {how.get('seed', 0)}. "
        f"{software()}",
        _edges(network),
    ]


def software() -> str:
    """Return the sentence that names the program."""
    return f"Computations were done with dashjax {installed('dashjax') or ''}, built on JAX and Equinox {_SOFTWARE}."


def describe_methods(names: Sequence[str]) -> str:
    """Return a list of methods and rivals, each with its citations."""
    return ", ".join(f"{name}{_cite(cited_by(name))}" for name in dict.fromkeys(names))


def describe_settings(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the methods of a sweep's summary, each with its citations and the settings it ran with."""
    settings: dict[str, list[str]] = {}
    for row in rows:
        method, told = _known(row["method"].partition(" ")[0]), settings.setdefault(row["method"], [])
        numbers = []
        if method is not None and method.trust is None:
            numbers.append(f"λ = {row['lambda_1']:g} and {row['lambda_2']:g}")
        if row.get("strength") is not None:
            numbers.append(f"strength {row['strength']:g}")
        if method is not None and method.evidence is not None:
            numbers.append(f"{method.members} members")
        told += [text for text in [", ".join(numbers)] if text and text not in told]
    return ", ".join(
        f"{name}{_cite(cited_by(name))}" + (f" ({'; '.join(told)})" if told else "") for name, told in settings.items()
    )


def _cite(keys: Sequence[str]) -> str:
    return f" [{', '.join(keys)}]" if keys else ""


def _plain_name(method: str) -> str:
    """Return the name that a method has now."""
    known = _known(method)
    return method if known is None else known.name


def _known(method: str) -> Method | None:
    """Return a method by its name; None for one of the user's own."""
    aliases = {name for one in METHODS.values() for name in (one.name, *one.aliases)}
    return find_method(method) if method in aliases else None


def _data(network: Network) -> str:
    """Say what data and prior there were."""
    how, genes = network.how, len(network.genes)
    counted = [_count(int(how[name]), *words) for name, words in _COUNTED.items() if how.get(name)]
    source = f" from {' and '.join(counted)}" if counted else ""
    regulators = "all genes" if network.regulators is None else f"{len(network.regulators):,} of them"
    edges = network.prior.n_edges
    prior = f"A prior network of {_count(edges, 'edge', 'edges')} was given" if edges else "No prior network was given"
    if network.prior.sources is not None and len(network.prior.sources) > 1:
        prior += f", from {len(network.prior.sources)} sources that were weighed by the data"
    return (
        f"A regulatory network of {genes:,} genes was inferred{source}; {regulators} could regulate. {prior}. "
        f"Expression "
        "of every gene was centred and scaled for fitting, and effects are reported in the original units."
    )


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _of_dynamics(network: Network, fitted: str) -> str:
    """Say which differential equations were fitted, and how."""
    how, method = network.how, _known(fitted)
    kind = "" if network.spec is None else type(network.spec).__name__
    field = {
        "DirectSpec": "Neural ordinary differential equations [chen2018ode] with one additive and one multiplicative "
        "weight per regulator and target, the edge-resolved form of PHOENIX [hossain2024phoenix],",
        "PhoenixSpec": "PHOENIX, biologically informed neural ordinary differential equations [chen2018ode, "
        f"hossain2024phoenix]{f' with {hidden} hidden units per branch' if (hidden := _hidden(network)) else ''},",
    }.get(kind, "Neural ordinary differential equations [chen2018ode]")
    epochs = int(how.get("epochs", 0))
    if method is None:
        return f"{field} were fitted by {fitted} for {epochs} epochs."
    trust = f"λ = {how['lambda_1']:g} and {how['lambda_2']:g}" if "lambda_1" in how else ""
    objective = type(method.objective).__name__
    error = "the error along whole trajectories" if objective == "WholeTrajectory" else "the error of one step ahead"
    adam = (
        f"Adam [kingma2015adam] (initial learning rate {method.learning_rate:g}, {epochs} epochs), minimising {error}"
    )
    if network.posterior is not None:
        members = network.members
        ensemble = f"an ensemble of {members} members on resampled trajectories" if members > 1 else "one member"
        shrunk = f" and an L1 penalty weighted by the prior (λ = {how['strength']:g})" if "strength" in how else ""
        pruned = ""
        if method.name in ("posterior", "posterior_steps"):
            first = int(method.schedule(epochs, 0.0).first_epoch)
            pruned = (
                f", with one cut of 90 % of the weights at epoch {first} by magnitude and prior (DASH "
                f"[hossain2024dash]{trust and f', {trust}'})"
            )
        return f"{field} were fitted as {ensemble} by {adam}{shrunk}{pruned}."
    numbers = [trust] if method.trust is None and trust else []
    numbers += [f"strength {how['strength']:g}"] if "strength" in how else []
    setting = f" ({'; '.join(numbers)})" if numbers else ""
    sparse = f"made sparse by {fitted}{_cite(cited_by(fitted))}"
    return f"{field} were fitted by {adam}, and {sparse}: {method.summary}{setting}."


def _hidden(network: Network) -> int:
    weights = None if network.fields is None else getattr(network.fields, "input_weight", None)
    return 0 if weights is None else int(weights.shape[-2])


def _of_estimator(network: Network) -> str:
    """Say how edges were estimated from activities."""
    return (
        "Activities of regulators were estimated from the expression of their known targets by ridge regression, as in "
        "network component analysis [liao2003network, arrieta2015subtilis], each target left out of the activities it "
        "was tested against; every gene was then regressed on all activities, samples being weighted by the inverse of "
        "their shrunken covariance [ledoit2004covariance]. Penalties and shrinkage were those under which the "
        "prior's own "
        "edges were likeliest."
    )


def _edges(network: Network) -> str:
    """Say how edges were told, how many were returned, and whether the data added to the prior."""
    sentences = []
    if network.posterior is not None and network.how.get("carrier") == "activity":
        sentences.append(
            "The size of a coefficient and the regulator's out-degree in the prior became the probability of an "
            "edge by "
            "logistic regression on the prior's own edges."
        )
    elif network.posterior is not None:
        config, many = PosteriorConfig(), network.members > 1
        sentences.append(
            "The probability of every edge was its posterior probability in Bayesian regressions of each target on its "
            f"regulators along the fitted {'paths' if network.how.get('fitted') != 'posterior_steps' else 'steps'}, "
            f"with "
            "a spike-and-slab prior on coefficients sampled by Gibbs sampling [george1993gibbs] "
            f"({config.rounds} rounds of {config.sweeps} sweeps, at most {config.candidates} regulators per target)"
            + (
                "; prior odds of stated and other edges were estimated from the data"
                if network.prior.n_edges
                else "; the prior odds of an edge were estimated from the data"
            )
            + (f", and probabilities were averaged over the {network.members} members." if many else ".")
        )
    else:
        sentences.append("Edges were ranked by a regulator's effect relative to all effects on the target.")
        if "selected_epoch" in network.how:
            sentences.append(
                f"The model returned was that of epoch {network.how['selected_epoch']:g}, of the lowest validation "
                f"error "
                f"({network.how['validation_error']:.3g}); {100 * network.how['sparsity']:.1f} % of its weights are "
                f"zero."
            )
    if len(network.genes) <= DENSE_GENES:
        sentences.append(_returned(network))
    again = FoundAgain.of(network.how)
    if again is not None:
        words = again.describe()
        sentences.append(f"To tell what the data add to the prior, {words[0].lower()}{words[1:]}.")
    return " ".join(sentences)


def _returned(network: Network) -> str:
    returned, inside = network.returned, int(network.returned[network.prior.pairs()].sum())
    count = int(returned.sum())
    new = f", {inside:,} of them in the prior and {count - inside:,} new" if network.prior.n_edges and count else ""
    words = _count(count, "edge was", "edges were")
    if network.posterior is None:
        return f"All effects that are not zero are edges: {words} returned{new}."
    least = f", that is with a probability of at least {np.abs(network.scores[returned]).min():.2f}" if count else ""
    return f"{words} returned at an expected precision of {network.precision:g}{least}{new}."


def _tuning(tried: pd.DataFrame) -> str:
    """Say what was chosen by cross-validation."""
    chosen = tried[tried["chosen"]].iloc[0]
    number = (
        f"strength {chosen['strength']:g}"
        if not np.isnan(chosen["strength"])
        else f"λ = {chosen['lambda_1']:g}, {chosen['lambda_2']:g}"
    )
    return (
        f" Among {len(tried)} settings, {number} was chosen by cross-validation, as the sparsest within one standard "
        "error of the best [breiman1984trees]."
    )


def sweep_methods(what: str, rows: Sequence[Mapping[str, Any]], epochs: Sequence[int], seeds: int) -> list[str]:
    """Return two paragraphs on a sweep: what was run on what, and how it was scored.

    Args:
        what: the data and what was varied, a sentence without its stop.
        rows: the summary's.
        epochs: of the runs, each once.
        seeds: how many.
    """
    fitted = [row for row in rows if row["method"] != "prior_only"]
    runs = sum(int(row["n_runs"]) for row in fitted)
    scored = any(row.get("aupr", {}).get("mean") is not None for row in rows)
    diverged = sum(int(row["n_diverged"]) for row in fitted)
    first = (
        f"Runs were made on {what}. Methods were {describe_settings(fitted)}; those without dynamics of "
        "their own fit PHOENIX [hossain2024phoenix], neural ordinary differential equations [chen2018ode]. Each ran "
        f"with {_count(seeds, 'seed', 'seeds')} for {' or '.join(map(str, epochs))} epochs of Adam [kingma2015adam]. "
        f"{software()}"
    )
    second = (
        "Networks were scored against the true edges by balanced accuracy of the edges returned and by the area "
        "under the "
        "precision–recall curve (AUPR) of all pairs, with the prior alone beside them as if it were a fitted network."
        if scored
        else "No true network is known; runs are told apart by sparsity and error on held-out observations."
    )
    lost = (
        f" {_count(diverged, 'run', 'runs')} diverged and {'is' if diverged == 1 else 'are'} left out."
        if diverged
        else ""
    )
    return [first, f"{second} Numbers are means over {_count(runs, 'run', 'runs')} of all settings.{lost}"]


def comparison_methods(rows: pd.DataFrame) -> list[str]:
    """Return two paragraphs on a comparison: which methods on which networks, and how they were scored.

    Args:
        rows: of `compare`.
    """
    problems, groups = rows["problem"].nunique(), list(dict.fromkeys(rows["group"]))
    names = [str(name) for name in dict.fromkeys(rows["method"]) if name != "prior_only"]
    given = ["none" if np.isnan(share) else f"{share:.0%} misplaced" for share in dict.fromkeys(rows["corruption"])]
    own = bool(rows["own_prior"].eq(True).all()) if "own_prior" in rows else False
    prior = "The prior was each problem's own" if own else f"Priors were drawn from the true edges ({', '.join(given)})"
    dream = " of DREAM4 [marbach2010dream]" if any("dream" in str(group).lower() for group in groups) else ""
    epochs = sorted({int(value) for value in rows["epochs"].dropna()} - {0}) if "epochs" in rows else []
    seeds = sorted({int(value) for value in rows["seed"].dropna()})
    beeline = "beeline_auprc" in rows and rows["beeline_auprc"].notna().any()
    first = (
        f"{_count(problems, 'network', 'networks')}{dream} ({'; '.join(map(str, groups))}) were inferred by "
        f"{describe_methods(names)}. {prior}; all methods saw the same trajectories and the same prior, and those that "
        "cannot weigh a prior ranked its edges first."
        + (f" Ours were trained for {' or '.join(map(str, epochs))} epochs by Adam [kingma2015adam]." if epochs else "")
        + f" Random numbers followed from seed {', '.join(map(str, seeds))}. {software()}"
    )
    second = (
        "Rankings of ordered pairs of genes, without self loops, were scored against the known edges by the area "
        "under the "
        "precision–recall curve (AUPR), beside the share of true pairs, which a random order attains, and beside "
        "the prior "
        "alone" + ("; early precision is as BEELINE defines it [pratapa2020beeline]." if beeline else ".")
        + " Where a part of the known network was hidden from the prior, that part alone counts."
    )  # fmt: skip
    return [first, second]
