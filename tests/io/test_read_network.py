import numpy as np
import pandas as pd
import pytest

from dashjax import InputError
from dashjax.io import align_network, read_network, read_prior, read_regulators, read_similarity
from dashjax.io.name_hints import name_hints

GENES = ("A", "B", "C")


def write(folder, text, name="file.csv"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


EXPECTED = np.array([[0, 1, 0], [0, 0, -0.5], [0, 0, 0]])


@pytest.mark.parametrize(
    "text",
    [
        "source,target,weight\nA,B,1\nB,C,-0.5\n",
        "target\tsource\tweight\nB\tA\t1\nC\tB\t-0.5\n",
        "0,1,0\n0,0,-0.5\n0,0,0\n",
        ",C,B\nA,0,1\nB,-0.5,0\n",
        "regulator,B,C\nB,0,-0.5\nA,1,0\n",
        "A\tB\t1\nB\tC\t-0.5\nC\tA\t0\n",
        "TF;target;importance;sign\nA;B;1;activation\nB;C;0.5;-\n",
        "Gene1,Gene2,weight,Type\nA,B,1,+\nB,C,0.5,inhibition\nB,C,0.5,-\n",
        "1,2,1\n2,3,-0.5\n",
        "i,j,x\n1,2,1\n2,3,-0.5\n1,3,0\n",
        "%%MatrixMarket matrix coordinate real general\n% made by hand\n3 3 2\n1 2 1.0\n2 3 -0.5\n",
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
        ("source,target\nA,Z\nQ,B\n", r"2 of its 4 genes are not in the expression \(Z, Q\); match='intersect'"),
        ("source,target\na,B\n", "1 differ only in case .'a' is 'A' there"),
        ("source,target\nX,Y\n", "2 of its 2 genes are not in the expression"),
        ("source,target,weight\nA,B,1\nA,B,2\n", "row 3: the edge A → B appears twice, with weights 1 and 2"),
        ("source,target,weight\nA,B,high\n", "row 2, column weight: expected a number, found 'high'"),
        ("source,target,weight\nA,B,\n", "row 2, column weight: the value is missing"),
        ("source,target,weight\nA,B\n", "row 2: 2 columns, the header has 3"),
        ("0,1\n0,0\n", "2 rows, but the expression has 3 genes"),
        ("0,1,0\n0,0\n0,0,0\n", "row 2: 2 values, expected 3"),
        ("0,1,0\n0,nan,1\n0,0,0\n", "row 2, column 2: the value is missing"),
        ("gene\nA\n", "row 1: expected an edge table"),
        (",B,C\nA,0,1\nB,x,0\n", "row 3, column B: expected a number, found 'x'"),
        (",B,C\nA,0,\n", "row 2, column C: the value is missing"),
        ("source,target,weight\nA,B,0\n", "no edge with a weight other than zero"),
        ("g,B,B\nA,0,1\n", "target 'B' appears twice"),
    ],
)
def test_bad_priors_name_file_and_place(tmp_path, text, message):
    with pytest.raises(InputError, match=message) as caught:
        read_prior(write(tmp_path, text), GENES)
    assert "file.csv" in str(caught.value)


def test_grades_of_confidence_are_weights_where_all_are_such(tmp_path):
    text = "TF,target,confidence,mode\nA,B,A,Activation\nA,C,C,repression\nB,C,D,\n"
    np.testing.assert_allclose(read_prior(write(tmp_path, text), GENES), [[0, 1, -1 / 3], [0, 0, 1 / 4], [0, 0, 0]])
    with pytest.raises(InputError, match="row 2, column confidence: expected a number, found 'A'"):
        read_prior(write(tmp_path, text.replace("B,C,D", "B,C,0.5")), GENES)


def test_unmatched_genes_can_be_left_out(tmp_path):
    prior = read_prior(write(tmp_path, "source,target\nA,Z\nA,B\n"), GENES, "intersect")
    assert prior.sum() == 1


def test_parquet_and_gene_sets_are_read_as_edges(tmp_path):
    pd.DataFrame({"source": ["A", "B"], "target": ["B", "C"], "weight": [1.0, -0.5]}).to_parquet(tmp_path / "p.parquet")
    np.testing.assert_array_equal(read_prior(tmp_path / "p.parquet", GENES), EXPECTED)
    path = write(tmp_path, "A\tfrom ChIP\tB\tC\t\nB\t\tC\n", "sets.gmt")
    np.testing.assert_array_equal(read_prior(path, GENES), [[0, 1, 1], [0, 0, 1], [0, 0, 0]])


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ("source,target,sign\nA,B,sideways\n", "file.csv", "row 2, column sign: expected . or -, found 'sideways'"),
        ("source,target,weight,sign\nA,B,-1,+\n", "file.csv", "row 2, column sign: the sign is '.' and the weight -1"),
        ("source,target\n,B\n", "file.csv", "row 2, column source: no gene name"),
        ("1,2,1\n4,1,1\n", "file.csv", "row 2, column 1: expected a gene's number from 1 to 3, found '4'"),
        ("1,2,1\n0,1,1\n", "file.csv", "row 2, column 1: expected a gene's number from 1 to 3, found '0'"),
        ("A\tB\t1\nA\tB\n", "file.tsv", "row 2: 2 columns, the first row has 3"),
        ("A\tB\t1\nB\tC\tx\n", "file.tsv", "row 2, column 3: expected a number, found 'x'"),
        ("A\tabout\n", "file.gmt", "row 1: expected a name, a description and genes"),
        ("A\tx\tB\nA\tx\tC\n", "file.gmt", "row 2: gene set 'A' appears twice"),
        ("%%MatrixMarket matrix array real general\n3 3\n", "file.mtx", "row 1: only 'matrix coordinate real general'"),
        ("%%MatrixMarket matrix coordinate real general\n4 4 1\n1 1 1\n", "file.mtx", "row 2: a matrix of 4 × 4"),
    ],
)
def test_bad_networks_of_every_format_name_the_place(tmp_path, text, name, message):
    with pytest.raises(InputError, match=message):
        read_prior(write(tmp_path, text, name), GENES)


