"""What a page holds: data that come back as they were, names that stay text, and no more than a page may weigh."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dashjax import make_prior, plot, report
from dashjax.cli import sweeping
from dashjax.compare.comparison_page import matrix_of
from dashjax.data import no_prior
from dashjax.io.provenance import describe_call
from dashjax.plot.of_networks import effect_map
from dashjax.plot.style import marker
from dashjax.questions import responders
from dashjax.report import network_page, write_network
from dashjax.report.biology import influence_figure
from dashjax.report.figure_files import to_png
from dashjax.report.network_page import made_facts
from dashjax.report.page import Section, numbers, render_page, sentences, static_table, table_view, to_json

MIB = 2**20


class Elements(HTMLParser):
    """Every element with its attributes, scripts with their content."""

    def __init__(self, page):
        super().__init__()
        self.found, self.scripts, self.text = [], [], ""
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_data(self, text):
        if self.found and self.found[-1][0] == "script" and len(self.scripts) < self.count("script"):
            self.scripts.append((self.found[-1][1], text))
        else:
            self.text += text

    def count(self, tag):
        return sum(name == tag for name, _ in self.found)


def data_of(page):
    return json.loads(next(text for given, text in Elements(page).scripts if given.get("id") == "data"))


def values_of(table, name):
    column = next(column for column in table["columns"] if column["id"] == name)
    return [column["words"][at] for at in column["at"]] if "words" in column else column["values"]


@pytest.mark.parametrize("path", ["fit/report.html", "asked/response.html", "asked/influence.html"])
def test_no_name_becomes_markup(folder, path):
    page = (folder / path).read_text(encoding="utf-8")
    elements = Elements(page)
    assert elements.count("script") == (3 if path.startswith("fit") else 2)
    assert not any(name.startswith("on") for _, given in elements.found for name in given)
    assert all(given.get("src", "data:image/png").startswith("data:image/png") for _, given in elements.found)
    assert not any("href" in given and not given["href"].startswith("#") for _, given in elements.found)
    assert {tag for tag, _ in elements.found if tag in ("b", "frac", "more", "prior")} <= {"b"}
    assert "long" * 101 not in re.sub(r"<script.*?</script>", "", page, flags=re.S)


def test_scripts_are_those_that_the_policy_names_and_no_others(folder):
    page = (folder / "fit/report.html").read_text(encoding="utf-8")
    elements = Elements(page)
    policy = next(given["content"] for tag, given in elements.found if given.get("http-equiv"))
    assert "default-src 'none'" in policy
    run = [text for given, text in elements.scripts if "type" not in given]
    sums = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in run]
    assert re.findall(r"'sha256-([^']*)'", policy) == sums
    assert "unsafe-inline" not in policy.split("script-src")[1].split(";")[0]


def test_edges_come_back_as_they_were(folder, hostile):
    network, _ = hostile
    table = data_of((folder / "fit/report.html").read_text(encoding="utf-8"))["tables"]["edges"]
    edges = network.edges
    assert values_of(table, "source") == list(edges["source"])
    assert values_of(table, "target") == list(edges["target"])
    for name in ("probability", "effect", "effect_low", "effect_high", "frequency"):
        np.testing.assert_allclose(values_of(table, name), edges[name], rtol=1e-3)
    assert values_of(table, "in_prior") == edges["in_prior"].astype(int).tolist()
    assert sum(values_of(table, "in_prior")) == 10


def test_courses_hold_observations_and_the_range_of_the_members(folder, hostile):
    network, observed = hostile
    courses = data_of((folder / "fit/report.html").read_text(encoding="utf-8"))["courses"]["courses"]
    assert sorted(courses["genes"]) == sorted(network.genes)
    assert [run["name"] for run in courses["trajectories"]] == list(observed.names)
    path, seen = courses["trajectories"][0]["layers"]
    gene = network.genes.index(courses["genes"][3])
    expected = np.asarray(observed.trajectories.expression[0, :, gene])
    np.testing.assert_allclose(seen["values"][3], expected, rtol=1e-3)
    missing = courses["genes"].index(network.genes[0])
    assert [value is None for value in seen["values"][missing]] == [False, True, False, False, False]
    # The path is that of `predict`, and lies between the members'.
    predicted = network.predict([0.0, 4.0], np.asarray(observed.trajectories.expression[:1, 0])).iloc[1, 2 + gene]
    assert path["values"][3][-1] == pytest.approx(predicted, rel=0.01)
    assert (np.array(path["low"][3]) <= np.array(path["values"][3])).all()
    assert np.array(path["high"][3])[-1] > np.array(path["low"][3])[-1]


def test_the_page_says_what_the_data_add_and_what_the_checks_found(folder, hostile):
    network, observed = hostile
    text = (folder / "fit/report.html").read_text(encoding="utf-8")
    assert "edges that were hidden from the fit were found again" in text
    assert "&lt;b&gt;few&lt;/b&gt; steps" in text
    less = network_page("x", replace(network, how={**network.how, "hidden_gain": 0.5}), observed)
    assert "The data add nothing to the prior that can be told" in less
    assert text.count("<noscript>") > 3
    # Highest probabilities first: of those from .9 to 1 there are as many as the last bin has.
    rows = text.split("hidden prior edges bear the probabilities out")[1].split("<tbody>")[1].split("</tbody>")[0]
    cells = [re.findall(r"<td[^>]*>([^<]*)", row) for row in rows.split("</tr>")]
    assert cells[0] == ["0.9 to 1", "1,005", "8.2", "7"]
    assert cells[5] == ["0 to 0.05", "1,000", "3.2", "2"]
    earlier = {name: value for name, value in network.how.items() if not name.startswith("hidden_pairs")}
    assert "bear the probabilities out" not in network_page("x", replace(network, how=earlier), observed)
    without = network_page("x", replace(network, fields=None), None)
    assert "How do genes change" not in without
    assert "knock out" not in without


def test_without_a_sure_edge_no_knock_out_is_drawn_and_few_prior_edges_are_counted(hostile):
    network, observed = hostile
    unsure = {name: value for name, value in network.how.items() if not name.startswith("hidden_")}
    page = network_page("x", replace(network, precision=1.0, how=unsure), observed)
    assert "No edge is sure enough to be returned" in page
    assert '"knockouts"' not in page
    assert f"there are {network.prior.n_edges} prior edges, and to hide some and ask for them again takes 40" in page
    # Of forty edges or more, other reasons are left.
    full = replace(
        network, prior=make_prior(np.ones((len(network.genes),) * 2) - np.eye(len(network.genes))), how=unsure
    )
    assert "too few of its edges, or of too few regulators" in network_page("x", full, observed)


def test_sentences_begin_with_a_capital_and_file_names_as_they_are():
    said = sentences([("note", "returned: 2 edges"), ("note", "cells.h5ad: raw counts"), ("warning", "few steps")]).html
    assert re.findall(r"<li[^>]*>([^<]*)", said) == ["Returned: 2 edges", "cells.h5ad: raw counts", "Few steps"]


def test_a_missing_text_is_a_dash_in_a_table():
    table = pd.DataFrame({"fitted": pd.array(["dash", None, "dash"], dtype="string"), "n": [1.0, 2.0, 3.0]})
    view = table_view("runs", table, {"fitted": "fitted", "n": "n"}, "runs")
    column = view.data["tables"]["runs"]["columns"][0]
    assert [column["words"][place] for place in column["at"]] == ["dash", "–", "dash"]


def test_a_page_is_the_same_each_time_and_shows_what_the_run_recorded(hostile, tmp_path):
    network, observed = hostile
    (tmp_path / "a.csv").write_text("abc")
    made = describe_call("dashjax fit", {"seed": 3}, [tmp_path / "a.csv"])
    record = {"command": ["fit", "<x>"], "folder": "there", "findings": ["told elsewhere"], **made}
    first, second = (network_page("x", network, observed, record=record) for _ in range(2))
    assert first == second
    assert "dashjax fit &#x27;&lt;x&gt;&#x27;" in first
    assert hashlib.sha256(b"abc").hexdigest() in first
    assert made_facts(made, {"status": "finished", "hidden_gain": 5.0})["status"] == "finished"
    assert "hidden gain" not in made_facts(made, {"hidden_gain": 5.0})
    assert made_facts({"seed": 1})["seed"] == "1"


def test_a_page_of_a_thousand_genes_and_five_thousand_edges_is_small(ring):
    names = [f"gene{number:04}" for number in range(1000)]
    network, observed = ring(names, trajectories=20, times=10)
    mixture = network.posterior.posterior
    probability = np.asarray(mixture.probability).copy()
    drawn = np.random.default_rng(0)
    probability[drawn.integers(0, 1000, 4000), drawn.integers(0, 1000, 4000)] = drawn.uniform(0.5, 1, 4000)
    mixture = replace(mixture, probability=probability, effect=drawn.normal(size=probability.shape))
    network = replace(network, posterior=replace(network.posterior, posterior=mixture), fields=None)
    assert len(network.edges) > 4900
    figure = to_png(effect_map(network.scores, names).figure)
    page = network_page("x", network, observed, figures={"effects": figure})
    assert len(page.encode()) < 3 * MIB
    assert len(data_of(page)["courses"]["courses"]["genes"]) == 300


def test_json_holds_no_tag_and_no_number_that_json_lacks():
    text = to_json({"</script>": "<!--&"})
    assert not set("<>&") & set(text)
    assert json.loads(text) == {"</script>": "<!--&"}
    assert numbers([1.23456, 2.0, np.nan, np.inf, 1e-9, 123456.0]) == [1.235, 2, None, None, 1e-9, 123456]


def test_sections_without_parts_are_left_out_and_pages_without_views_need_no_script():
    table = static_table(["a", "b"], [["<x>", "1"], ["prior_only", "2"]], best={(0, 1)})
    page = render_page("t", "s", [Section("nothing", []), Section("one & only", [table])])
    assert "nothing" not in page
    assert "<script" not in page
    assert '<td class="best">1</td>' in page
    assert "<tr class=prior>" in page
    assert "&lt;x&gt;" in page


def test_figures_take_any_name(hostile, hostile_names):
    network, _ = hostile
    # Two signs of the dollar would be read as mathematics, which these are not.
    assert to_png(effect_map(network.scores, network.genes).figure).startswith(b"\x89PNG")
    count = len(hostile_names)
    table = pd.DataFrame({"gene": hostile_names, "influence": np.arange(count)[::-1] / 10, "standard_error": 0.01,
                          "out_degree": 1, "total_effect": 1.0})  # fmt: skip
    assert to_png(influence_figure(table)).startswith(b"\x89PNG")
    figure = effect_map(network.scores, network.genes).figure
    axes, bar = figure.axes
    assert bar.get_ylabel() == "relative effect"
    assert len(axes.get_xticklabels()) > 10


def test_influence_without_edges_still_shows_who_has_it():
    table = pd.DataFrame({"gene": ["A", "B"], "influence": [0.2, 0.0], "standard_error": np.nan,
                          "out_degree": 0, "total_effect": 0.0})  # fmt: skip
    (axes,) = influence_figure(table).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["A"]
    (axes,) = influence_figure(table.assign(influence=0.0)).axes
    assert "no gene influences another" in [text.get_text() for text in axes.texts]


def test_only_genes_that_respond_have_bars():
    table = pd.DataFrame({"gene": list("ABCD"), "relation": ["perturbed", "direct", "downstream", "unconnected"],
                          "response": [-1.0, 0.5, 0.001, 0.0], "spread": 0.0, "unperturbed": 1.0})  # fmt: skip
    assert list(responders(table)["gene"]) == ["B"]
    axes = plot.response(table, title="A $x$ out")
    assert [label.get_text() for label in axes.get_yticklabels()] == ["B"]
    assert not len(responders(table.assign(response=1e-9)))


def test_methods_of_one_figure_differ_in_shape():
    names = ["dense", "imp", "dash", "posterior"]
    assert len({marker(name, names) for name in names}) == 4
    assert marker("dash_x") == "x"


def test_the_matrix_of_a_comparison_marks_the_best_of_each_column():
    rows = [
        ("ridge", "a", 0.4),
        ("dash", "a", 0.6),
        ("prior_only", "a", 0.9),
        ("ridge", "b", 0.3),
        ("dash", "b", np.nan),
    ]
    means = pd.DataFrame(rows, columns=["method", "group", "aupr"]).assign(
        own_prior=False, corruption=np.nan, chance=0.1
    )
    headings, cells, best = matrix_of(means)
    assert headings == ["method", "a, no prior", "b, no prior"]
    assert [row[0] for row in cells] == ["ridge", "dash", "prior_only", "chance"]
    assert cells[1] == ["dash", "0.600", "–"]
    # What has no say in the data is never the best.
    assert best == {(1, 1), (0, 2)}


def test_libraries_are_those_that_were_checked():
    folder = Path(report.__file__).parent / "assets"
    told = re.findall(r"^([0-9a-f]{64})  (\S+)$", (folder / "README.md").read_text(), re.MULTILINE)
    assert [name for _, name in told] == ["cytoscape.min.js"]
    for digest, name in told:
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


def test_the_page_of_a_fitted_network_is_made_anew_with_what_was_observed(ring, tmp_path, dashjax):
    names = list("ABCDEF")
    network, observed = ring(names)
    write_network(tmp_path / "fit", network)
    assert "How do genes change" not in (tmp_path / "fit" / "report.html").read_text()
    levels = np.asarray(observed.trajectories.expression)
    rows = [[f"run {row}", time, *levels[row, time]] for row in range(3) for time in range(5)]
    table = pd.DataFrame(rows, columns=["trajectory", "time", *names])
    table[["trajectory", "time", *names[::-1]]].to_csv(tmp_path / "x.csv", index=False)
    code, text, err = dashjax("report", tmp_path / "fit", "--expression", tmp_path / "x.csv")
    assert code == 0, err
    assert str(tmp_path / "fit" / "report.html") in text
    courses = data_of((tmp_path / "fit" / "report.html").read_text())["courses"]["courses"]
    assert [run["name"] for run in courses["trajectories"]] == ["run 0", "run 1", "run 2"]
    gene = courses["genes"].index("B")
    np.testing.assert_allclose(courses["trajectories"][1]["layers"][1]["values"][gene], levels[1, :, 1], rtol=1e-3)
    # The same with genes in rows is the same page.
    page = (tmp_path / "fit" / "report.html").read_text()
    table.T.to_csv(tmp_path / "turned.csv", header=False)
    code, _, err = dashjax("report", tmp_path / "fit", "--expression", tmp_path / "turned.csv", "--transpose")
    assert code == 0, err
    assert (tmp_path / "fit" / "report.html").read_text() == page
    table.drop(columns="C").to_csv(tmp_path / "x.csv", index=False)
    code, _, err = dashjax("report", tmp_path / "fit", "--expression", tmp_path / "x.csv")
    assert (code, len(err.strip().splitlines())) == (2, 1)
    assert "x.csv: lacks gene 'C' of the network in" in err
    (tmp_path / "none").mkdir()
    code, _, err = dashjax("report", tmp_path / "none", "--expression", tmp_path / "x.csv")
    assert (code, "--expression: " in err) == (2, True)


def test_a_network_without_dynamics_probabilities_or_edges_has_a_page_too(ring):
    network, observed = ring(list("ABCDEF"))
    bare = replace(network, posterior=None, fields=None, spec=None, how={"method": "ridge"})
    scores = np.zeros((6, 6))
    scores[0, 1], scores[2, 3] = -0.5, 0.25
    page = network_page("x", replace(bare, ranking=scores), observed)
    data = data_of(page)
    assert data["network"] == {"strength": "score", "sign": "score"}
    assert values_of(data["tables"]["regulators"], "gene")[:2] == ["A", "C"]
    assert values_of(data["tables"]["regulators"], "represses")[:2] == [1, 0]
    assert [layer["label"] for layer in data["courses"]["courses"]["trajectories"][0]["layers"]] == ["observed"]
    assert "This method gives edges no probability" in page
    page = network_page("x", replace(bare, ranking=0 * scores, prior=no_prior(6)), observed)
    assert "The network has no edge to draw" in page
    assert "No gene regulates another" in page
    assert data_of(page)["courses"]["courses"]["edges"] is None


@pytest.mark.slow
def test_the_quickstart_ends_with_the_network_that_it_found(tmp_path, dashjax, monkeypatch):
    small = {
        "system": {"kind": "simulated", "genes": 6, "seed": 0},
        "trajectories": {"train": 4, "validation": 1, "test": 1, "times": [0, 1, 3]},
        "methods": [{"name": "posterior", "epochs": 2}],
        "seeds": 1,
        "epochs": 2,
    }
    monkeypatch.setattr(sweeping, "QUICKSTART", small)
    code, text, err = dashjax("quickstart", "--out", tmp_path / "o")
    assert code == 0, err
    assert "The network that posterior found, " in text.splitlines()[-1]
    assert text.splitlines()[-1].endswith(str(tmp_path / "o" / "network" / "report.html"))
    courses = data_of((tmp_path / "o" / "network" / "report.html").read_text())["courses"]["courses"]
    assert len(courses["trajectories"]) == 5
    sweep = data_of((tmp_path / "o" / "report.html").read_text())
    assert sweep["scatter"]["pareto"]["groups"] == ["posterior"]
    # The prior alone is drawn wherever it has a score.
    lines = {one["id"]: one["lines"] for one in sweep["scatter"]["pareto"]["y"]}
    assert lines["aupr"][0]["label"] == "prior only"
    assert lines["test_mse"] == []
    assert sorted(set(values_of(sweep["tables"]["runs"], "method"))) == ["posterior", "prior_only"]
