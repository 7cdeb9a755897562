"""Methods texts say what ran, with its numbers, and cite what was used, once each and in order."""

import re
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
import pandas as pd
import pytest
import yaml

import dashjax
from dashjax import METHODS, DirectSpec, Network, PhoenixSpec, make_prior
from dashjax.data import as_given
from dashjax.evidence import EdgePosterior, EnsemblePosterior
from dashjax.report.methods_text import comparison_methods, network_methods, sweep_methods, write_methods
from dashjax.report.references import CITED, REFERENCES, cited_by, to_bibtex
from dashjax.rivals import RIVALS

PROBABILITY = np.array([[0.0, 0.97, 0.0], [0.0, 0.0, 0.95], [0.1, 0.0, 0.0]])
HOW = {"method": "posterior", "fitted": "posterior", "seed": 7, "epochs": 40, "strength": 0.1, "lambda_1": 0.05,
       "lambda_2": 0.04, "trajectories": 5, "samples": 1}  # fmt: skip


@pytest.fixture(scope="module")
def network():
    fields = [DirectSpec().init(jax.random.key(seed), 3) for seed in range(2)]
    stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *fields)
    mixture = EdgePosterior(PROBABILITY, PROBABILITY, 0 * PROBABILITY, PROBABILITY, np.zeros(3), np.ones(3))
    posterior = EnsemblePosterior(mixture, PROBABILITY, PROBABILITY)
    prior = make_prior(np.eye(3, k=1) * [0, 1, 0])
    return Network(("A", "B", "C"), as_given(3), prior, (0, 1), DirectSpec(), stacked, posterior, how=HOW)


def test_a_posterior_is_told_by_its_ensemble_prior_and_threshold(network):
    first, second = network_methods(network)
    for told in (
        *(
            "3 genes",
            "5 trajectories and 1 sample at rest",
            "2 of them could regulate",
            "A prior network of 1 edge was",
        ),
        *("an ensemble of 2 members", "40 epochs", "at epoch 20", "λ = 0.05 and 0.04", "along whole trajectories"),
        *("seed 7", f"dashjax {dashjax.__version__}"),
    ):
        assert told in first, told
    assert "averaged over the 2 members" in second
    returned = "2 edges were returned at an expected precision of 0.9, that is with a probability of at least 0.95"
    assert f"{returned}, 1 of them in the prior and 1 new." in second
    hidden = {"hidden_edges": 12, "hidden_chance": 0.1, "hidden_by_degree": 0.2, "hidden_aupr": 0.5, "hidden_gain": 3}
    assert "12 edges of the prior were hidden" in network_methods(replace(network, how=HOW | hidden))[1]
    assert "took over" not in first
    fallen = replace(network, how=HOW | {"fitted": "posterior_steps"})
    assert "posterior_steps took over from posterior" in network_methods(fallen)[0]
    assert "one step ahead" in network_methods(fallen)[0]


def test_an_estimate_from_activities_is_no_ensemble_of_dynamics(network):
    how = {"method": "posterior", "fitted": "activity", "carrier": "activity", "samples": 200}
    first, second = network_methods(replace(network, spec=None, fields=None, how=how))
    assert "[liao2003network, arrieta2015subtilis]" in first
    assert "200 samples at rest" in first
    assert "Adam" not in first
    assert "logistic regression" in second
    assert "Gibbs" not in second


