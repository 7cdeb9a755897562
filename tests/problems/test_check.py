import numpy as np
import pytest

from dashjax import InputError, generate_system
from dashjax.io import read_network, read_tidy, write_table
from dashjax.networks import edge_list
from dashjax.problems import check_data, check_files, read_parts, verdict
from dashjax.problems.check import check_prior


def write(folder, text, name):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def texts(findings, level):
    return [finding.text for finding in findings if finding.level == level]


EXPRESSION = "trajectory,time,A,B,C\n" + "".join(f"{t},{n},{n + t},{n % 2},{t - n}\n" for t in (1, 2) for n in range(3))


@pytest.fixture
def expression(tmp_path):
    return write(tmp_path, EXPRESSION, "expression.csv")


def test_values_around_zero_are_no_levels(tmp_path):
    rng = np.random.default_rng(0)

    def warned(middle):
        rows = [f"t,{time},{a:.3f},{b:.3f}" for time, (a, b) in enumerate(middle + rng.normal(size=(20, 2)))]
        table = write(tmp_path, "trajectory,time,A,B\n" + "\n".join(rows) + "\n", f"{middle}.csv")
        return [text for text in check_files(table, []) if "below zero" in text.text]

    (finding,) = warned(0.0)
    assert finding.level == "warning"
    assert "zero then stands for an average" in finding.text
    assert not warned(3.0)


def test_sound_files_are_described_and_ready(tmp_path, expression):
    prior = write(tmp_path, "source,target,weight\nA,B,1\n", "p.csv")
    findings = check_files(expression, [prior])
    assert verdict(findings) == "ready to fit"
    assert [(finding.source, finding.text) for finding in findings] == [
        (str(expression), "3 genes, 2 trajectories of 3 times from 0 to 2, 1 apart"),
        (str(prior), "1 edges from 1 regulator to 1 targets of the expression, 16.67% of all pairs, unsigned"),
        (str(prior), "1 of 3 genes have no prior edge"),
    ]


def test_self_loops_signs_and_density_are_told(tmp_path, expression):
    findings = check_files(expression, [write(tmp_path, "source,target,sign\nA,B,+\nB,B,-\n", "p.csv")])
    assert "1 self loop" in texts(findings, "note")
    assert texts(findings, "warning") == ["states 33% of all pairs, so says little"]
    assert verdict(findings) == "can be fitted, but see 1 warning"


def test_constant_genes_counts_and_short_series_are_warned_of(tmp_path):
    rows = "".join(f"1,{n}," + ",".join(str(100 * n * (g > 0)) for g in range(30)) + "\n" for n in range(3))
    header = "trajectory,time," + ",".join(f"G{g}" for g in range(30)) + "\n"
    data = read_tidy(write(tmp_path, header + rows, "e.csv"))
    warnings = texts(check_data(data, []), "warning")
    assert warnings[0] == "1 gene never changes (G0)"
    assert warnings[1].startswith("values reach 200; counts")
    assert warnings[2].startswith("2 steps from one time to the next for 30 genes")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("source,target\nA,B\nQ,B\n", "1 of its 3 genes are not in the expression (Q)"),
        ("source,target\na,B\n", "1 differ only in case ('a' is 'A' there)"),
        ("source,target,weight\nA,B,1\nA,B,-1\n", "row 3: the edge A → B appears twice, with weights 1 and -1"),
    ],
)
def test_what_a_fit_would_refuse_is_an_error(tmp_path, expression, text, message):
    findings = check_files(expression, [write(tmp_path, text, "p.csv")])
    assert verdict(findings) == "cannot be fitted: 1 error"
    assert message in texts(findings, "error")[0]


def test_genes_left_out_and_repeated_edges_are_noted(tmp_path, expression):
    prior = write(tmp_path, "source,target\nA,B\nA,B\nA,Q\n", "p.csv")
    notes = texts(check_files(expression, [prior], match="intersect"), "note")
    assert "1 of its 3 genes are not in the expression and are left out (Q)" in notes
    assert "1 edge stands more than once" in notes
    joined = check_files(expression, [prior], match="union")
    assert "1 genes of the prior have no expression; they join without measurements" in texts(joined, "note")
    assert not texts(joined, "error")
    with pytest.raises(InputError, match="match: unknown value 'some'; valid: exact, intersect, union"):
        check_files(expression, [prior], match="some")


def test_weights_that_are_no_confidences_are_warned_of(tmp_path, expression):
    prior = read_network(write(tmp_path, "TF,target,importance\nA,B,37.5\n", "p.csv"))
    warnings = texts(check_prior(prior, "ABCDEFGH"), "warning")
    assert warnings == ["weights reach 37.5; they are confidences, and should lie in [−1, 1]"]


@pytest.mark.parametrize("seed", range(4))
def test_a_transposed_prior_is_told_from_one_the_right_way_round(tmp_path, seed):
    system = generate_system(100, seed)
    for name, network in (("right", system.truth), ("swapped", system.truth.T)):
        write_table(tmp_path / f"{name}.tsv", edge_list(np.asarray(network), system.genes))
    right, swapped = (check_prior(read_network(tmp_path / f"{n}.tsv"), system.genes) for n in ("right", "swapped"))
    assert not texts(right, "warning")
    assert "source and target may be swapped, or the matrix transposed" in texts(swapped, "warning")[0]


def test_a_matrix_without_names_goes_by_the_order_of_the_expressions_file(tmp_path):
    genes = ("ABCA10", "ABCA2", "B")  # by name, ABCA2 comes first
    rows = "".join(f"1,{n},{n},{2 * n},{3 * n}\n" for n in range(3))
    expression = write(tmp_path, f"trajectory,time,{','.join(genes)}\n{rows}", "e.csv")
    matrix = write(tmp_path, "0,0,1\n0,0,0\n0,0,0\n", "matrix.csv")
    triplets = write(tmp_path, "1,3,1\n", "triplets.csv")
    data, networks = read_parts(expression, [matrix, triplets])
    assert data.genes == ("ABCA2", "ABCA10", "B")
    assert [(n.regulators, n.targets) for n in networks] == [(("ABCA10",), ("B",))] * 2
