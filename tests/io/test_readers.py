import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashjax import InputError, Phoenix, generate_system
from dashjax.io import (
    load_model,
    read_expression,
    read_phoenix,
    read_prior,
    read_system,
    save_model,
    write_phoenix,
    write_system,
)

GENES = ("A", "B", "C")


def write(folder, text, name="file.csv"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


PHOENIX = "2,2,\n0.1,0.2,0.3\n0.4,0.5,0.6\n0,1,2\n1,2,\n3,4,\n0,5,\n"
TIDY = "trajectory,time,A,B\nx,0,0.1,0.2\nx,1,0.3,0.4\ny,0,0.5,0.6\ny,2,0.7,0.8\n"


def test_phoenix_csv_is_read_with_its_padding(tmp_path):
    data = read_expression(write(tmp_path, PHOENIX))
    assert data.genes == ("G1", "G2")
    np.testing.assert_array_equal(data.trajectories.observed, [[1, 1, 1], [1, 1, 0]])
    np.testing.assert_allclose(data.trajectories.expression[0], [[0.1, 0.4], [0.2, 0.5], [0.3, 0.6]])
    np.testing.assert_allclose(data.trajectories.times[1, :2], [0, 5])


def test_phoenix_csv_round_trip_is_exact(tmp_path):
    rng = np.random.default_rng(0)
    times = [np.array([0.0, 1.5, 2.25]), np.array([0.0, 1 / 3])]
    expression = [rng.normal(size=(3, 4)), rng.normal(size=(2, 4))]
    write_phoenix(tmp_path / "t.csv", times, expression)
    read = read_phoenix(tmp_path / "t.csv")
    for ours, theirs in zip(read, (times, expression), strict=True):
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(a, b)


def test_tidy_table_is_read_in_any_layout(tmp_path):
    data = read_expression(write(tmp_path, TIDY))
    assert data.genes == ("A", "B")
    np.testing.assert_allclose(data.trajectories.expression[1], [[0.5, 0.6], [0.7, 0.8]])
    bom = read_expression(write(tmp_path, "\ufeff" + TIDY.replace(",", "\t").replace("\n", "\r\n"), "t.tsv"))
    np.testing.assert_array_equal(bom.trajectories.expression, data.trajectories.expression)


def test_gene_names_come_from_a_file(tmp_path):
    path = write(tmp_path, PHOENIX)
    assert read_expression(path, write(tmp_path, '"x"\n"P_input"\n"Q"\n', "n.csv")).genes == ("P", "Q")
    with pytest.raises(InputError, match=r"n.csv: 1 gene names, but .* has 2 genes"):
        read_expression(path, write(tmp_path, "x\nP\n", "n.csv"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("hello\n", "row 1: expected a header"),
        ("2,2\n1,2\n", "need 7 rows, the file has 2"),
        ("0,1\n", "0 genes"),
        (PHOENIX.replace("0.5", "five"), "row 3, column 2: expected a number, found 'five'"),
        (PHOENIX.replace("0.5", ""), "row 3, column 2: the value is missing"),
        (PHOENIX.replace("0.5", "nan"), "row 3, column 2: the value is missing"),
        (PHOENIX.replace("0.5", "1e999"), "row 3, column 2: expected a number"),
        (PHOENIX.replace("0,1,2", "0,2,1"), "row 4, column 3: time 1 comes after a later time"),
        (PHOENIX.replace("0,1,2", "0,1,1"), "row 4, column 3: time 1 appears twice"),
        (PHOENIX.replace("0,5,", "0,,5"), "row 7: times must be numbers followed by padding"),
        (PHOENIX.replace("3,4,", "3,4,5"), "row 6: more values than times"),
        (TIDY.replace("0.4", "x"), "row 3, column B: expected a number, found 'x'"),
        (TIDY.replace("0.4", "NaN"), "row 3, column B: the value is missing"),
        (TIDY.replace("x,1", "x,0"), "row 3, column time: 0 appears twice in trajectory 'x'"),
        (TIDY.replace("y,2", "y,-2"), "row 5, column time: -2 comes after a later time in trajectory 'y'"),
        (TIDY.replace("A,B", "A,A"), "gene 'A' appears twice"),
        (TIDY.replace("0.3,0.4", "0.3"), "row 3: 3 columns, the header has 4"),
        ("trajectory,time\nx,0\n", "no gene columns"),
        ("trajectory,time,A\nx,0,1\n", "at least two observation times"),
    ],
)
def test_bad_expression_names_file_row_and_column(tmp_path, text, message):
    path = write(tmp_path, text)
    with pytest.raises(InputError, match=message) as caught:
        read_expression(path)
    assert "file.csv" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_missing_and_binary_files_are_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_expression(tmp_path / "absent.csv")
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not UTF-8"):
        read_expression(tmp_path / "b.csv")
    with pytest.raises(InputError, match="cannot be read"):
        read_expression(tmp_path)


@settings(deadline=None, max_examples=200)
@given(st.integers(0, 200), st.text(alphabet='0123456789.,-eE\n\t "NaxG;', max_size=6), st.booleans())
def test_mutated_expression_is_read_or_refused_in_one_line(tmp_path_factory, position, insert, tidy):
    text = TIDY if tidy else PHOENIX
    position %= len(text)
    path = write(tmp_path_factory.mktemp("m"), text[:position] + insert + text[position + 1 :])
    try:
        assert np.isfinite(read_expression(path).trajectories.expression).all()
    except InputError as error:
        assert len(str(error).splitlines()) == 1  # noqa: PT017


EXPECTED = np.array([[0, 1, 0], [0, 0, -0.5], [0, 0, 0]])


@pytest.mark.parametrize(
    "text",
    [
        "source,target,weight\nA,B,1\nB,C,-0.5\n",
        "target\tsource\tweight\nB\tA\t1\nC\tB\t-0.5\n",
        "0,1,0\n0,0,-0.5\n0,0,0\n",
        ",C,B\nA,0,1\nB,-0.5,0\n",
        "regulator,B,C\nB,0,-0.5\nA,1,0\n",
    ],
)
def test_priors_of_every_layout_agree(tmp_path, text):
    np.testing.assert_array_equal(read_prior(write(tmp_path, text), GENES), EXPECTED)


def test_edges_without_weight_count_one(tmp_path):
    prior = read_prior(write(tmp_path, "source,target\nA,B\n"), GENES)
    assert prior[0, 1] == 1
    assert prior.sum() == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("source,target\nA,Z\nQ,B\n", r"2 of 4 genes are not in the expression \(Z, Q\); --match intersect"),
        ("source,target\na,B\n", "1 differ only in case .'a' is 'A' there"),
        ("source,target\nX,Y\n", "2 of 2 genes are not in the expression"),
        ("source,target\nA,B\nA,B\n", "row 3: the edge A → B appears twice"),
        ("source,target,weight\nA,B,high\n", "row 2, column weight: expected a number, found 'high'"),
        ("source,target,weight\nA,B,\n", "row 2, column weight: the value is missing"),
        ("source,target,weight\nA,B\n", "row 2: 2 columns, the header has 3"),
        ("0,1\n0,0\n", "2 rows, but the expression has 3 genes"),
        ("0,1,0\n0,0\n0,0,0\n", "row 2: 2 values, expected 3"),
        ("0,1,0\n0,nan,1\n0,0,0\n", "row 2, column 2: the value is missing"),
        ("gene\nA\n", "row 1: expected an edge table"),
        ("source,target,weight\nA,B,0\n", "no edge with a weight other than zero"),
        ("g,B,B\nA,0,1\n", "target 'B' appears twice"),
    ],
)
def test_bad_priors_name_file_and_place(tmp_path, text, message):
    with pytest.raises(InputError, match=message) as caught:
        read_prior(write(tmp_path, text), GENES)
    assert "file.csv" in str(caught.value)


