"""Folders of results: each file belongs to one result, is published whole, and is told from what became of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from dashjax.errors import InputError
from dashjax.io.files import check_writable, clear_leftovers, explained, make_folder, temporary_name
from dashjax.io.provenance import begin_run, describe_call, end_run, read_runs, write_runs
from dashjax.io.sealed import checksum, read_json, write_json

#: Records whose files are whose, by what wrote them, with their checksums.
RECORD = "contents.json"
#: What may stand beside anything, for its files have names of their own.
_ASKED = ("influence", "pathways", "perturb", "score")
_NOBODY: dict[str, Any] = {"fingerprint": "", "words": "", "files": {}, "replaces": [], "force": False}
#: Fingerprints of what this process has claimed, and the records of its runs, by folder and kind.
_claims: dict[tuple[str, str], str] = {}
_runs: dict[tuple[str, str], dict[str, Any]] = {}


@contextmanager
def claimed(
    folder: Path,
    of: str,
    fingerprint: str,
    main_file: str,
    words: str = "",
    force: bool = False,
    made: Mapping[str, Any] | None = None,
    command: Sequence[str] = (),
) -> Iterator[Mapping[str, Any]]:
    """Make a folder the place of one result before it is worked on, and give it back where nothing came of it.

    A folder takes one result of each kind, and one at all of those that are not questions to a network. The same
    result may be made again. The record is the lock: it is written before the work, so another result is refused
    while this one is worked on. How it is made is recorded beside it: see `dashjax.io.provenance`.

    Args:
        folder: where results go.
        of: the kind of result: a command's name, and after a space what tells results of it apart that may share a
            folder, as a perturbation does.
        fingerprint: of all that it depends on.
        main_file: of its files, the one that tells that there is a result of this kind.
        words: what to call it in messages.
        force: whether to replace what is in the way.
        made: how, see `describe_call`; of a call from Python if None.
        command: what was typed, without the folder.

    Yields:
        What lasts of the record.

    Raises:
        InputError: where the folder cannot be written, or holds another result.
    """
    made = describe_call(f"dashjax.{of}", {}) if made is None else made
    check_writable(folder)
    there = folder.exists()
    make_folder(folder)
    try:
        with _alone(folder):
            clear_leftovers(folder)
            try:
                before, runs_before = read_record(folder), read_runs(folder)
            except InputError as error:
                if not force:
                    raise InputError(f"{error}; choose another folder, or --force to begin anew") from None
                before, runs_before = {}, {}
            record = _with_claim(before, folder, of, fingerprint, main_file, words, force)
            write_json(folder / RECORD, record)
            # The same result made again or gone on with keeps its first record; what replaces another begins anew.
            again = before.get(of, {}).get("fingerprint") == fingerprint
            kept = {kind: runs for kind, runs in runs_before.items() if kind in record and (again or kind != of)}
            run = _runs[_place(folder), of] = begin_run(made, command)
            write_runs(folder, {**kept, of: [*kept.get(of, ()), run]})
        _claims[_place(folder), of] = fingerprint
        try:
            yield made
        except InputError:
            # What cannot be does not keep a place; what is finished of it is found again by whatever needs it.
            if not read_record(folder).get(of, {}).get("files"):
                write_json(folder / RECORD, before) if before else (folder / RECORD).unlink()
                write_runs(folder, runs_before)
            raise
        end_claim(folder, of)
    except InputError:
        if not there:
            with suppress(OSError):
                folder.rmdir()
        raise


def _place(folder: Path) -> str:
    """Return one name for a folder, however it was given; unlike `Path.resolve`, of a link to itself too."""
    return os.path.realpath(folder)


def end_claim(folder: Path, of: str, findings: Sequence[str] | None = None) -> None:
    """Record that a result which this process claimed is done, and what was said of it; nothing where it gave it up."""
    run = _runs.get((_place(folder), of))
    if run is None or not folder.exists():
        return
    with _alone(folder):
        runs = read_runs(folder)
        mine = [one["id"] == run["id"] for one in runs.get(of, ())]
        if any(mine):
            done = [end_run(one, findings) if own else one for one, own in zip(runs[of], mine, strict=True)]
            write_runs(folder, {**runs, of: done})


def how_made(folder: Path, of: str) -> dict[str, Any]:
    """Return how a result is being made, or was, without times and remarks; nothing where nobody recorded it."""
    run = _runs.get((_place(folder), of)) or next(iter(read_runs(folder).get(of, ())), {})
    return {name: part for name, part in run.items() if name not in ("id", "started", "ended", "findings")}


def _with_claim(
    record: dict[str, Any], folder: Path, of: str, fingerprint: str, main_file: str, words: str, force: bool
) -> dict[str, Any]:
    """Return a record with a result's claim, and without what that replaces."""
    others = {kind for kind in record if kind != of and not {_command(kind), _command(of)} & set(_ASKED)}
    if of in record and record[of]["fingerprint"] != fingerprint:
        others.add(of)
    way_out = "choose another folder, or --force to replace it"
    if others and not force:
        raise InputError(f"{folder}: holds another result ({record[min(others)]['words'] or min(others)}); {way_out}")
    known = any(main_file in entry["files"] for entry in record.values())
    if of not in record and (folder / main_file).exists() and not (known or force):
        raise InputError(f"{folder}: holds a {main_file} of which nothing is known; {way_out}")
    replaced = {name for kind in others for part in ("files", "replaces") for name in record[kind][part]}
    kept = {kind: entry for kind, entry in record.items() if kind not in others}
    entry = kept.pop(of, {**_NOBODY, "fingerprint": fingerprint, "words": words})
    replaced |= set(entry["replaces"])
    mine = {**entry, "replaces": sorted(replaced), "force": force or entry["force"]}
    return dict(sorted({**kept, of: mine}.items()))