def test_numbers_that_are_names_win_over_numbers_that_count(tmp_path):
    path = write(tmp_path, "7157\t2\t1\n2\t7157\t1\n", "entrez.tsv")
    assert read_network(path, ("7157", "2")).regulators == ("7157", "2")
    assert read_network(path, GENES * 3000).regulators[1] == "B"


def test_a_first_column_without_a_name_holds_names_or_numbers_of_rows(tmp_path):
    matrix = read_network(write(tmp_path, ",7157,2\n7157,0,1\n2,-1,0\n"), ("7157", "2"))
    assert (matrix.regulators, matrix.targets) == (("7157", "2"), ("2", "7157"))
    np.testing.assert_array_equal(matrix.weights, [1, -1])
    edges = read_network(write(tmp_path, ",source,target,weight\n0,A,B,0.5\n1,B,C,1\n"))
    assert (edges.regulators, edges.targets) == (("A", "B"), ("B", "C"))


def test_many_numbers_at_once_are_what_each_is_alone(tmp_path):
    values = np.random.default_rng(0).normal(size=(40, 40)) * 10.0 ** np.arange(-20, 20)
    names = [f"G{n}" for n in range(40)]
    text = "\n".join(",".join(repr(float(value)) for value in row) for row in values)
    network = read_network(write(tmp_path, text), names)
    np.testing.assert_array_equal(network.weights.reshape(40, 40), values)
    assert network.regulators[:41] == ("G0",) * 40 + ("G1",)
    assert list(network.rows[39:41]) == [1, 2]


def test_genes_and_their_edges_keep_their_rows(tmp_path):
    network = read_network(write(tmp_path, "source,target\nA,B\nQ,A\n"))
    assert network.names == ("A", "B", "Q")
    assert list(network.rows) == [2, 3]
    np.testing.assert_array_equal(align_network(network, GENES, "intersect")[0], [0, 1, 0])


def test_protein_interactions_become_symmetric_similarity(tmp_path):
    path = write(tmp_path, "A\tB\t0.5\nB\tA\t0.5\nC\tB\t1\nX\tA\t1\n", "ppi.txt")
    similarity = read_similarity(path, GENES, "intersect")
    np.testing.assert_array_equal(similarity, [[1, 0.5, 0], [0.5, 1, 1], [0, 1, 1]])
    with pytest.raises(InputError, match="B – A has another weight than the other way round"):
        read_similarity(write(tmp_path, "A\tB\t0.5\nB\tA\t1\n", "ppi.txt"), GENES)
    with pytest.raises(InputError, match="A – B has a negative weight"):
        read_similarity(write(tmp_path, "A\tB\t-0.5\n", "ppi.txt"), GENES)


def test_regulators_are_matched_by_name(tmp_path):
    np.testing.assert_array_equal(read_regulators(write(tmp_path, "TF\nB\n"), GENES), [False, True, False])


@pytest.mark.parametrize(
    ("unknown", "genes", "hint"),
    [
        (["tp53"], ["TP53"], "1 differ only in case ('tp53' is 'TP53' there)"),
        (["ENSG00000141510"], ["ENSG00000141510.16"], "1 differ only in a version suffix"),
        (["HLA-A"], ["HLA.A"], "1 differ only in punctuation"),
        (["1-Mar"], ["TP53"], "1 look like symbols that a spreadsheet took for dates"),
        (["ENSG00000141510"], ["TP53"], "these are Ensembl ids, the expression has symbols"),
        (["YKL112W"], ["FBgn0000001"], "these are yeast systematic names, the expression has FlyBase ids"),
    ],
)
def test_names_that_do_not_match_are_explained(unknown, genes, hint):
    assert any(text.startswith(hint) for text in name_hints(unknown, genes))


@pytest.mark.data
def test_published_priors_are_read(data_folder):
    genes = [f"G{n}" for n in range(350)]
    for noise in ("0.0", "0.05"):
        prior = read_prior(data_folder / f"sim/edge_prior_matrix_simu_350_noise_{noise}.csv", genes)
        assert (prior != 0).sum() == 550
    motif = read_network(data_folder / "netzoo/ToyMotifData.txt")
    similarity = read_similarity(data_folder / "netzoo/ToyPPIData.txt", motif.names, "intersect")
    assert (similarity == similarity.T).all()
    gold = read_prior(
        data_folder / "dream4/DREAM4_GoldStandard_InSilico_Size10_1.tsv", [f"G{n + 1}" for n in range(10)]
    )
    assert (gold != 0).sum() == 15
    reference = read_network(data_folder / "beeline/mCAD/mCAD-2000-1/refNetwork.csv")
    assert (reference.weights < 0).sum() == 9
