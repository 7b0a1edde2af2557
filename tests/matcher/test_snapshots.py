"""Snapshot files: whole or not at all."""

from pathlib import Path

import pytest

from tests.matcher.commandlog import CommandLog, random_log
from tokenx_matcher.engine import OfferingEngine
from tokenx_matcher.snapshots import KEEP, SnapshotStore, decode, encode

FAR = 10**9


def engine_after(log: CommandLog, commands: int) -> OfferingEngine:
    engine = OfferingEngine("off_a")
    engine.apply(log.items[:commands])
    return engine


def small() -> OfferingEngine:
    log = CommandLog()
    log.order("buy", 99, 5)
    log.order("sell", 101, 3, owner=2)
    return engine_after(log, 2)


def found(store: SnapshotStore, *, exec_seq: int = FAR, cmd_seq: int = FAR) -> list[int]:
    return [engine.cmd_seq for engine in store.engines("off_a", exec_seq=exec_seq, cmd_seq=cmd_seq)]


def test_snapshot_goes_on_as_if_the_engine_had_never_stopped(tmp_path: Path) -> None:
    log, store = random_log(7, 400), SnapshotStore(tmp_path)
    engine = engine_after(log, 250)
    store.save(engine.image())
    (restored,) = store.engines("off_a", exec_seq=FAR, cmd_seq=FAR)
    assert restored.image() == engine.image()
    assert restored.apply(log.items[250:]) == engine.apply(log.items[250:])
    assert restored.state_hash() == engine.state_hash()


def test_file_torn_at_any_offset_is_skipped_and_the_older_one_used(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    older = engine_after(random_log(7, 1), 1)
    store.save(older.image())
    newest = store.save(small().image())
    whole = newest.read_bytes()
    assert found(store) == [2, 1]
    for offset in range(len(whole)):
        newest.write_bytes(whole[:offset])
        assert found(store) == [1], f"torn at {offset}"


def test_any_changed_byte_is_noticed() -> None:
    whole = encode(small().image())
    for offset in range(len(whole)):
        with pytest.raises(ValueError, match=r"sha256|version"):
            decode(whole[:offset] + bytes([whole[offset] ^ 1]) + whole[offset + 1 :])


def test_only_the_newest_three_stay(tmp_path: Path) -> None:
    log, store = random_log(7, 60), SnapshotStore(tmp_path)
    for commands in range(10, 60, 10):
        store.save(engine_after(log, commands).image())
    assert found(store) == [50, 40, 30]
    assert len(list(tmp_path.iterdir())) == KEEP


def test_snapshot_beyond_what_the_api_holds_is_not_used(tmp_path: Path) -> None:
    log, store = random_log(7, 60), SnapshotStore(tmp_path)
    for commands in (10, 20, 30):
        store.save(engine_after(log, commands).image())
    middle = engine_after(log, 20)
    assert found(store, exec_seq=middle.exec_seq) == [20, 10]
    assert found(store, cmd_seq=29) == [20, 10]
    assert found(store, exec_seq=0) == []


def test_offerings_do_not_see_each_others_files(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    store.save(small().image())
    assert list(store.engines("off_a-2", exec_seq=FAR, cmd_seq=FAR)) == []
    with pytest.raises(ValueError, match="not an offering id"):
        list(store.engines("../off_a", exec_seq=FAR, cmd_seq=FAR))