@contextmanager
def published(folder: Path, of: str, made: Mapping[str, Any] | None = None) -> Iterator[Path]:
    """Give an empty folder, and move what was written there to its place once all of it is there.

    Args:
        folder: where results go.
        of: the kind of result.
        made: how it was made where nobody has claimed the folder for it, see `describe_call`.

    Raises:
        InputError: where a file cannot be written, or would replace another result's; nothing has changed then.
    """
    part = temporary_name(folder / of)
    try:
        make_folder(part)
        try:
            yield part
        except InputError as error:
            raise InputError(str(error).replace(str(part), str(folder))) from None
        with _alone(folder):
            _publish(part, folder, of)
            if of not in (runs := read_runs(folder)):
                run = end_run(begin_run(made or describe_call(f"dashjax.{of}", {})))
                write_runs(folder, {**runs, of: [run]})
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _publish(part: Path, folder: Path, of: str) -> None:
    written = {path.relative_to(part).as_posix(): path.read_bytes() for path in part.rglob("*") if path.is_file()}
    record = read_record(folder)
    mine = _claims.get((_place(folder), of))
    entry = record.setdefault(of, {**_NOBODY, "fingerprint": mine or ""})
    if mine not in (None, entry["fingerprint"]):
        raise InputError(f"{folder}: was taken by another result ({entry['words']}) while this one was made")
    free = {*entry["files"], *entry["replaces"]}
    free -= {name for kind, other in record.items() if kind != of for name in other["files"]}
    for name, content in written.items():
        there = folder / name
        if not (entry["force"] or name in free) and there.exists() and there.read_bytes() != content:
            raise InputError(f"{there}: belongs to another result; choose another folder, or --force to replace it")
        for kind, other in record.items():
            if entry["force"] and kind != of:
                other["files"].pop(name, None)
    stale = set(entry["replaces"]) - set(written)
    entry |= {"files": {**entry["files"], **{name: checksum(content) for name, content in written.items()}}}
    entry |= {"replaces": [], "force": False}
    # Before the files, so that a kill in between leaves files that are known to be wrong.
    write_json(folder / RECORD, record)
    with explained(folder):
        for name in written:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (part / name).replace(folder / name)
        for name in stale:
            (folder / name).unlink(missing_ok=True)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other processes from changing a folder's record meanwhile, where the system can; a dead one keeps nobody."""
    try:
        import fcntl

        lock = os.open(folder, os.O_RDONLY)
    except (ImportError, OSError):
        yield
        return
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _command(kind: str) -> str:
    return kind.partition(" ")[0]


def read_record(folder: Path) -> dict[str, Any]:
    """Return what a folder records of its results, by kind; nothing where it has no record.

    Raises:
        InputError: where the record is damaged.
    """
    try:
        return read_json(folder / RECORD)
    except (FileNotFoundError, NotADirectoryError):
        return {}


def refuse_changed(path: Path | str) -> None:
    """Refuse a file that its folder's record knows otherwise.

    Raises:
        InputError: where it has been damaged or edited since it was written.
    """
    path = Path(path)
    for kind, entry in read_record(path.parent).items():
        sum_then = entry["files"].get(path.name)
        if sum_then is not None and path.is_file() and checksum(path.read_bytes()) != sum_then:
            raise InputError(
                f"{path}: changed since dashjax {_command(kind)} wrote it; make it again, or copy it elsewhere to use "
                "it as it is"
            )
