"""Odd commands: each is one line that names what is wrong, exit code 2, and leaves nothing behind.

The tables hold a command or a file's content in a line, and what the message must say; adding a case is adding a line.
"""

import gzip
import io
import os
import shlex
import shutil
import zipfile
from importlib import import_module

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from dashjax import Direct, DirectSpec, EdgePosterior, Network
from dashjax.data import as_given, no_prior
from dashjax.evidence import EnsemblePosterior
from dashjax.io.sealed import seal, write_arrays

GENES = ("A", "B", "C", "D")
#: Files that nothing is wrong with.
GOOD = {
    "e.csv": "trajectory,time,A,B,C,D\n" + "".join(f"{k},{t},{t},{t * k},{1 - t},{k}\n" for k in (1, 2) for t in (0, 1, 3)),
    "p.csv": "source,target,weight\nA,B,1\nB,C,-0.5\n",
    "sets.gmt": "ONE\tx\tA\tB\nTWO\tx\tC\tD\n",
    "done.csv": "trajectory,gene,kind,value\n1,A,knockout,\n",
    "rest.csv": "sample,A,B,C,D\nliver,1,2,3,4\nlung,2,3,4,5\n",
    "tfs.txt": "A\nB\n",
    "truth.csv": "source,target\nA,B\nB,C\n",
    "edges.tsv": "source\ttarget\tweight\nA\tB\t1\n",
    "grid.yaml": "system: {kind: simulated, genes: 10}\nmethods: [dash]\n",
    "eq.csv": 'node,eqn\nA,input gene\nB,"fAct(A, 0.3, 2) - B"\n',
    "names.csv": "gene\nA\nB\n",
    "init.csv": "2,1\n0,1\n0,1\n0,1\n",
    "i.tsv": "gene\tinfluence\nA\t1\nB\t2\nC\t3\nD\t4\n",
}  # fmt: skip


def zip_of(content):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def bomb():
    """A sealed archive whose header states a gigabyte of zeros."""
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "<f8", "fortran_order": False, "shape": (2**27,)})
    return seal(zip_of({"header.npy": head.getvalue() + bytes(1000)}))


