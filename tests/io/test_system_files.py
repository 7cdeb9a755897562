import numpy as np
import pytest

from dashjax import InputError, generate_system
from dashjax.io import read_system, write_system


def write(folder, text, name="file.csv"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


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