def test_unmatched_genes_can_be_left_out(tmp_path):
    prior = read_prior(write(tmp_path, "source,target\nA,Z\nA,B\n"), GENES, "intersect")
    assert prior.sum() == 1


def test_systems_round_trip_through_the_published_format(tmp_path):
    system = generate_system(20, 3)
    write_system(tmp_path / "s.csv", system)
    again = read_system(tmp_path / "s.csv")
    assert again.equations == system.equations
    np.testing.assert_array_equal(again.truth, system.truth)
    names = write(tmp_path, "x\n" + "\n".join(reversed(system.genes)) + "\n", "n.csv")
    np.testing.assert_array_equal(read_system(tmp_path / "s.csv", names).truth, system.truth[::-1, ::-1])


@pytest.mark.parametrize(
    ("equations", "names", "message"),
    [
        ("a,b\n1,2\n", None, "row 1: expected columns node and eqn"),
        ('node,eqn\nA,"input gene"\nB,"exec(1)"\n', None, r"row 3 \(B\): unknown function 'exec'"),
        ("node,eqn\nA,input gene\nA,input gene\n", None, "row 3: gene 'A' appears twice"),
        ("node,eqn\nA B,input gene\n", None, "row 2, column node: 'A B' is not a gene name"),
        ("node,eqn\nA,input gene\n", "x\nA\nB\n", "1 of its genes have no equation .B."),
        ("node,eqn\nA,input gene\nB,-B\n", "x\nA_input\nB_input\n", "'B' is an input in .*n.csv, but its equation"),
    ],
)
def test_bad_systems_name_file_and_row(tmp_path, equations, names, message):
    path = write(tmp_path, equations)
    with pytest.raises(InputError, match=message):
        read_system(path, None if names is None else write(tmp_path, names, "n.csv"))


def test_models_round_trip_and_damage_is_named(tmp_path):
    import jax

    field = Phoenix.init(jax.random.key(0), 5, 2)
    save_model(tmp_path / "m.npz", field, ["a", "b", "c", "d", "e"])
    again, genes = load_model(tmp_path / "m.npz")
    assert genes == ("a", "b", "c", "d", "e")
    jax.tree.map(np.testing.assert_array_equal, field, again)
    whole = (tmp_path / "m.npz").read_bytes()
    (tmp_path / "m.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="not a dashjax model"):
        load_model(tmp_path / "m.npz")
    with pytest.raises(InputError, match="no such file"):
        load_model(tmp_path / "absent.npz")


@pytest.mark.data
def test_published_files_are_read(data_folder):
    names = data_folder / "sim/gene_names_350.csv"
    data = read_expression(data_folder / "sim/simu_350genes_10samples_for_testing.csv", names)
    assert data.trajectories.expression.shape == (10, 5, 350)
    for noise, edges in (("0.0", 550), ("0.05", 550)):
        prior = read_prior(data_folder / f"sim/edge_prior_matrix_simu_350_noise_{noise}.csv", data.genes)
        assert (prior != 0).sum() == edges
    yeast = read_expression(data_folder / "yeast/pramila_500genes_1sample_24T.csv")
    assert yeast.trajectories.expression.shape == (1, 24, 500)