def saved_network(folder):
    weight = jnp.zeros((2, 4, 4)).at[0, 1, 0].set(0.8).at[0, 2, 1].set(-0.6)
    half = jnp.full((1, 4), 0.5)
    probability, effect = np.zeros((2, 4, 4))
    probability[0, 1], effect[0, 1] = 0.95, 0.8
    mixture = EdgePosterior(probability, effect, 0 * effect, (effect >= 0) * 1.0, np.zeros(3), np.ones(4))
    posterior = EnsemblePosterior(mixture, probability, probability)
    field = Direct(weight[None], half, half, jnp.ones((1, 4)))
    network = Network(GENES, as_given(4), no_prior(4), spec=DirectSpec(), fields=field, posterior=posterior)
    folder.mkdir()
    network.save(folder / "model.npz")
    (folder / "edges.tsv").write_text("source\ttarget\tweight\nA\tB\t1\n")
    Network(GENES, as_given(4), no_prior(4), ranking=np.eye(4), how={"method": "genie3"}).save(folder / "ranked.npz")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder of files, sound and odd."""
    folder = tmp_path_factory.mktemp("odd")
    saved_network(folder / "fit")
    model = (folder / "fit" / "model.npz").read_bytes()
    for name, content in {
        **GOOD,
        **{name: content for table in TABLES for name, content, _ in table},
        "empty": b"",
        "blank": b" \n\n \n",
        "binary": bytes(range(256)) * 4,
        "latin.csv": "trajectory,time,Ä\n1,0,1\n1,1,2\n".encode("latin-1"),
        "utf16.csv": GOOD["e.csv"].encode("utf-16"),
        "cut.csv.gz": gzip.compress(GOOD["e.csv"].encode())[:-12],
        "bad.csv.gz": b"\x1f\x8b" + b"junk" * 20,
        "twice.csv.gz": gzip.compress(gzip.compress(GOOD["e.csv"].encode())),
        "text.parquet": GOOD["e.csv"].encode(),
        "text.xlsx": GOOD["e.csv"].encode(),
        "zip.xlsx": zip_of({"a.txt": b"x"}),
        "text.h5ad": GOOD["e.csv"].encode(),
        "empty.h5ad": b"",
        "not.npz": b"no archive",
        "foreign.npz": zip_of({"a.npy": b"x"}),
        "cut.npz": model[: len(model) // 2],
        "flipped.npz": bytes([*model[:100], model[100] ^ 1, *model[101:]]),
        "longer.npz": model + b"x",
        "bomb.npz": bomb(),
        "deep.yaml": b"[" * 5000,
        "deeper.yaml": b"a: " + b"{a: " * 3000 + b"1" + b"}" * 3000,
        "aliases.yaml": b"a: &a [x,x]\nb: &b [*a,*a]\nmethods: *b\n",
        "object.yaml": b"!!python/object/apply:os.system ['touch pwned']\n",
        "name with space.csv": b"trajectory,time,A\n1,0,1\n",
        "<b>bold[red].csv": b"trajectory,time,A\n1,0,1\n",
        "'quoted\".csv": b"trajectory,time,A\n1,0,1\n",
        "=1+1.csv": b"trajectory,time,A\n1,0,1\n",
        "名前.csv": b"trajectory,time,A\n1,0,1\n",
        "-dash.csv": b"trajectory,time,A\n1,0,1\n",
    }.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    write_arrays(folder / "headless.npz", {"a": np.zeros(2)})
    for name, header in {
        "listed.npz": "[]",
        "other.npz": '{"format": 99}',
        "nested.npz": "[" * 100_000,
        "many.npz": '{"format": 8, "genes": 7}',
    }.items():
        write_arrays(folder / name, {"header": np.array(header)})
    write_arrays(folder / "objects.npz", {"header": np.array([1.5, 2.5])})
    (folder / "folder").mkdir()
    for name, files in BEELINE.items():
        (folder / name).mkdir()
        for part, content in files.items():
            (folder / name / part).write_text(content)
    os.mkfifo(folder / "fifo")
    for suffix in ("parquet", "xlsx", "h5ad", "gmt", "npz", "yaml", "csv"):
        os.mkfifo(folder / f"fifo.{suffix}")
    (folder / "dangling.csv").symlink_to(folder / "nowhere")
    (folder / "loop.csv").symlink_to(folder / "loop.csv")
    (folder / "to-folder.csv").symlink_to(folder / "folder")
    (folder / "damaged-record").mkdir()
    (folder / "damaged-record" / "contents.json").write_text('{"fit": ' + "[" * 5000)
    (folder / "fifo-record").mkdir()
    os.mkfifo(folder / "fifo-record" / "contents.json")
    (folder / "foreign").mkdir()
    for name in (
        "edges.tsv",
        "influence.tsv",
        "pathways.tsv",
        "scores.tsv",
        "results.parquet",
        "table.md",
        "trajectories.csv",
    ):
        (folder / "foreign" / name).write_text("mine")
    for name, text in MANIFESTS.items():
        (folder / name).mkdir()
        (folder / name / "manifest.json").write_text(text)
    return folder


#: Expression: name, content, what `check` and `fit` say of it.
EXPRESSIONS = [
    ("x01.csv", "trajectory,time,A\n", "x01.csv: no observations below the header"),
    ("x02.csv", "trajectory,time\n1,0\n1,1\n", "x02.csv, row 1: no gene columns"),
    ("x03.csv", "trajectory,time,A\n1,0,1\n1,1\n", "x03.csv, row 3: 2 columns, the header has 3"),
    ("x04.csv", "trajectory,time,A\n1,0,1\n1,1,2,3\n", "x04.csv, row 3: 4 columns"),
    ("x05.csv", "trajectory,time,A\n1,0,1\n1,1,x\n", "x05.csv, row 3, column A: expected a number, found 'x'"),
    ("x06.csv", "trajectory,time,A\n1,0,1\n1,1,inf\n", "row 3, column A"),
    ("x07.csv", "trajectory,time,A\n1,0,1\n1,1,1e999\n", "row 3, column A"),
    ("x08.csv", "trajectory,time,A\n1,0,1\n1,1,1e300\n", "trajectory '1': expression of gene 'A' at time 1 is 1e+300"),
    ("x09.csv", "trajectory,time,A\n1,0,1\n1,1,1_000\n", "row 3, column A: expected a number, found '1_000'"),
    ("x10.csv", "trajectory,time,A\n1,0,1\n1,1,٣\n", "row 3, column A"),
    ("x11.csv", "trajectory,time,A\n1,0,1\n1,1,0x10\n", "row 3, column A"),
    ("x12.csv", "trajectory,time,A\n1,0,1\n1,1,=1+1\n", "row 3, column A: expected a number, found '=1+1'"),
    ("x13.csv", "trajectory,time,A\n1,,1\n1,1,2\n", "row 2, column time: the value is missing"),
    ("x14.csv", "trajectory,time,A\n1,nan,1\n1,1,2\n", "row 2, column time: the value is missing"),
    ("x15.csv", "trajectory,time,A\n1,-inf,1\n1,1,2\n", "row 2, column time"),
    ("x16.csv", "trajectory,time,A\n1,day 1,1\n1,1,2\n", "row 2, column time: expected a number, found 'day 1'"),
    ("x17.csv", "trajectory,time,A\n1,0,1\n1,0,2\n", "row 3, column time: 0 appears twice in trajectory '1'"),
    ("x18.csv", "trajectory,time,A\nm,1,1\nm,0,2\n", "row 3, column time: 0 comes after a later time in trajectory 'm'"),
    ("x19.csv", "trajectory,time,A\nm,0,1\n", "trajectory 'm': needs at least two observation times, has 1"),
    ("x20.csv", "trajectory,time,A\nm,0,1\nm,1,2\nn,0,3\n", "trajectory 'n': needs at least two observation times"),
    ("x21.csv", "trajectory,time,A,A\nm,0,1,2\nm,1,2,3\n", "x21.csv: gene 'A' appears twice"),
    ("x22.csv", "trajectory,time,A,\nm,0,1,2\nm,1,2,3\n", "x22.csv, row 1, column 4: no gene name"),
    ("x23.csv", "trajectory,time,A,B\nm,0,1,\nm,1,2,NA\n", "gene 'B' has no value at any time"),
    ("x24.csv", "trajectory,time,A\nm,0,\nm,1,\n", "gene 'A' has no value at any time"),
    ("x26.csv", "a,b,c\n1,2,3\n", "x26.csv, row 1: expected a header"),
    ("x27.csv", "1,2,3\n4,5,6\n", "x27.csv: 2 trajectories of 1 genes need 5 rows, the file has 2"),
    ("x28.csv", "trajectory;time;A\nm;0;1\nm;1,2\n", "x28.csv, row 3: 2 columns, the header has 3"),
    ("x29.csv", "trajectory\ttime\tA\nm,0,1\nm,1,2\n", "x29.csv, row 2: 1 columns, the header has 3"),
    ("x30.csv", 'trajectory,time,A\n"m\n,0,1\nm,1,2\n', "cannot be read as a table (unexpected end of data)"),
    ("x31.csv", "\n\ntrajectory,time,A\nm,0,1\nm,1,2\n", "x31.csv, row 1: the line is blank"),
    ("x32.csv", "trajectory,time,A\nm,0,1\n\nm,1,2\n", "x32.csv, row 3: 0 columns, the header has 3"),
    ("x33.csv", "trajectory,time,A\nm,0,1\0\nm,1,2\n", "x33.csv: not a text file"),
    ("x34.csv", "trajectory time A\nm 0 1\nm 1 2\n", "x34.csv, row 1: expected a header"),
    ("x35.csv", "{\"trajectory\": [1], \"time\": [0]}\n", "x35.csv, row 1: expected a header"),
    ("x36.csv", "<html><body>404</body></html>\n", "x36.csv, row 1: expected a header"),
    ("x37.csv", "version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "x37.csv, row 1: expected a header"),
    ("x38.csv", "trajectory,gene,expression\nm,A,1\n", "x38.csv, row 1: expected a header"),
    ("x39.csv", "time,gene,expression\n0,A,1\n0,A,2\n", "row 3: gene 'A' appears twice at time 0"),
    ("x40.csv", "time,gene,expression\n0,,1\n1,A,2\n", "row 2, column gene: no gene name"),
    ("x41.csv", "time,gene,expression\n0,A,1\n", "trajectory '1': needs at least two observation times"),
    ("x42.csv", "time,gene,expression\n", "x42.csv: no observations below the header"),
    ("x43.csv", "trajectory,time,A\nm,steady,1\nm,steady\n", "x43.csv, row 3: 2 columns"),
    ("x44.csv", "trajectory,time,A\nm,0,1\nm,1,2\nm,steady,1e300\n", "expression of gene 'A' in sample"),
    ("x45.tsv", "Time\tG1\tG2\n", "x45.tsv: no observations below the header"),
    ("x46.tsv", "Time\tG1\n0\t1\n5\t2\n\n0\t1\n", "trajectory 'series 2': needs at least two observation times"),
    ("x47.tsv", "Time\tG1\n0\t1\n5\t2\n3\t4\n", "row 4, column Time: 3 does not come after 5; a blank line"),
    ("x48.tsv", "Time\tG1\tG1\n0\t1\t2\n5\t2\t3\n", "gene 'G1' appears twice"),
    ("x49.tsv", "Time\tG1\n0\t1\n\t2\n", "row 3, column Time: the value is missing"),
    ("x50.csv", "2,1\n1,2\n3,4\n0,0\n", "x50.csv, row 4, column 2: time 0 appears twice"),
    ("x51.csv", "2,1\n1,2\n3,4\n0,x\n", "x51.csv, row 4, column 2: expected a number"),
    ("x52.csv", "0,0\n", "x52.csv, row 1: 0 genes and 0 trajectories"),
    ("x53.csv", "99999999999,1\n1\n", "x53.csv, row 1: 99999999999 genes"),
    ("x54.csv", "-2,1\n1,2\n", "x54.csv, row 1: -2 genes"),
    ("x55.csv", "2,1\n1,2\n3,4\n,1\n", "x55.csv, row 4: times must be numbers"),
    ("x56.csv", "2,1\n1,2,3\n3,4\n0,1\n", "x56.csv, row 2: more values than times"),
    ("x57.csv", ",T0_rep1,T2_rep1\nA,1,2\nB,3,4\n", "this looks like genes in rows: --transpose"),
    ("x58.csv", "sample,A\nT0_rep1,1\nT0_rep1,2\n", "row 3: sample 'T0_rep1' has the time and the replicate of row 2"),
    ("x59.csv", "sample,A\nT0_rep1,1\ncontrol,2\n", "x59.csv, row 1: expected a header"),
    ("x60.csv", "trajectory,x,y\ntime,0,1\nA,1,2\n", "this looks like genes in rows: --transpose"),
    ("x61.csv", "trajectory,time,n_cells\nm,0,1\nm,1,2\n", "x61.csv, row 1: no gene columns"),
    ("x62.csv", "trajectory,time,A\nm,0,1\nm,1e-9,2\nm,1.000000001,3\nm,1,4\n", "comes after a later time"),
    ("x63.csv", "trajectory,time,A\nm,100000000,1\nm,100000001,2\n", "time 1e+08 appears twice"),
    ("x64.csv", "trajectory,time,A\nm,1e300,1\nm,1e301,2\n", "trajectory 'm': observation 1 has no finite time (1e+300)"),
    ("x65.csv", "trajectory,time," + "A" * 300_000 + "\nm,0,1\n", "x65.csv"),
    ("x66.csv", "trajectory,time,../../etc\nm,0,1\nm,1,<b>\n", "row 3, column ../../etc: expected a number, found '<b>'"),
    ("x67.csv", "trajectory,time,\x1b[31mA\nm,0,1\nm,1,x\n", "row 3, column"),
    ("x68.csv", "trajectory,time,A\nm,0;1\nm,1;2\n", "x68.csv, row 2: 2 columns"),
    ("x69.csv", "trajectory;time;A\nm;0;1,5\nm;1;2.5\n", "x69.csv, row 2, column A: expected a number, found '1,5'"),
]  # fmt: skip

#: Priors: name, content, what `fit` says of it.
PRIORS = [
    ("y01.csv", "source,target\n", "y01.csv: no edges"),
    ("y02.csv", "source,target\nA\n", "y02.csv, row 2: 1 columns, the header has 2"),
    ("y03.csv", "source,target\nA,\n", "y03.csv, row 2, column target: no gene name"),
    ("y04.csv", "source,target,weight\nA,B,\n", "row 2, column weight: the value is missing"),
    ("y05.csv", "source,target,weight\nA,B,nan\n", "row 2, column weight: the value is missing"),
    ("y06.csv", "source,target,weight\nA,B,inf\n", "row 2, column weight: expected a number, found 'inf'"),
    ("y07.csv", "source,target,weight\nA,B,strong\n", "row 2, column weight: expected a number, found 'strong'"),
    ("y08.csv", "source,target,weight\nA,B,1e30\n", "row 2: the weight of A → B is 1e+30"),
    ("y09.csv", "source,target,weight\nA,B,0\n", "y09.csv: no edge with a weight other than zero"),
    ("y10.csv", "source,target,weight\nA,B,1\nA,B,2\n", "row 3: the edge A → B appears twice, with weights 1 and 2"),
    ("y11.csv", "source,target,sign\nA,B,maybe\n", "row 2, column sign: expected + or -, found 'maybe'"),
    ("y12.csv", "source,target,weight,sign\nA,B,-1,+\n", "row 2, column sign: the sign is '+' and the weight -1"),
    ("y13.csv", "source,target\nX,Y\n", "y13.csv: 2 of its 2 genes are not in the expression"),
    ("y14.csv", "source,target\na,b\n", "differ only in case ('a' is 'A' there)"),
    ("y15.csv", "source,target\nA,B\nA,Z\n", "y15.csv: 1 of its 3 genes are not in the expression (Z); --match intersect"),
    ("y16.csv", "from_gene,to_gene,confidence\nA,B,1\n", "y16.csv, row 1: no column is called source or target"),
    ("y17.csv", "A,B\nB,C\n", "y17.csv, row 1: no column is called source or target"),
    ("y18.csv", "A,B,1\nB,C\n", "y18.csv, row 2: 2 columns, the first row has 3"),
    ("y19.csv", "A,B,1\nB,C,x\n", "y19.csv, row 2, column 3: expected a number, found 'x'"),
    ("y20.csv", ",A,B\nA,0,x\nB,0,0\n", "row 2, column B: expected a number, found 'x'"),
    ("y21.csv", ",A,B\nA,0,1\nA,0,0\n", "y21.csv: regulator 'A' appears twice"),
    ("y22.csv", ",A,A\nA,0,1\nB,0,0\n", "y22.csv: target 'A' appears twice"),
    ("y23.csv", ",A,B\nA,0,\nB,0,0\n", "row 2, column B: the value is missing"),
    ("y24.csv", ",A,B\nA,0,0\nB,0,0\n", "y24.csv: no edge with a weight other than zero"),
    ("y25.csv", ",A,B\nA,0,1\nB,0\n", "y25.csv, row 3: 1 values, expected 2"),
    ("y26.csv", "0,1\n0,0\n", "y26.csv: 2 rows, but the expression has 4 genes"),
    ("y27.csv", "1,9,1\n", "y27.csv, row 1, column 2: expected a gene's number from 1 to 4, found '9'"),
    ("y28.csv", "1,0,1\n", "y28.csv, row 1, column 2: expected a gene's number from 1 to 4, found '0'"),
    ("y29.mtx", "%%MatrixMarket matrix coordinate real general\n", "y29.mtx"),
    ("y30.mtx", "%%MatrixMarket matrix array real general\n4 4\n1\n", "y30.mtx"),
    ("y31.mtx", "%%MatrixMarket matrix coordinate real general\n9 9 1\n1 2 1\n", "y31.mtx"),
    ("y32.mtx", "%%MatrixMarket matrix coordinate real general\n4 4 2\n1 2 1\n", "y32.mtx"),
    ("y33.gmt", "A\tx\n", "y33.gmt, row 1: expected a name, a description and genes"),
    ("y34.gmt", "\tx\tB\n", "y34.gmt, row 1, column 1: no name of a gene set"),
    ("y35.gmt", "A\tx\tB\nA\tx\tC\n", "y35.gmt, row 2: gene set 'A' appears twice"),
    ("y36.gmt", "A x B\n", "y36.gmt, row 1: expected a name"),
    ("y37.gmt", "A\tx\t\tB\n", "y37.gmt, row 1, column 3: no gene name"),
    ("y38.csv", "regulator\nA\n", "y38.csv, row 1"),
    ("y39.csv", "source,target,weight,weight\nA,B,1,2\n", "y39.csv, row 1: column 'weight' appears twice"),
    ("y40.csv", "source,target,source\nA,B,C\n", "y40.csv, row 1: column 'source' appears twice"),
    ("y41.csv", '"source","target"\n"A","B\n', "y41.csv"),
    ("y42.csv", "source;target\nA,B\n", "y42.csv, row 2: 1 columns, the header has 2"),
    ("y43.csv", "source,target\n<script>,=cmd|'/c calc'!A1\n", "2 of its 2 genes are not in the expression"),
    ("y44.csv", "source,target,weight\nA,B,1,2\n", "y44.csv, row 2: 4 columns, the header has 3"),
    ("y45.csv", "hello\n", "y45.csv, row 1: expected an edge table"),
    ("y46.csv", "source,target,confidence\nA,B,-1e16\n", "row 2: the weight of A → B is -1e+16"),
]  # fmt: skip

#: Interventions in e.csv with rest.csv: name, content, what `check` says.
INTERVENTIONS = [
    ("z01.csv", "trajectory,gene,kind\n", "z01.csv: no interventions below the header"),
    ("z02.csv", "trajectory,gene\n1,A\n", "z02.csv: no column kind"),
    ("z03.csv", "gene,kind\nA,knockout\n", "z03.csv: no column trajectory"),
    ("z04.csv", "trajectory,kind\n1,knockout\n", "z04.csv: no column gene"),
    ("z05.csv", "trajectory,gene,kind\n1,A,knockot\n", "row 2, column kind: unknown kind 'knockot' (did you mean 'knockout'?)"),
    ("z06.csv", "trajectory,gene,kind\n9,A,knockout\n", "row 2: no trajectory or sample is named '9'"),
    ("z07.csv", "trajectory,gene,kind\n1,Z,knockout\n", "row 2: the expression has no gene 'Z'"),
    ("z08.csv", "trajectory,gene,kind\n1,a,knockout\n", "the expression has no gene 'a' (did you mean 'A'?)"),
    ("z09.csv", "trajectory,gene,kind\n1,A,clamp\n", "row 2: the clamp of 'A' needs the level"),
    ("z10.csv", "trajectory,gene,kind,value\n1,A,clamp,x\n", "row 2, column value: expected a number, found 'x'"),
    ("z11.csv", "trajectory,gene,kind,value\n1,A,clamp,inf\n", "row 2, column value"),
    ("z12.csv", "trajectory,gene,kind,value\n1,A,knockdown,-0.5\n", "leaves a share of at least 0, found -0.5"),
    ("z13.csv", "trajectory,gene,kind,value\n1,A,knockout,0.5\n", "state a knockdown by its share"),
    ("z14.csv", "trajectory,gene,kind\n1,A,knockout\n1,A,knockout\n", "row 3: two interventions on 'A' in '1', the first in"),
    ("z15.csv", "trajectory,gene,kind\n,A,knockout\n", "row 2, column trajectory: no name"),
    ("z16.csv", "trajectory,gene,kind\n1,,knockout\n", "row 2, column gene: no name"),
    ("z17.csv", "trajectory,gene,kind\n1,A,\n", "row 2, column kind: unknown kind ''"),
    ("z18.csv", "trajectory,gene,kind\n1,A\n", "z18.csv, row 2: 2 columns, the header has 3"),
    ("z19.csv", "trajectory,gene,kind\n1,A,stimulus\n", "row 2: the stimulus 'A' has the name of a gene"),
    ("z20.csv", "trajectory,gene,kind,value\n1,A,overexpression,1e300\n", "z20.csv, row 2"),
    ("z23.csv", "trajectory,gene,kind,kind\n1,A,knockout,clamp\n", "z23.csv, row 1: column 'kind' appears twice"),
    ("z24.csv", "trajectory,gene,kind\nliverr,A,knockout\n", "no trajectory or sample is named 'liverr' (did you mean 'liver'?)"),
    ("z25.csv", "trajectory,gene,kind,value\n1,dex,stimulus,1e300\n", "z25.csv, row 2"),
]  # fmt: skip

#: Samples at rest beside e.csv: name, content, what `check` says.
STEADY = [
    ("s01.csv", "sample,A,B,C,D\n", "s01.csv: no samples below the header"),
    ("s02.csv", "sample,A,B,C\nx,1,2,3\n", "s02.csv: 1 of 4 genes of the expression are not among those"),
    ("s03.csv", "sample,A,B,C,D\nx,1,2,3\n", "s03.csv, row 2: 4 columns, the header has 5"),
    ("s04.csv", "sample,A,B,C,D\nx,1,2,3,q\n", "row 2, column D: expected a number, found 'q'"),
    ("s05.csv", "sample,A,B,C,D\nx,1,2,3,4\nx,1,2,3,4\n", "s05.csv: sample 'x' appears twice"),
    ("s06.csv", "sample,A,B,C,D\n1,1,2,3,4\n", "s06.csv: sample '1' has the name of a trajectory"),
    ("s07.csv", "sample,A,B,C,D,D\nx,1,2,3,4,5\n", "s07.csv: gene 'D' appears twice"),
    ("s08.csv", "sample,A,B,C,D\nx,1,2,3,1e300\n", "expression of gene 'D' in sample 'x' is 1e+300"),
    ("s09.csv", "sample,A,B,C,D\n,1,2,3,4\n", "s09.csv: sample 1 has no name"),
    ("s10.csv", "gene,x,y\nA,1,2\nB,1,2\nC,1,2\nD,1,2\n", "this looks like genes in rows: --transpose"),
    ("s11.csv", "sample\nx\n", "s11.csv: no gene columns"),
    ("s12.csv", "sample,a,b,c,d\nx,1,2,3,4\n", "4 differ only in case"),
    ("s13.csv", "sample,A,B,C,D\nx,1,2,3,inf\n", "row 2, column D"),
]  # fmt: skip

#: Regulators: name, content, what `fit` says.
REGULATORS = [
    ("r01.txt", "Z\n", "r01.txt: 1 of its 1 genes are not in the expression"),
    ("r02.txt", "A\nA\n", "r02.txt: gene 'A' appears twice"),
    ("r03.txt", "gene\n", "r03.txt: no gene name below the header"),
    ("r04.txt", "A\n\nB\n", "r04.txt, row 2: no gene name"),
    ("r05.txt", "a\nb\n", "2 differ only in case"),
    ("r06.txt", "A\nZ\n", "r06.txt: 1 of its 2 genes are not in the expression (Z); --match intersect leaves them out"),
]  # fmt: skip

#: Grids: name, content, what `sweep` says.
GRIDS = [
    ("g01.yaml", "x\n", "g01.yaml: expected keys"),
    ("g02.yaml", "- a\n", "g02.yaml: expected keys"),
    ("g03.yaml", "methods: [dash]\n", "g03.yaml: system, data: give one of the two"),
    ("g04.yaml", "system: {kind: simulated, genes: 10}\n", "g04.yaml: key 'methods' is missing"),
    ("g05.yaml", "system: {kind: simulated, genes: 10}\nmethods: []\n", "g05.yaml: methods"),
    ("g06.yaml", "system: {kind: simulated, genes: 10}\nmethods: [dashh]\n", "unknown method 'dashh' (did you mean 'dash'?)"),
    ("g07.yaml", "system: {kind: simulated, genes: 10}\nmethod: [dash]\n", "unknown key 'method' (did you mean 'methods'?)"),
    ("g08.yaml", "system: {kind: simulated}\nmethods: [dash]\n", "g08.yaml: key 'system.genes' is missing"),
    ("g09.yaml", "system: {kind: simulated, genes: 2}\nmethods: [dash]\n", "g09.yaml: system.genes"),
    ("g10.yaml", "system: {kind: simulated, genes: ten}\nmethods: [dash]\n", "g10.yaml: system.genes"),
    ("g11.yaml", "system: {kind: imagined, genes: 10}\nmethods: [dash]\n", "g11.yaml: system"),
    ("g12.yaml", "system: {kind: simulated, genes: 10}\nmethods: [dash]\nseeds: -1\n", "g12.yaml: seeds"),
    ("g13.yaml", "system: {kind: simulated, genes: 10}\nmethods: [dash]\nseeds: [0, 0]\n", "seed 0 appears twice"),
    ("g14.yaml", "system: {kind: simulated, genes: 10}\nmethods: [dash]\nseeds: 1.5\n", "g14.yaml: seeds"),
    ("g15.yaml", "system: {kind: simulated, genes: 10}\nmethods: [dash]\nnoise: .nan\n", "g15.yaml: noise"),
    ("g16.yaml", "system: {kind: simulated, genes: 10}\nmethods: [dash]\nnoise: [-1]\n", "g16.yaml: noise"),
    ("g17.yaml", "system: {kind: simulated, genes: 10}\nmethods: [dash]\nprior_corruption: 2\n", "g17.yaml: prior_corruption"),
    ("g18.yaml", "system: {kind: simulated, genes: 10}\nmethods: [dash]\nepochs: 0\n", "g18.yaml: epochs"),
    ("g19.yaml", "system: {kind: simulated, genes: 10}\nmethods: [dash]\nfield: pheonix\n", "unknown field 'pheonix' (did you mean 'phoenix'?)"),
    ("g20.yaml", "system: {kind: simulated, genes: 10}\nmethods: [dash]\nobjective: none\n", "unknown objective 'none'"),
    ("g21.yaml", "system: {kind: simulated, genes: 10}\nmethods: [dash]\ntrajectories: {times: [1, 0]}\n", "trajectories.times"),
    ("g22.yaml", "system: {kind: simulated, genes: 10}\nmethods: [dash]\ntrajectories: {times: [0, .inf]}\n", "trajectories.times"),
    ("g23.yaml", "system: {kind: simulated, genes: 10}\nmethods: [dash]\nfolds: 100\n", "folds: 100 folds of 10"),
    ("g24.yaml", "system: {kind: simulated, genes: 10}\nmethods: [{name: dash, lambda_1: 2}]\n", "lambda_1"),
    ("g25.yaml", "system: {kind: simulated, genes: 10}\nmethods: [{name: dash, lambda: 1}]\n", "unknown key"),
    ("g26.yaml", "data: {expression: absent.csv}\nmethods: [dash]\n", "g26.yaml, data.expression: no such file 'absent.csv'"),
    ("g27.yaml", "data: {expression: e.csv, prior: [p.csv, absent.csv]}\nmethods: [dash]\n", "data.prior: no such file 'absent.csv'"),
    ("g28.yaml", "data: {expression: e.csv, match: perhaps}\nmethods: [dash]\n", "g28.yaml: data.match"),
    ("g29.yaml", "data: {expression: e.csv}\nnoise: 0.1\nmethods: [dash]\n", "noise: only a simulated system has it"),
    ("g30.yaml", "data: {expression: e.csv, bins: 1}\nmethods: [dash]\n", "g30.yaml: data.bins"),
    ("g31.yaml", "system: {kind: equations, equations: absent.csv}\nmethods: [dash]\n", "system.equations: no such file"),
    ("g32.yaml", "a: [1, 2\n", "g32.yaml, row 2, column 1: not valid YAML"),
    ("g33.yaml", "a: b: c\n", "g33.yaml, row 1, column 5: not valid YAML"),
    ("g34.yaml", "\tmethods: [dash]\n", "g34.yaml, row 1, column 1: not valid YAML"),
    ("g35.yaml", "system: {kind: simulated, genes: 10}\nmethods: [dash]\nseeds: 99999999999\n", "more than 1,000,000"),
    ("g36.yaml", "system: {kind: simulated, genes: 10}\nmethods: [dash]\nhidden_layers: 3\n", "hidden_layers: only field mlp"),
    ("g37.yaml", "system: {kind: simulated, genes: 10}\nmethods: [dash]\nmethods: [imp]\n", "key 'methods' appears twice"),
    ("g39.yaml", "data: {expression: x03.csv}\nmethods: [dash]\n", "x03.csv, row 3: 2 columns"),
    ("g40.yaml", "data: {expression: e.csv, prior: y07.csv}\nmethods: [dash]\n", "row 2, column weight: expected a number"),
    ("g41.yaml", "system: {kind: simulated, genes: 10000000}\nmethods: [dash]\n", "g41.yaml: system.genes"),
    ("g42.yaml", "system: {kind: simulated, genes: 10}\nmethods: [{name: direct+l1, strength: .nan}]\n", "strength"),
    ("g43.yaml", "system: {kind: simulated, genes: 10}\nmethods: [dash]\nhidden: 0\n", "g43.yaml: hidden"),
    ("g44.yaml", "system: {kind: simulated, genes: 10}\nmethods: [dash]\ntrajectories: {train: 0}\n", "trajectories.train"),
    ("g45.yaml", "1: 2\nmethods: [dash]\n", "g45.yaml"),
]  # fmt: skip

#: Gene sets: name, content, what `pathways` says.
SETS = [
    ("h01.gmt", "ONE\tx\tX\tY\n", "h01.gmt"),
    ("h02.gmt", "ONE\tx\tA\n", "h02.gmt: no gene set has 2 genes of the network, the largest has 1; --min-size"),
    ("h03.gmt", "ONE\n", "h03.gmt, row 1: expected a name"),
    ("h04.gmt", "ONE\tx\tA\tB\nONE\tx\tA\tB\n", "h04.gmt, row 2: gene set 'ONE' appears twice"),
    ("h05.gmt", "gene,set\nA,ONE\n", "h05.gmt, row 1: expected a name"),
]  # fmt: skip

#: Edge lists: name, content, what `export` and `influence --edges` say.
EDGES = [
    ("k01.tsv", "a\tb\n1\t2\n", "k01.tsv, row 1: no column source"),
    ("k02.tsv", "source\ttarget\n1\t2\n", "k02.tsv, row 1: no column weight"),
    ("k03.tsv", "source\ttarget\tweight\nA\tB\n", "k03.tsv, row 2: 2 columns"),
    ("k04.tsv", "source\ttarget\tweight\nA\tB\tx\n", "k04.tsv, row 2, column weight: expected a number, found 'x'"),
    ("k05.tsv", "source\ttarget\tweight\tweight\nA\tB\t1\t2\n", "k05.tsv, row 1: a column appears twice"),
    ("k06.tsv", "source\ttarget\tweight\n\tB\t1\n", "k06.tsv, row 2, column source: no gene name"),
    ("k08.tsv", "source\ttarget\tweight\nA\tB\tnan\n", "k08.tsv, row 2, column weight"),
    ("k09.tsv", "source\ttarget\tweight\nA\tB\tinf\n", "k09.tsv, row 2, column weight"),
    ("k10.tsv", "source\ttarget\tweight\treturned\nA\tB\t1\tTrue\nB\tC\t1\tperhaps\n", "k10.tsv, row 3, column returned"),
]  # fmt: skip

#: Values per gene: name, content, what `pathways --influence` says.
VALUES = [
    ("v01.tsv", "gene\tvalue\nA\t1\n", "v01.tsv, row 1: expected columns gene and influence"),
    ("v02.tsv", "gene\tinfluence\nA\t1\n", "v02.tsv: lacks 3 of the network's 4 genes, 'B' first"),
    ("v03.tsv", "gene\tinfluence\nA\tx\n", "v03.tsv, row 2, column influence: expected a number"),
    ("v04.tsv", "gene\tinfluence\nA\t1\nA\t2\n", "v04.tsv, row 3: gene 'A' appears twice"),
    ("v05.tsv", "gene\tinfluence\nA\t\n", "v05.tsv, row 2, column influence: the value is missing"),
]  # fmt: skip

#: Equations: name, content, what `simulate` says.
EQUATIONS = [
    ("q01.csv", "a,b\n1,2\n", "q01.csv, row 1: expected columns node and eqn"),
    ("q02.csv", "node,eqn\n", "q02.csv: no equations below the header"),
    ("q03.csv", "node,eqn\nA\n", "q03.csv, row 2: 1 columns, the header has 2"),
    ("q04.csv", "node,eqn\nA,__import__('os').system('true')\n", "q04.csv, row 2"),
    ("q05.csv", "node,eqn\nA,B - A\n", "q05.csv, row 2 (A): unknown gene 'B'"),
    ("q06.csv", "node,eqn\nA,1/0 - A\n", "q06.csv, row 2 (A): division by zero"),
    ("q07.csv", "node,eqn\nA,input gene\nA,input gene\n", "q07.csv, row 3: gene 'A' appears twice"),
    ("q08.csv", "node,eqn\nA b,input gene\n", "row 2, column node: 'A b' is not a gene name"),
    ("q09.csv", 'node,eqn\nA,"fAct(A, 5, 2) - A"\n', "q09.csv, row 2 (A): fAct needs 0 < EC50 < 1"),
    ("q10.csv", "node,eqn\nA," + "(" * 500 + "A" + ")" * 500 + "\n", "q10.csv, row 2"),
    ("q11.csv", "node,eqn\nA,A +\n", "q11.csv, row 2 (A): cannot read the equation"),
    ("q12.csv", "node,eqn\nA,\n", "q12.csv, row 2"),
    ("q13.csv", "node,eqn\nA,lambda: 1\n", "q13.csv, row 2"),
    ("q14.csv", "node,eqn\nA,A ** 9999\n", "q14.csv, row 2"),
    ("q15.csv", "node,eqn,node\nA,input gene,B\n", "q15.csv, row 1: column 'node' appears twice"),
]  # fmt: skip

TABLES = (EXPRESSIONS, PRIORS, INTERVENTIONS, STEADY, REGULATORS, GRIDS, SETS, EDGES, VALUES, EQUATIONS)

#: Folders as BEELINE has them.
BEELINE = {
    "b1": {"ExpressionData.csv": ",c1,c2\nA,1,2\n"},
    "b2": {"ExpressionData.csv": ",c1,c2\nA,1,2\n", "PseudoTime.csv": ",p\nc1,0\nc3,1\n"},
    "b3": {"ExpressionData.csv": ",c1,c1\nA,1,2\n", "PseudoTime.csv": ",p\nc1,0\n"},
    "b4": {"ExpressionData.csv": ",c1,c2\nA,1,2\n", "PseudoTime.csv": ",p\nc1,NA\nc2,NA\n"},
    "b5": {"ExpressionData.csv": ",c1,c2\nA,1,x\n", "PseudoTime.csv": ",p\nc1,0\nc2,1\n"},
}

MANIFESTS = {
    "m1": "",
    "m2": "[]",
    "m3": '{"grid": {}}',
    "m4": "[" * 20_000,
    "m5": "\x00\x01",
}

#: Any place for a file: what the message says of it beside its name, in whatever role it stands.
NO_FILE = [
    ("absent.csv", "no such file"),
    ("folder/absent.csv", "no such file"),
    ("dangling.csv", "no such file"),
    ("loop.csv", "cannot be read"),
    ("e.csv/below", "cannot be read"),
    ("empty", "empty"),
    ("blank", "empty"),
    ("binary", "not"),
    ("cut.csv.gz", "damaged gzip file"),
    ("bad.csv.gz", "damaged gzip file"),
    ("twice.csv.gz", "not UTF-8 text"),
    ("latin.csv", "not UTF-8 text"),
    ("utf16.csv", "not UTF-8 text"),
    ("/dev/null", "a device, not a file"),
    ("/dev/zero", "a device, not a file"),
    ("fifo.csv", "nothing came through this pipe"),
    ("text.parquet", "cannot be read as Parquet"),
    ("text.xlsx", "cannot be read as .xlsx"),
    ("zip.xlsx", "cannot be read as .xlsx"),
    ("fifo.parquet", "not a regular file"),
    ("fifo.xlsx", "not a regular file"),
    ("x" * 300, "File name too long"),
]  # fmt: skip

#: Where any of these may stand.
ROLES = (
    ("check {}", range(0, 100)),
    ("fit --expression e.csv --prior {}", range(0, 100)),
    ("fit --expression e.csv --regulators {}", (0, 4, 7, 12)),
    ("check e.csv --steady {}", (0, 3, 5, 13, 15)),
    ("check e.csv --interventions {}", (0, 2, 6, 14, 19)),
    ("check init.csv --genes {}", (0, 5, 11)),
    ("fit --expression e.csv --prior p.csv --ppi {}", (0, 4, 8)),
    ("sweep {}", (0, 2, 3, 4, 5, 7, 8, 11, 13, 14)),
    ("export --to csv {}", (0, 5, 7, 8, 13, 15)),
    ("score edges.tsv {}", (0, 4, 7, 14, 18)),
    ("score {} truth.csv", (0, 5, 9)),
    ("score edges.tsv truth.csv --prior {}", (0, 6)),
    ("influence fit --edges {}", (0, 5, 7)),
    ("influence fit --expression {}", (0, 4, 8, 13)),
    ("perturb fit --knock-out A --expression {}", (0, 15)),
    ("pathways fit {}", (0, 5, 7, 13)),
    ("pathways fit sets.gmt --min-size 2 --influence {}", (0, 5, 15)),
    ("simulate --equations {}", (0, 5, 7, 13)),
    ("simulate --equations eq.csv --names {}", (0, 5, 10)),
    ("simulate --equations eq.csv --initial {}", (0, 5, 14)),
    ("reproduce sim350 --equations {}", (0,)),
)

#: Commands, and what they say.
COMMANDS = [
    # What is there to type.
    ("fitt", "No such command 'fitt'"),
    ("--version-of-it", "No such option"),
    ("fit", "Missing option '--out'"),
    ("fit --expression e.csv --outt o", "No such option"),
    ("fit --out out --expression", "requires an argument"),
    ("check", "EXPRESSION: needs expression over time"),
    ("check -", "EXPRESSION: needs expression over time"),
    ("check e.csv p.csv --nope", "No such option"),
    ("methods extra", "unexpected extra argument"),
    ("status", "Missing argument"),
    ("status m1 m2", "unexpected extra argument"),
    ("export fit --out o.csv", "Missing option '--to'"),
    ("perturb", "Missing argument"),
    ("reproduce", "Missing argument"),
    ("compare", "Missing option '--dataset'"),
    ("check e.csv --match exact --match union", "--match: given twice"),
    ("fit --expression e.csv --seed 1 --seed 2", "--seed: given twice"),
    ("fit --expression e.csv --expression e.csv", "--expression: given twice"),
    ("simulate --genes 10 --genes 12", "--genes: given twice"),
    ("influence fit --starts 3 --starts 3", "--starts: given twice"),
    # Numbers.
    ("fit --expression e.csv --epochs 0", "'--epochs'"),
    ("fit --expression e.csv --epochs 1.5", "'--epochs'"),
    ("fit --expression e.csv --epochs nan", "'--epochs'"),
    ("fit --expression e.csv --epochs 99999999999999999999", "epochs"),
    ("fit --expression e.csv --seed -1", "'--seed'"),
    ("fit --expression e.csv --seed 99999999999999999999", "seed"),
    ("fit --expression e.csv --hidden 0", "'--hidden'"),
    ("fit --expression e.csv --hidden 9999999999", "hidden"),
    ("fit --expression e.csv --validation 0", "--validation"),
    ("fit --expression e.csv --validation 1", "--validation"),
    ("fit --expression e.csv --validation nan", "--validation"),
    ("fit --expression e.csv --validation -0.5", "--validation"),
    ("fit --expression e.csv --lambda-1 2 --method dash --prior p.csv", "lambda"),
    ("fit --expression e.csv --lambda-2 nan --method dash --prior p.csv", "lambda"),
    ("fit --expression e.csv --lambda-1 0,05", "'--lambda-1'"),
    ("fit --expression e.csv --strength nan", "strength"),
    ("fit --expression e.csv --strength -1 --method direct+l1", "strength"),
    ("fit --expression e.csv --precision 2", "precision"),
    ("fit --expression e.csv --precision 0", "precision"),
    ("fit --expression e.csv --precision nan", "precision"),
    ("fit --expression e.csv --ensemble 0", "--ensemble: must be at least 1"),
    ("fit --expression e.csv --ensemble 1000000", "ensemble"),
    ("fit --expression e.csv --tune 0", "tune"),
    ("fit --expression e.csv --tune 1", "tune"),
    ("fit --expression e.csv --tune -3", "tune"),
    ("fit --expression e.csv --tune 1000 --method dash --prior p.csv", "tune"),
    # Names of things.
    ("fit --expression e.csv --method dashh", "unknown method 'dashh' (did you mean 'dash'?)"),
    ("fit --expression e.csv --method ''", "unknown method ''"),
    ("fit --expression e.csv --method DASH", "unknown method 'DASH' (did you mean 'dash'?)"),
    ("fit --expression e.csv --method ../../dash", "unknown method"),
    ("fit --expression e.csv --method genie3", "unknown method 'genie3'"),
    ("fit --expression e.csv --field pheonix", "--field: unknown field 'pheonix' (did you mean 'phoenix'?)"),
    ("fit --expression e.csv --match perhaps", "--match: unknown value 'perhaps'"),
    ("fit --expression e.csv --time day", "e.csv: holds no cells"),
    ("fit --expression e.csv --trajectory donor", "trajectory"),
    ("fit --expression e.csv --layer X", "layer"),
    ("fit --expression e.csv --bins 10", "bins"),
    ("fit --expression e.csv --bins 1", "'--bins'"),
    ("fit --expression e.csv --perturbation guide", "perturbation"),
    ("fit --expression e.csv --control ctrl", "control"),
    ("fit --expression e.csv --genes names.csv", "names.csv: gene names were given, but e.csv names its own"),
    ("fit --expression init.csv --genes tfs.txt --prior y13.csv", "y13.csv: 2 of its 2 genes are not"),
    ("fit --expression init.csv --genes r01.txt", "r01.txt: 1 gene names, but init.csv has 2 genes"),
    ("fit --expression still.csv", "still.csv: no gene ever changes"),
    ("fit --genes names.csv", "--genes, --layer, --time, --trajectory, --bins, --perturbation, --control: describe"),
    ("fit --prior p.csv", "--expression: needs expression over time, samples at rest, or both"),
    ("fit --expression e.csv --transpose", "e.csv, transposed, row 1: expected a header"),
    ("fit --expression folder --transpose", "is no table that could be transposed"),
    ("check e.csv --steady rest.csv --transpose", "e.csv, transposed, row 1"),
    ("check rest.csv", "rest.csv, row 1: expected a header"),
    ("check p.csv e.csv", "p.csv, row 1: expected a header"),
    ("fit --expression e.csv --prior e.csv", "e.csv"),
    ("fit --expression e.csv --steady e.csv", "e.csv"),
    ("fit --expression e.csv --interventions p.csv", "p.csv: no column trajectory"),
    ("fit --expression e.csv --regulators p.csv", "p.csv"),
    ("fit --expression grid.yaml", "grid.yaml, row 1: expected a header"),
    ("fit --expression fit/model.npz", "model.npz: not"),
    ("fit --expression e.csv --prior fit", "fit: cannot be read (Is a directory)"),
    ("fit --expression e.csv --regulators folder", "folder: cannot be read (Is a directory)"),
    ("fit --expression to-folder.csv", "to-folder.csv/ExpressionData.csv: no such file"),
    ("fit --expression folder", "folder/ExpressionData.csv: no such file"),
    ("check b1", "b1/PseudoTime.csv: no such file"),
    ("check b2", "b2/PseudoTime.csv"),
    ("check b3", "cell 'c1' appears twice"),
    ("check b4", "branch 'p' has 0 cells at fewer than two times"),
    ("check b5", "row 2, column c2: expected a number, found 'x'"),
    ("check b5 --time day", "'time' applies to .h5ad files"),
    ("check 'name with space.csv'", "name with space.csv: trajectory '1': needs at least two"),
    ("check '<b>bold[red].csv'", "<b>bold[red].csv: trajectory '1': needs"),
    ("check \"'quoted\\\".csv\"", "'quoted\".csv: trajectory '1': needs"),
    ("check =1+1.csv", "=1+1.csv: trajectory '1': needs"),
    ("check 名前.csv", "名前.csv: trajectory '1': needs"),
    ("check -- -dash.csv", "-dash.csv: trajectory '1': needs"),
    ("check -dash.csv", "No such option"),
    ("sweep fifo.yaml", "fifo.yaml: nothing came through this pipe"),
    ("fit --expression e.csv --prior fifo.gmt", "fifo.gmt: nothing came through this pipe"),
    ("pathways fit fifo.gmt", "fifo.gmt: nothing came through this pipe"),
    ("score fifo.parquet truth.csv", "fifo.parquet: not a regular file"),
    ("influence fit --expression fifo.h5ad", "fifo.h5ad: not a regular file"),
    ("fit --expression e.csv --seed 4294967296", "--seed"),
    # AnnData.
    ("check text.h5ad", "text.h5ad: cannot be read as .h5ad"),
    ("check empty.h5ad", "empty.h5ad: cannot be read as .h5ad"),
    ("check absent.h5ad", "absent.h5ad: no such file"),
    ("check fifo.h5ad", "fifo.h5ad: not a regular file"),
    ("check cells.h5ad --time nope", "cells.h5ad: obs has no column 'nope'"),
    ("check cells.h5ad --time label", "cells.h5ad: column 'label' of obs holds no numbers"),
    ("check cells.h5ad --trajectory nope", "cells.h5ad: obs has no column 'nope'"),
    ("check cells.h5ad --layer nope", "cells.h5ad: no layer 'nope'"),
    ("check cells.h5ad --perturbation nope", "cells.h5ad: obs has no column 'nope'"),
    ("check cells.h5ad --perturbation label", "which is no gene there"),
    ("check cells.h5ad --control ctrl", "--control: cells.h5ad: a label of control cells needs the column"),
    ("check cells.h5ad --trajectory each", "branch"),
    ("check cells.h5ad --genes names.csv", "names.csv: gene names were given, but cells.h5ad names its own"),
    ("check cells.h5ad --transpose", "is no table that could be transposed"),
    ("check infinite.h5ad", "infinite.h5ad: cell 'c3', gene 'B': the value is infinite"),
    ("check repeated.h5ad", "repeated.h5ad: gene 'A' appears twice"),
    ("check untimed.h5ad", "untimed.h5ad: which column of obs is the time?"),
    # Networks.
    ("influence absent", "absent: no such file"),
    ("influence folder", "folder/model.npz: no such file"),
    ("influence e.csv", "e.csv: not a dashjax network"),
    ("influence empty", "empty: not a dashjax network"),
    ("influence not.npz", "not.npz: not a dashjax network"),
    ("influence foreign.npz", "foreign.npz: not a dashjax network"),
    ("influence cut.npz", "cut.npz: not a dashjax network (its checksum"),
    ("influence flipped.npz", "flipped.npz: not a dashjax network (its checksum"),
    ("influence longer.npz", "longer.npz: not a dashjax network (its checksum"),
    ("influence bomb.npz", "bomb.npz: not a dashjax network (its arrays are larger than they can be)"),
    ("influence headless.npz", "headless.npz: not a dashjax network"),
    ("influence listed.npz", "listed.npz: not a dashjax network"),
    ("influence nested.npz", "nested.npz: not a dashjax network"),
    ("influence other.npz", "other.npz: format 99 of a network"),
    ("influence many.npz", "many.npz: "),
    ("influence objects.npz", "objects.npz: not a dashjax network"),
    ("influence fifo.npz", "fifo.npz: not a dashjax network (no regular file)"),
    ("influence /dev/zero", "/dev/zero: not a dashjax network (no regular file)"),
    ("influence dangling.csv", "dangling.csv: no such file"),
    ("influence loop.csv", "loop.csv"),
    ("influence fit/ranked.npz", "ranked.npz"),
    ("perturb cut.npz --knock-out A", "cut.npz: not a dashjax network"),
    ("pathways cut.npz sets.gmt", "cut.npz: not a dashjax network"),
    ("export cut.npz --to csv", "cut.npz: not"),
    # Questions.
    ("influence fit --push 0", "--push: must be a number other than zero"),
    ("influence fit --push nan", "--push"),
    ("influence fit --push inf", "--push"),
    ("influence fit --push 1e30", "--push"),
    ("influence fit --starts 0", "--starts: must be at least 1, got 0"),
    ("influence fit --starts -5", "--starts: must be at least 1, got -5"),
    ("influence fit --starts 1.5", "'--starts'"),
    ("influence fit --starts 9999999999", "--starts"),
    ("influence fit --horizon 0", "--horizon: must be a positive time, got 0"),
    ("influence fit --horizon -1", "--horizon: must be a positive time"),
    ("influence fit --horizon nan", "--horizon: must be a positive time"),
    ("influence fit --horizon inf", "--horizon: must be a positive time"),
    ("influence fit --seed -1", "'--seed'"),
    ("influence fit --genes names.csv", "describe --expression, which is missing"),
    ("influence fit --time day", "describe --expression, which is missing"),
    ("influence fit --transpose", "describe --expression, which is missing"),
    ("influence fit --expression init.csv", "init.csv: lacks 4 of the network's 4 genes, 'A' first"),
    ("influence fit --edges truth.csv", "truth.csv, row 1: no column weight"),
    ("influence fit --edges strange.tsv", "strange.tsv"),
    ("perturb fit", "--knock-out: name at least one gene to perturb"),
    ("perturb fit --knock-out Z", "--knock-out: the network has no gene 'Z'"),
    ("perturb fit --knock-out a", "--knock-out: the network has no gene 'a' (did you mean 'A'?)"),
    ("perturb fit --knock-out ''", "--knock-out: the network has no gene ''"),
    ("perturb fit --knock-out A --knock-out A", "--knock-out: gene 'A' is perturbed twice"),
    ("perturb fit --knock-out A,B", "--knock-out: the network has no gene 'A,B'"),
    ("perturb fit --knock-out ../../x", "the network has no gene '../../x'"),
    ("perturb fit --knock-out '<script>'", "the network has no gene '<script>'"),
    ("perturb fit --knock-out A --over-express A=1", "gene 'A' is perturbed twice"),
    ("perturb fit --over-express A", "--over-express: expected GENE=LEVEL, for example GATA1=1.5, got 'A'"),
    ("perturb fit --over-express A=", "--over-express: expected GENE=LEVEL"),
    ("perturb fit --over-express =1", "--over-express: the network has no gene ''"),
    ("perturb fit --over-express A=x", "--over-express: expected GENE=LEVEL"),
    ("perturb fit --over-express A=nan", "--over-express: expected GENE=LEVEL"),
    ("perturb fit --over-express A=inf", "--over-express: expected GENE=LEVEL"),
    ("perturb fit --over-express A=1e300", "--over-express: expected GENE=LEVEL"),
    ("perturb fit --over-express A=1 --over-express A=2", "--over-express: gene 'A' is perturbed twice"),
    ("perturb fit --knock-down A=-1", "--knock-down: 'A' is left a share of -1"),
    ("perturb fit --knock-down A", "--knock-down: expected GENE=SHARE"),
    ("perturb fit --knock-down A=NA", "--knock-down: expected GENE=SHARE"),
    ("pathways fit sets.gmt --permutations 0", "--permutations: must be at least 1, got 0"),
    ("pathways fit sets.gmt --permutations -1", "--permutations: must be at least 1"),
    ("pathways fit sets.gmt --min-size 0", "--min-size: must be at least 1, got 0"),
    ("pathways fit sets.gmt --min-size 99", "sets.gmt: no gene set has 99 genes of the network"),
    ("pathways fit sets.gmt --permutations 999999999999 --min-size 2", "--permutations"),
    ("pathways fit sets.gmt --min-size 2 --influence i.tsv --expression e.csv", "--influence: was measured from starts"),
    ("pathways fit", "Missing argument"),
    # Scores and exports.
    ("export fit --to vcf", "--to: unknown value 'vcf'"),
    ("export fit --to CSV", "--to: unknown value 'CSV' (did you mean 'csv'?)"),
    ("export folder --to csv", "folder/edges.tsv: no such file"),
    ("export p.csv --to csv --out p.csv", "p.csv: exists; choose another name, or --force to write over it"),
    ("export edges.tsv --to csv --out folder", "folder: exists; choose another name"),
    ("export edges.tsv --to csv --out fifo --force", "fifo: exists; choose another name"),
    ("export edges.tsv --to csv --out e.csv/x.csv", "cannot be written"),
    ("export edges.tsv --to csv --out /proc/x/y.csv", "cannot be written"),
    ("export edges.tsv --to graphml --out /proc/x.graphml", "cannot be written"),
    ("score edges.tsv truth.csv --universe most", "--universe: unknown value 'most'"),
    ("score edges.tsv y13.csv", "edges.tsv: shares no gene with y13.csv"),
    ("score fit", "Missing argument"),
    ("score folder truth.csv", "folder/edges.tsv: no such file"),
    ("score edges.tsv y26.csv", "y26.csv"),
    # Sweeps.
    ("sweep deep.yaml", "deep.yaml: not valid YAML (nested too deeply)"),
    ("sweep deeper.yaml", "deeper.yaml: not valid YAML (nested too deeply)"),
    ("sweep aliases.yaml", "aliases.yaml"),
    ("sweep object.yaml", "object.yaml"),
    ("sweep p.csv", "p.csv: expected keys"),
    ("sweep folder", "folder: cannot be read (Is a directory)"),
    ("sweep grid.yaml --shard 0/4", "--shard"),
    ("sweep grid.yaml --shard 5/4", "--shard"),
    ("sweep grid.yaml --shard 1", "--shard: expected i/n"),
    ("sweep grid.yaml --shard a/b", "--shard: expected i/n"),
    ("sweep grid.yaml --shard -1/4", "--shard: expected i/n"),
    ("sweep grid.yaml --shard ²/4", "--shard: expected i/n"),
    ("sweep grid.yaml --workers 0", "'--workers'"),
    ("sweep grid.yaml --chunk -1", "'--chunk'"),
    ("sweep grid.yaml --executor slurm", "--executor: unknown value 'slurm'"),
    ("sweep grid.yaml --ray-address host:1", "--ray-address: only with --executor ray"),
    ("sweep grid.yaml --distributed --shard 1/2", "--distributed: each process takes its own share"),
    ("status absent", "absent: not a results folder"),
    ("status folder", "folder: not a results folder"),
    ("status e.csv", "e.csv: not a results folder"),
    ("status m1", "m1/manifest.json: damaged"),
    ("status m2", "m2/manifest.json: damaged"),
    ("status m3", "m3/manifest.json: damaged"),
    ("status m4", "m4/manifest.json: damaged"),
    ("status m5", "m5/manifest.json: damaged"),
    ("status fifo-record", "fifo-record: not a results folder"),
    ("report absent", "absent: not a results folder"),
    ("report folder", "folder: not a results folder"),
    ("report m2", "m2/manifest.json: damaged"),
    ("report m4", "m4/manifest.json: damaged"),
    # Comparisons and studies.
    ("compare --dataset dream5", "--dataset: unknown value 'dream5'"),
    ("compare --dataset dream4", "--data: the folder of the dream4 files is missing"),
    ("compare --dataset dream4 --data absent", "absent: no dream4 problem"),
    ("compare --dataset dream4 --data folder", "folder: no dream4 problem"),
    ("compare --dataset dream4 --data e.csv", "e.csv: no dream4 problem"),
    ("compare --dataset beeline --data folder", "folder: no beeline problem"),
    ("compare --dataset measured --data folder", "folder: no measured problem"),
    ("compare --dataset measured --data folder --priors 0", "--priors: the problems of measured have priors of their own"),
    ("compare --dataset simulated --only nothing", "no simulated problem with 'nothing' in its name"),
    ("compare --dataset simulated --only 'cells 1' --priors 2", "--priors: expected none or shares from 0 to 1"),
    ("compare --dataset simulated --only 'cells 1' --priors nan", "--priors: expected none or shares"),
    ("compare --dataset simulated --only 'cells 1' --priors ''", "--priors: expected none or shares"),
    ("compare --dataset simulated --only 'cells 1' --priors none --methods genie4", "genie4"),
    ("compare --dataset simulated --only 'cells 1' --priors none --methods ''", "unknown"),
    ("compare --dataset simulated --epochs 0", "'--epochs'"),
    ("compare --dataset simulated --seed -1", "'--seed'"),
    ("reproduce sim35", "unknown study 'sim35' (did you mean 'sim350'?)"),
    ("reproduce sim350 --only nothing", "nothing"),
    ("reproduce sim350 --data folder", "--data: sim350 is simulated"),
    ("reproduce yeast", "--data: the folder of the yeast files is missing"),
    ("reproduce yeast --data absent", "absent"),
    ("reproduce yeast --data folder", "folder"),
    ("reproduce yeast --data folder --equations eq.csv", "--equations: yeast is measured"),
    ("reproduce sim350 --names names.csv", "--names: orders the genes of --equations, which is missing"),
    # Simulations.
    ("simulate --genes 4", "'--genes'"),
    ("simulate --genes ten", "'--genes'"),
    ("simulate --genes 10000000", "--genes"),
    ("simulate --trajectories 0", "'--trajectories'"),
    ("simulate --trajectories 1000000000", "--trajectories"),
    ("simulate --times ''", "--times"),
    ("simulate --times 0", "--times"),
    ("simulate --times 1,0", "--times"),
    ("simulate --times 0,1,1", "--times"),
    ("simulate --times 0,nan", "--times"),
    ("simulate --times 0,inf", "--times"),
    ("simulate --times 0,x", "--times"),
    ("simulate --times 0;1", "--times"),
    ("simulate --noise -1", "'--noise'"),
    ("simulate --noise nan", "--noise"),
    ("simulate --noise inf", "--noise"),
    ("simulate --corruption 2", "--corruption"),
    ("simulate --corruption nan", "--corruption"),
    ("simulate --drop -1", "--drop"),
    ("simulate --add nan", "--add"),
    ("simulate --add 1e9", "--add"),
    ("simulate --flip 1.5", "--flip"),
    ("simulate --seed -1", "'--seed'"),
    ("simulate --knockouts -1", "'--knockouts'"),
    ("simulate --genes 10 --knockouts 11", "--knockouts: the system has 10 genes, got 11"),
    ("simulate --genes 10 --knockdowns 11", "--knockdowns: the system has 10 genes, got 11"),
    ("simulate --names names.csv", "--names"),
    ("simulate --equations eq.csv --genes 10", "--genes"),
    ("simulate --equations eq.csv --names r01.txt", "r01.txt: 1 of its genes have no equation"),
    ("simulate --equations eq.csv --initial x50.csv", "x50.csv, row 4, column 2: time 0 appears twice"),
    ("simulate --equations eq.csv --initial e.csv", "e.csv, row 1: expected 'genes,trajectories'"),
    # Places for results.
    ("simulate --out e.csv", "e.csv: cannot be written"),
    ("simulate --out e.csv/below", "cannot be written"),
    ("simulate --out /proc/nothing", "cannot be written"),
    ("simulate --out /dev/null", "/dev/null: cannot be written"),
    ("simulate --out fifo", "fifo: cannot be written"),
    ("simulate --out dangling.csv", "dangling.csv: cannot be written"),
    ("simulate --out loop.csv", "loop.csv: cannot be written"),
    ("simulate --out foreign", "foreign: holds a trajectories.csv of which nothing is known"),
    ("simulate --out damaged-record", "contents.json: damaged"),
    ("simulate --out fifo-record", "contents.json: "),
    ("simulate --out " + "x" * 300, "cannot be written (File name too long)"),
    ("fit --expression e.csv --out foreign", "foreign: holds a edges.tsv of which nothing is known"),
    ("fit --expression e.csv --out e.csv", "e.csv: cannot be written"),
    ("influence fit --out foreign", "foreign: holds a influence.tsv of which nothing is known"),
    ("influence fit --out e.csv", "e.csv: cannot be written"),
    ("perturb fit --knock-out A --out e.csv", "e.csv: cannot be written"),
    ("pathways fit sets.gmt --min-size 2 --out foreign", "foreign: holds a pathways.tsv of which nothing is known"),
    ("score edges.tsv truth.csv --out foreign", "foreign: holds a scores.tsv of which nothing is known"),
    ("score edges.tsv truth.csv --out e.csv", "e.csv: cannot be written"),
    ("sweep grid.yaml --out foreign", "foreign: holds a results.parquet of which nothing is known"),
    ("sweep grid.yaml --out e.csv", "e.csv: cannot be written"),
    ("reproduce sim350 --out e.csv", "e.csv: cannot be written"),
    ("quickstart --out e.csv", "e.csv: cannot be written"),
    ("quickstart --out foreign", "foreign: holds a results.parquet of which nothing is known"),
]  # fmt: skip

#: Tables of files, and the commands that read them.
READ_BY = (
    (EXPRESSIONS, "check {}"),
    (PRIORS, "fit --expression e.csv --prior {}"),
    (INTERVENTIONS, "check e.csv --steady rest.csv --interventions {}"),
    (STEADY, "check e.csv --steady {}"),
    (REGULATORS, "fit --expression e.csv --regulators {}"),
    (GRIDS, "sweep {}"),
    (SETS, "pathways fit {} --min-size 2"),
    (EDGES, "export {} --to csv"),
    (EDGES[:5], "influence fit --edges {}"),
    (VALUES, "pathways fit sets.gmt --min-size 2 --influence {}"),
    (EQUATIONS, "simulate --equations {}"),
)

ODD = [
    *COMMANDS,
    *((command.format(name), said) for table, command in READ_BY for name, _, said in table),
    *(
        (role.format(NO_FILE[n][0]), NO_FILE[n][1])
        for role, chosen in ROLES
        for n in chosen
        if n < len(NO_FILE)
    ),
]  # fmt: skip

#: Commands that look odd and are right, and what they print.
RIGHT = [
    ("check bom.csv", "ready to fit"),
    ("check crlf.csv", "4 genes, 2 trajectories"),
    ("check cr.csv", "4 genes, 2 trajectories"),
    ("check plain.csv.gz", "4 genes, 2 trajectories"),
    ("check gzipped-without-a-name", "4 genes, 2 trajectories"),
    ("check semicolons.csv", "4 genes, 2 trajectories"),
    ("check tabs.csv", "4 genes, 2 trajectories"),
    ("check linked.csv", "4 genes, 2 trajectories"),
    ("check quoted.csv", "2 genes, 1 trajectory"),
    ("check hostile.csv", "3 genes, 1 trajectory"),
    ("check e.csv p.csv p.csv", "2 edges from 2 regulators"),
    ("check e.csv loops.csv", "self"),
    ("check - --steady rest.csv", "2 samples at rest"),
    ("check ./fit/../e.csv", "4 genes, 2 trajectories"),
    ("methods", "posterior"),
    ("methods --help", "Usage"),
    ("--help", "Usage"),
    ("", "Usage"),
    ("fit --help", "Usage"),
]

RIGHT_FILES = {
    "bom.csv": b"\xef\xbb\xbf" + GOOD["e.csv"].encode(),
    "crlf.csv": GOOD["e.csv"].replace("\n", "\r\n").encode(),
    "cr.csv": GOOD["e.csv"].replace("\n", "\r").encode(),
    "plain.csv.gz": gzip.compress(GOOD["e.csv"].encode()),
    "gzipped-without-a-name": gzip.compress(GOOD["e.csv"].encode()),
    "semicolons.csv": GOOD["e.csv"].replace(",", ";").encode(),
    "tabs.csv": GOOD["e.csv"].replace(",", "\t").encode(),
    "quoted.csv": b'"trajectory","time","A","B\nb"\n"m","0","1","2"\n"m","1","2","3"\n',
    "hostile.csv": "trajectory,time,=1+1,<b>x</b>,../名\nm,0,1,2,3\nm,1,2,3,4\n".encode(),
    "loops.csv": b"source,target\nA,A\nA,B\n",
    "still.csv": b"trajectory,time,A\nm,0,1\nm,1,1\n",
    "strange.tsv": b"source\ttarget\tweight\nX\tY\t1\n",
}


@pytest.fixture(scope="module")
def cells(place):
    """AnnData files, sound and odd."""
    anndata = pytest.importorskip("anndata")
    levels = np.arange(24.0).reshape(12, 2)
    obs = pd.DataFrame({"time": np.repeat([0, 1, 2], 4), "label": "x", "each": [f"t{n}" for n in range(12)]})
    obs.index = [f"c{n}" for n in range(12)]
    infinite = levels.copy()
    infinite[3, 1] = np.inf
    for name, values, genes, columns in (
        ("cells", levels, ["A", "B"], obs),
        ("infinite", infinite, ["A", "B"], obs),
        ("repeated", levels, ["A", "A"], obs),
        ("untimed", levels, ["A", "B"], obs.drop(columns="time")),
    ):
        anndata.AnnData(values, columns, pd.DataFrame(index=genes)).write_h5ad(place / f"{name}.h5ad")
    return place


@pytest.fixture
def run(place, request, monkeypatch, dashjax):
    """`run(command)`: what a command gives in the folder of files, which it must leave as it was."""
    if "h5ad" in request.node.name:
        request.getfixturevalue("cells")
    for name, content in RIGHT_FILES.items():
        (place / name).write_bytes(content)
    if not (place / "linked.csv").exists():
        (place / "linked.csv").symlink_to("e.csv")
    monkeypatch.chdir(place)
    for module in ("inference.infer", "inference.tuning", "sweep.sweep", "compare.comparison"):
        monkeypatch.setattr(
            import_module(f"dashjax.{module}"), "run_cells", lambda *_, **__: pytest.fail("trained first")
        )
    monkeypatch.setattr("dashjax.io.tables.PATIENCE", 0.2)

    before = sorted(place.rglob("*"))

    def call(command):
        found = dashjax(*shlex.split(command))
        assert sorted(place.rglob("*")) == before, "something was left behind"
        return found

    yield call
    shutil.rmtree(place / "out", ignore_errors=True)
    (place / "out").unlink(missing_ok=True)


#: Commands that write, which get an `--out` where they have none.
WRITE = ("fit", "export", "influence", "pathways", "perturb", "sweep", "compare", "reproduce", "simulate")


# A warning of NumPy's would be a second line.
@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize(("command", "said"), ODD, ids=[command[:60] or "nothing" for command, _ in ODD])
def test_an_odd_command_is_one_line(run, command, said):
    if command.split()[0] in WRITE and "--out" not in command and said != "Missing option '--out'":
        command += " --out out"
    code, out, err = run(command)
    assert "Traceback" not in out + err
    assert code == 2, (out, err)
    assert err.count("\n") == 1
    assert err.startswith("dashjax: ")
    assert said in err
    assert len(err) < 700


@pytest.mark.parametrize(("command", "shown"), RIGHT, ids=[command or "nothing" for command, _ in RIGHT])
def test_a_command_that_looks_odd_is_right(run, command, shown):
    code, out, err = run(command)
    assert (code, err) == (0, "")
    assert shown in out


def test_the_list_is_long_and_of_all_commands():
    assert len(ODD) + len(RIGHT) >= 300
    assert len({command for command, _ in ODD}) == len(ODD)
