import pytest

from dashjax import InputError
from dashjax.sweep import expand, load_grid, parse_grid

BASE = {"system": {"kind": "simulated", "genes": 10, "seed": 0}, "methods": ["dense", "dash"], "seeds": 2, "epochs": 5}


def test_lists_are_swept_and_fixed_trust_is_not():
    grid = parse_grid(
        BASE
        | {
            "noise": [0.0, 0.05],
            "methods": ["imp", {"name": "dash", "lambda_1": [0.1, 0.2, 0.3], "lambda_2": 0.5}],
            "prior_corruption": [0.1, 0.2],
        }
    )
    cells = expand(grid)
    assert len(cells) == 2 * 2 * (1 + 3) * 2
    assert {c.lambda_1 for c in cells if c.method == "dash"} == {0.1, 0.2, 0.3}
    assert {(c.lambda_1, c.lambda_2) for c in cells if c.method == "imp"} == {(0.0, 0.0)}
    assert len(set(cells)) == len(cells)


def test_files_are_swept_as_systems_are():
    data = {"expression": ["a.csv", "b.csv"], "prior": ["p.csv", ["p.csv", "q.csv"], None]}
    cells = expand(parse_grid({"data": data, "methods": ["dash"], "seeds": 2}))
    assert len(cells) == 2 * 3 * 2
    assert {(c.expression, c.prior) for c in cells} == {(e, p) for e in range(2) for p in range(3)}
    assert {(c.noise, c.prior_corruption) for c in cells} == {(0.0, None)}
    assert len(expand(parse_grid({"data": {"expression": "a.csv"}, "methods": ["dash"], "seeds": 2}))) == 2


def test_a_key_twice_is_refused_for_the_first_would_be_lost(tmp_path):
    (tmp_path / "g.yaml").write_text("system: {kind: simulated, genes: 10}\nmethods: [dash]\nmethods: [imp]\n")
    with pytest.raises(InputError, match="g.yaml, row 1, column 1: not valid YAML \\(key 'methods' appears twice\\)"):
        load_grid(tmp_path / "g.yaml")


def test_seeds_that_jax_cannot_tell_apart_are_refused():
    assert parse_grid(BASE | {"seeds": [2**32 - 1]}).seeds == (2**32 - 1,)
    with pytest.raises(InputError, match="seeds"):
        parse_grid(BASE | {"seeds": [2**32]})


def test_repeated_methods_run_once():
    assert len(expand(parse_grid(BASE | {"methods": ["dense", "dense"]}))) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"nois": 0.1}, r"unknown key 'nois' \(did you mean 'noise'\?\); valid: system, data, trajectories, noise"),
        ({"methods": [{"name": "dahs"}]}, r"methods.0.name: unknown method 'dahs' \(did you mean 'dash'\?\)"),
        ({"methods": [{"name": "dash", "lambda": 1}]}, r"unknown key 'methods.0.lambda' .*valid: name, lambda_1"),
        ({"methods": [{"name": "dash", "lambda_1": 1.5}]}, "lambda_1.0: Input should be less than or equal to 1"),
        ({"methods": [{"name": "dash", "strength": 1}]}, "methods.0: dash has no strength"),
        ({"methods": [{"name": "pinn", "strength": 1.5}]}, "strength of pinn must be between 0 and 1, got 1.5"),
        ({"methods": [{"name": "dst", "strength": [0.1, -1]}]}, "strength of dst must not be negative, got -1"),
        ({"objective": "two_step"}, "objective: unknown objective 'two_step'.*; valid: one_step, whole_trajectory"),
        ({"field": "phenix"}, r"field: unknown field 'phenix' \(did you mean 'phoenix'\?\); valid: "),
        ({"hidden_layers": 2}, "hidden_layers: only field mlp can have 2"),
        ({"data": {"expression": "e.csv"}}, "system, data: give one of the two"),
        ({"system": None, "data": {"expression": "e.csv"}, "noise": 0.1}, "noise: only a simulated system has it"),
        ({"system": None, "data": {"expresion": "e.csv"}}, r"'data.expresion' \(did you mean 'expression'\?\)"),
        ({"system": None, "data": {"expression": "e.csv", "prio": "p"}}, r"'data.prio' \(did you mean 'prior'\?\)"),
        ({"folds": 30}, "folds: 30 folds of 10 validation trajectories out of 150; at most 15"),
        ({"methods": []}, "methods: .*at least 1 item"),
        ({"system": {"kind": "simulated", "gene": 3}}, r"'system.gene' \(did you mean 'genes'\?\)"),
        (
            {"system": {"kind": "simulated", "genes": 10, "sed": 3}},
            r"'system.sed' .*valid: kind, genes, seed",
        ),
        ({"system": {"kind": "other"}}, "system: .*'simulated', 'equations'"),
        ({"system": None}, "system"),
        ({"trajectories": {"times": [0, 2, 1]}}, "trajectories.times: needs at least two times"),
        ({"trajectories": {"trian": 3}}, r"unknown key 'trajectories.trian' \(did you mean 'train'\?\)"),
        ({"epochs": 0}, "epochs: .*greater than or equal to 1"),
        ({"epochs": "many"}, "epochs: .*integer"),
        ({"noise": -1}, "noise.0: "),
        ({"prior_corruption": 2}, "prior_corruption.0: "),
    ],
)
def test_mistakes_are_named_with_the_mend(change, message):
    with pytest.raises(InputError, match=message) as caught:
        parse_grid(BASE | change, "grid.yaml")
    assert str(caught.value).startswith("grid.yaml: ")
    assert len(str(caught.value).splitlines()) == 1


def test_files_are_found_from_the_grid_and_variables_expanded(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "e.csv").write_text("node,eqn\n")
    folder = tmp_path / "grids" / "deep"
    folder.mkdir(parents=True)
    text = "system: {kind: equations, equations: '${PLACE:-data}/e.csv'}\nmethods: [dense]\n"
    (folder / "g.yaml").write_text(text)
    assert load_grid(folder / "g.yaml").system.equations == str(tmp_path / "data" / "e.csv")
    (folder / "p.csv").write_text("source,target\n")
    (folder / "d.yaml").write_text("data: {expression: data/e.csv, prior: [[p.csv], null]}\nmethods: [dash]\n")
    data = load_grid(folder / "d.yaml").data
    assert (data.expression, data.prior) == ((str(tmp_path / "data" / "e.csv"),), ((str(folder / "p.csv"),), None))
    for name in ("rest.csv", "done.csv"):
        (tmp_path / "data" / name).write_text("")
    experiments = "steady: data/rest.csv, interventions: data/done.csv"
    (folder / "e.yaml").write_text(f"data: {{expression: data/e.csv, {experiments}}}\nmethods: [dash]\n")
    data = load_grid(folder / "e.yaml").data
    assert (data.steady, data.interventions) == tuple(str(tmp_path / "data" / n) for n in ("rest.csv", "done.csv"))
    monkeypatch.setenv("PLACE", "elsewhere")
    with pytest.raises(InputError, match="g.yaml, system.equations: no such file 'elsewhere/e.csv'"):
        load_grid(folder / "g.yaml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "row .*not valid YAML"),
        ("- 1", "expected keys system"),
        ("!!python/object:os.system x", "not valid YAML"),
    ],
)
def test_broken_yaml_is_refused(tmp_path, text, message):
    (tmp_path / "g.yaml").write_text(text)
    with pytest.raises(InputError, match=message):
        load_grid(tmp_path / "g.yaml")
    with pytest.raises(InputError, match="no such file"):
        load_grid(tmp_path / "absent.yaml")
