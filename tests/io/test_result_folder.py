"""A folder belongs to its results: nothing is overwritten, mixed or half-written, and a refusal changes nothing."""

import pytest

from dashjax import InputError
from dashjax.io.provenance import RUN
from dashjax.io.result_folder import RECORD, claimed, published, read_record, refuse_changed
from dashjax.io.sealed import write_json


def put(folder, of, fingerprint, force=False, **files):
    """Make a result of files by their names."""
    main = f"{next(iter(files))}.txt"
    with claimed(folder, of, fingerprint, main, f"dashjax {of} {fingerprint}", force), published(folder, of) as part:
        for name, text in files.items():
            (part / f"{name}.txt").write_text(text)


def there(folder):
    return {path.name: path.read_text() for path in folder.iterdir() if path.name not in (RECORD, RUN)}


def test_another_result_of_a_kind_is_refused_before_any_work_and_replaced_whole_by_force(tmp_path):
    put(tmp_path, "fit", "one", edges="1", choice="1")
    with pytest.raises(
        InputError, match=r"holds another result \(dashjax fit one\); choose another folder, or --force"
    ):
        put(tmp_path, "fit", "two", edges="2")
    assert there(tmp_path) == {"edges.txt": "1", "choice.txt": "1"}
    put(tmp_path, "fit", "one", edges="1", choice="1")
    put(tmp_path, "fit", "two", force=True, edges="2")
    assert there(tmp_path) == {"edges.txt": "2"}
    assert set(read_record(tmp_path)) == {"fit"}


def test_kinds_exclude_each_other_but_questions_share_a_folder(tmp_path):
    put(tmp_path, "fit", "f", edges="1")
    with pytest.raises(InputError, match=r"holds another result \(dashjax fit f\)"):
        put(tmp_path, "sweep", "s", results="2")
    put(tmp_path, "influence", "i", influence="3")
    put(tmp_path, "perturb", "p", response="4")
    assert set(read_record(tmp_path)) == {"fit", "influence", "perturb"}
    # A file of another result may come again as it is, and not otherwise.
    put(tmp_path, "pathways", "q", pathways="5", influence="3")
    with pytest.raises(InputError, match="influence.txt: belongs to another result"):
        put(tmp_path, "pathways", "q", pathways="6", influence="4")
    assert there(tmp_path)["pathways.txt"] == "5"


def test_files_of_which_nothing_is_known_are_not_overwritten(tmp_path):
    (tmp_path / "edges.txt").write_text("mine")
    with pytest.raises(InputError, match="holds a edges.txt of which nothing is known"):
        put(tmp_path, "fit", "f", edges="1")
    with pytest.raises(InputError, match="edges.txt: belongs to another result"):
        put(tmp_path, "fit", "f", curves="1", edges="1")
    assert there(tmp_path) == {"edges.txt": "mine"}
    put(tmp_path, "fit", "f", force=True, edges="1")
    assert there(tmp_path) == {"edges.txt": "1"}


def test_what_fails_leaves_the_folder_as_it_was(tmp_path):
    def fail(folder):
        with claimed(folder, "fit", "f", "edges.txt"), published(folder, "fit") as part:
            (part / "edges.txt").write_text("half")
            raise InputError(f"{part / 'curves.txt'}: cannot be written (No space left on device)")

    with pytest.raises(InputError) as caught:
        fail(tmp_path / "new")
    assert str(caught.value).startswith(f"{tmp_path / 'new' / 'curves.txt'}: cannot")
    assert not (tmp_path / "new").exists()
    put(tmp_path / "old", "fit", "f", edges="1")
    before = (tmp_path / "old" / RECORD).read_text()
    with pytest.raises(InputError):
        fail(tmp_path / "old")
    assert there(tmp_path / "old") == {"edges.txt": "1"}
    assert (tmp_path / "old" / RECORD).read_text() == before


def test_a_result_that_is_worked_on_keeps_its_place_and_one_that_lost_it_is_not_written(tmp_path):
    with claimed(tmp_path, "fit", "one", "edges.txt", "the first"):
        with pytest.raises(InputError, match=r"holds another result \(the first\)"):
            put(tmp_path, "sweep", "two", results="2")
    record = read_record(tmp_path)

    def lose():
        with claimed(tmp_path, "fit", "one", "edges.txt"):
            write_json(tmp_path / RECORD, {"fit": record["fit"] | {"fingerprint": "theirs"}})  # another process
            with published(tmp_path, "fit") as part:
                (part / "edges.txt").write_text("1")

    with pytest.raises(InputError, match="was taken by another result"):
        lose()
    assert there(tmp_path) == {}


def test_a_file_that_was_changed_is_not_read_as_the_result_unless_it_was_taken_elsewhere(tmp_path):
    put(tmp_path, "fit", "f", edges="1")
    refuse_changed(tmp_path / "edges.txt")
    (tmp_path / "edges.txt").write_text("2")
    with pytest.raises(InputError, match="edges.txt: changed since dashjax fit wrote it; make it again, or copy it"):
        refuse_changed(tmp_path / "edges.txt")
    (tmp_path / "mine").mkdir()
    (tmp_path / "edges.txt").rename(tmp_path / "mine" / "edges.txt")
    refuse_changed(tmp_path / "mine" / "edges.txt")


def test_a_damaged_record_is_refused_and_begun_anew_by_force(tmp_path):
    put(tmp_path, "fit", "f", edges="1")
    (tmp_path / RECORD).write_text((tmp_path / RECORD).read_text().replace("edges.txt", "Edges.txt"))
    with pytest.raises(InputError, match=r"contents.json: damaged, .*; .* or --force to begin anew"):
        put(tmp_path, "fit", "f", edges="1")
    put(tmp_path, "fit", "g", force=True, edges="2")
    assert there(tmp_path) == {"edges.txt": "2"}
    refuse_changed(tmp_path / "edges.txt")


def test_force_takes_a_file_from_the_result_that_it_was_of(tmp_path):
    put(tmp_path, "influence", "i", influence="1")
    put(tmp_path, "pathways", "p", force=True, pathways="2", influence="3")
    refuse_changed(tmp_path / "influence.txt")
    assert there(tmp_path) == {"influence.txt": "3", "pathways.txt": "2"}