def test_a_pruned_field_is_told_by_its_setting_and_what_was_tuned():
    fields = jax.tree.map(lambda leaf: leaf[None], PhoenixSpec(4).init(jax.random.key(0), 3))
    how = {"method": "dash", "lambda_1": 0.5, "lambda_2": 0.1, "epochs": 9, "selected_epoch": 8, "sparsity": 0.9,
           "validation_error": 0.01}  # fmt: skip
    network = Network(("A", "B", "C"), as_given(3), make_prior(np.eye(3)), None, PhoenixSpec(4), fields, how=how)
    tried = pd.DataFrame({"lambda_1": [0.5, 0.05], "lambda_2": [0.1, 0.1], "strength": np.nan, "chosen": [True, False]})
    first, second = network_methods(network, tried)
    assert "4 hidden units" in first
    assert "made sparse by dash [hossain2024dash]" in first
    assert "(λ = 0.5 and 0.1)" in first
    assert "Among 2 settings, λ = 0.5, 0.1 was chosen" in first
    assert "epoch 8" in second
    assert "90.0 % of its weights" in second


def test_citations_are_numbered_in_order_and_listed_once(tmp_path):
    write_methods(
        tmp_path, ["One [tanaka2020synflow], two [liu2020dst, tanaka2020synflow].", "Three [liu2020dst] [mine]."]
    )
    text = (tmp_path / "methods.md").read_text()
    assert "One [1], two [2, 1]." in text
    assert "Three [2] [mine]." in text
    listed = re.findall(r"^(\d+)\. (\w+)", text, flags=re.M)
    assert listed == [("1", "Tanaka"), ("2", "Liu")]
    keys = re.findall(r"^@\w+\{(\w+),", (tmp_path / "references.bib").read_text(), flags=re.M)
    assert keys == ["tanaka2020synflow", "liu2020dst"]


def test_what_is_cited_is_known_and_every_entry_is_whole():
    assert {key for keys in CITED.values() for key in keys} <= set(REFERENCES)
    assert set(CITED) <= set(METHODS) | set(RIVALS)
    assert cited_by("l0_released") == CITED["l0"]
    assert cited_by("posterior (series only)") == CITED["posterior"]
    assert cited_by("degree") == ()
    text = to_bibtex(list(REFERENCES))
    assert text.count("@") == len(REFERENCES)
    assert text.count("{") == text.count("}")
    assert (
        "journal = {Genome Biology},\n  volume = {25},\n  pages = {127},\n  doi = {10.1186/s13059-024-03264-0}" in text
    )


def test_a_sweep_tells_its_methods_settings_and_lost_runs():
    row = {"lambda_1": 0.05, "lambda_2": 0.01, "strength": None, "n_runs": 3, "n_diverged": 0, "aupr": {"mean": 0.5}}
    rows = [row | {"method": "dash"}, row | {"method": "dash", "lambda_1": 0.5, "n_diverged": 1},
            row | {"method": "posterior", "strength": 0.1}, row | {"method": "prior_only"}]  # fmt: skip
    first, second = sweep_methods("10 genes", rows, [20, 40], 3)
    assert "dash [hossain2024dash] (λ = 0.05 and 0.01; λ = 0.5 and 0.01)" in first
    assert "posterior [hossain2024dash, george1993gibbs] (strength 0.1, 3 members)" in first
    assert "3 seeds for 20 or 40 epochs" in first
    assert "9 runs" in second
    assert "1 run diverged and is left out" in second


def test_a_comparison_tells_its_networks_priors_and_rivals():
    rows = pd.DataFrame(
        {"problem": ["a", "a", "b"], "group": "DREAM4 size 10", "method": ["genie3", "posterior", "prior_only"],
         "corruption": [np.nan, 0.2, 0.2], "own_prior": False, "epochs": [np.nan, 60, np.nan], "seed": 0}
    )  # fmt: skip
    first, second = comparison_methods(rows)
    assert "2 networks of DREAM4 [marbach2010dream]" in first
    assert "genie3 [huynhthu2010genie3], posterior [" in first
    assert "(none, 20% misplaced)" in first
    assert "60 epochs" in first
    assert "BEELINE" not in second


def test_the_citation_file_is_of_this_version():
    told = yaml.safe_load((Path(__file__).parents[2] / "CITATION.cff").read_text())
    assert told["version"] == dashjax.__version__
    assert {"title", "authors", "message", "cff-version"} <= set(told)
