"""Batches on disk: whole and of this run, or not counted."""

import errno
import hashlib
import json
import os
import shutil
import tempfile
import time
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.runs import batches
from sim.runs.batches import BatchStore, cut
from sim.runs.precision import FIRST

MARK = "0123456789abcdef"
BATCH = range(40, 60)
ARRAYS: dict[str, Any] = {
    "start": np.arange(60, dtype=np.int64).reshape(20, 3),
    "met": np.array([True, False]),
    "share": np.array([[0.5, -np.inf, np.nan]]),
    "small": np.array([3, 2], dtype=np.int8),
    "swapped": np.array([1, 2], dtype=">i4"),
    "transposed": np.arange(6).reshape(2, 3).T,
    "nothing": np.zeros((0, 7)),
    "one": np.array(7),
    "drivers/钢材": np.array([1.5]),
}


@pytest.fixture
def store(tmp_path: Path) -> BatchStore:
    return BatchStore(tmp_path / "deep" / "partial", MARK)


def place(store: BatchStore) -> Path:
    (path,) = store.folder.iterdir()
    return path


class TestRoundTrip:
    def test_what_is_written_is_read(self, store: BatchStore) -> None:
        assert store.finished() == []
        assert store.read(BATCH) is None
        store.write(BATCH, ARRAYS)
        assert store.finished() == [BATCH]
        found = store.read(BATCH)
        assert found is not None
        assert found.keys() == ARRAYS.keys()
        for name, array in ARRAYS.items():
            assert found[name].dtype == array.dtype.newbyteorder("<")
            assert found[name].shape == array.shape
            assert np.array_equal(found[name], array, equal_nan=array.dtype.kind == "f")
            assert found[name].flags.writeable

    def test_arrays_keep_their_order_and_make_the_same_bytes(self, store: BatchStore) -> None:
        store.write(BATCH, ARRAYS)
        before = place(store).read_bytes()
        store.write(BATCH, dict(ARRAYS))
        assert place(store).read_bytes() == before
        store.write(BATCH, dict(reversed(ARRAYS.items())))
        assert list(store.read(BATCH) or ()) == list(reversed(ARRAYS))

    def test_in_order_and_nothing_else(self, store: BatchStore) -> None:
        for first in (100_000_000, 20, 0):
            store.write(range(first, first + 20), {})
        for name in (".writing-x", "batch-00000040.sim", "batch-00000040-00000059.sim.bak", "x"):
            (store.folder / name).write_bytes(b"x")
        (store.folder / "batch-00000080-00000099.sim").mkdir()
        assert [one.start for one in store.finished()] == [0, 20, 100_000_000]
        assert store.read(range(80, 100)) is None

    def test_text_and_objects_are_refused(self, store: BatchStore) -> None:
        for array in (np.array(["a"]), np.array([object()]), np.array([1j])):
            with pytest.raises(TypeError):
                store.write(BATCH, {"a": array})
        assert store.finished() == []

    def test_what_could_not_be_read_again_is_not_written(
        self, store: BatchStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(batches, "_LARGEST", 900)
        with pytest.raises(ValueError, match="too large"):
            store.write(BATCH, ARRAYS)


class TestDamage:
    def test_every_truncation(self, store: BatchStore) -> None:
        store.write(BATCH, ARRAYS)
        path, whole = place(store), place(store).read_bytes()
        for size in range(0, len(whole), 7):
            path.write_bytes(whole[:size])
            assert store.read(BATCH) is None, size
            assert store.finished() == [], size
        path.write_bytes(whole + b"\0")
        assert store.read(BATCH) is None
        assert store.finished() == []

    def test_every_flipped_byte(self, store: BatchStore) -> None:
        store.write(BATCH, ARRAYS)
        path, whole = place(store), place(store).read_bytes()
        for at in range(len(whole)):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
            assert store.read(BATCH) is None, at

    def test_of_another_run(self, store: BatchStore) -> None:
        store.write(BATCH, ARRAYS)
        other = BatchStore(store.folder, "f" * 16)
        assert other.finished() == []
        assert other.read(BATCH) is None

    def test_of_another_platform(self, store: BatchStore, monkeypatch: pytest.MonkeyPatch) -> None:
        store.write(BATCH, ARRAYS)
        monkeypatch.setattr("platform.python_version", lambda: "3.99.0")
        assert BatchStore(store.folder, MARK).read(BATCH) is None

    def test_under_the_name_of_another_batch(self, store: BatchStore) -> None:
        store.write(BATCH, ARRAYS)
        shutil.move(place(store), store.folder / "batch-00000060-00000079.sim")
        assert store.finished() == []
        assert store.read(range(60, 80)) is None

    def test_of_another_version(self, store: BatchStore) -> None:
        store.write(BATCH, ARRAYS)
        path = place(store)
        path.write_bytes(path.read_bytes().replace(b"batch 2\n", b"batch 1\n"))
        assert store.finished() == []
        assert store.read(BATCH) is None

    def test_the_next_write_mends_it(self, store: BatchStore) -> None:
        store.write(BATCH, ARRAYS)
        place(store).write_bytes(b"")
        store.write(BATCH, ARRAYS)
        assert store.read(BATCH) is not None


class TestHostile:
    """Files whose hash is right and whose content is not."""

    def write(self, store: BatchStore, change: Callable[[dict[str, Any]], object],
              payload: bytes = bytes(16)) -> None:  # fmt: skip
        self.write_packed(store, zlib.compress(payload), change)

    @staticmethod
    def write_packed(
        store: BatchStore, packed: bytes, change: Callable[[dict[str, Any]], object] = id
    ) -> None:
        """Put packed bytes behind a right header, under a right hash."""
        store.write(BATCH, {"a": np.zeros(2)})
        path = place(store)
        kind, _, line = path.read_bytes().split(b"\n")[:3]
        header = json.loads(line)
        header["packed"] = len(packed)
        change(header)
        rest = json.dumps(header).encode() + b"\n" + packed
        mark = hashlib.blake2b(rest, digest_size=32).hexdigest().encode()
        path.write_bytes(kind + b"\n" + mark + b"\n" + rest)

    def test_the_hand_that_writes_them_can_write_a_right_one(self, store: BatchStore) -> None:
        self.write(store, lambda _: None)
        found = store.read(BATCH)
        assert found is not None
        assert found["a"].tolist() == [0, 0]

    def test_nothing_may_follow_what_is_packed(self, store: BatchStore) -> None:
        """Neither beside it, nor as a second piece after the first has ended."""
        packed = zlib.compress(bytes(16)) + b"more"
        self.write_packed(store, packed)
        assert store.read(BATCH) is None
        self.write_packed(store, packed.removesuffix(b"more"))
        assert store.read(BATCH) is not None

    def test_what_swells_is_not_unpacked(self, store: BatchStore) -> None:
        """A file of 200 kB that would be 200 MB takes no such room."""
        self.write_packed(store, zlib.compress(bytes(200_000_000)))
        tracemalloc.start()
        try:
            assert store.read(BATCH) is None
            assert tracemalloc.get_traced_memory()[1] < 20_000_000
        finally:
            tracemalloc.stop()

    @pytest.mark.parametrize(
        "arrays",
        [
            None, 5, "a", {}, [None], [["a"]], [["a", "<f8"]], [[1, "<f8", [2]]],
            [["a", "|O8", [2]]], [["a", "<V8", [2]]], [["a", "O", [2]]], [["a", "<f1", [16]]],
            [["a", "<f8", [-2]]], [["a", "<f8", [-1, -2]]], [["a", "<f8", [2.0]]],
            [["a", "<f8", [True, 2]]], [["a", "<f8", ["2"]]], [["a", "<f8", 2]],
            [["a", "<f8", [3]]], [["a", "<f8", [1]]], [["a", "<f8", [1 << 62]]],
            [["a", "<f8", [0, 1 << 30, 1 << 30, 1 << 30]], ["b", "<f8", [2]]],
            [["a", "<f8", [1 << 29, 1 << 29, 1 << 29]]], [["a", "<f8", [1] * 40 + [2]]],
            [["a", "<f8", [2]], ["b", "<f8", [1]]], [], [["a", "<f8", [2]], ["b", "|u1", [1]]],
            [["a", "|u1", [16]]], [["a", "|u1", [1 << 20]]], [["a", "|u1", [1 << 62]]],
        ],
    )  # fmt: skip
    def test_lists_of_arrays(self, arrays: object, store: BatchStore) -> None:
        self.write(store, lambda header: header.update(arrays=arrays))
        assert store.read(BATCH) is None

    def test_a_payload_that_swells(self, store: BatchStore) -> None:
        self.write(store, lambda _: None, bytes(1 << 24))
        assert store.read(BATCH) is None

    def test_a_header_without_end(self, store: BatchStore) -> None:
        self.write(store, lambda header: header.update(more="x" * (1 << 17)))
        assert store.finished() == []
        assert store.read(BATCH) is None

    def test_a_file_without_end(self, store: BatchStore, monkeypatch: pytest.MonkeyPatch) -> None:
        store.write(BATCH, ARRAYS)
        monkeypatch.setattr(batches, "_LARGEST", place(store).stat().st_size - 1)
        assert store.read(BATCH) is None


class TestWriting:
    def test_a_failure_leaves_no_trace_and_names_the_place(
        self, store: BatchStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(_: int) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        store.folder.mkdir(parents=True)
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left") as raised:
            store.write(BATCH, ARRAYS)
        assert raised.value.errno == errno.ENOSPC
        assert raised.value.filename == str(store.folder / "batch-00000040-00000059.sim")
        assert list(store.folder.iterdir()) == []

    def test_on_disk_before_it_bears_its_name(
        self, store: BatchStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        log: list[str] = []
        sync, replace = os.fsync, os.replace

        def synced(handle: int) -> None:
            log.append("folder" if os.path.isdir(f"/proc/self/fd/{handle}") else "file")
            sync(handle)

        def replaced(source: Any, target: Any) -> None:
            log.append("name")
            replace(source, target)

        store.folder.mkdir(parents=True)
        monkeypatch.setattr(os, "fsync", synced)
        monkeypatch.setattr(os, "replace", replaced)
        store.write(BATCH, ARRAYS)
        assert log == ["file", "name", "folder"]

    @pytest.mark.parametrize("moment", ["mkstemp", "replace"])
    def test_a_folder_that_vanishes_is_made_again(
        self, moment: str, store: BatchStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        home = tempfile if moment == "mkstemp" else os
        usual = getattr(home, moment)
        times: list[int] = []

        def vanishing(*words: Any, **more: Any) -> Any:
            if not times:
                times.append(1)
                store.remove()
            return usual(*words, **more)

        store.write(range(20), {})
        monkeypatch.setattr(home, moment, vanishing)
        store.write(BATCH, ARRAYS)
        assert store.finished() == [BATCH]

    def test_only_what_was_abandoned_is_swept(self, store: BatchStore) -> None:
        store.write(BATCH, ARRAYS)
        old, new = store.folder / ".writing-old", store.folder / ".writing-new"
        for path in (old, new):
            path.write_bytes(b"half")
        os.utime(old, (time.time() - 7200,) * 2)
        os.utime(place_of(store), (time.time() - 7200,) * 2)
        store.sweep()
        assert not old.exists()
        assert new.exists()
        assert store.finished() == [BATCH]
        store.remove()
        store.remove()
        assert not store.folder.exists()


def place_of(store: BatchStore) -> Path:
    return store.folder / "batch-00000040-00000059.sim"


class TestCut:
    @pytest.mark.parametrize("projects", [1, 10, 63, 100, 399, 1172, 3999, 4001, 10**6])
    def test_batches_end_at_every_look(self, projects: int) -> None:
        whole = cut(2 * FIRST, projects, "reference")
        assert [one for batch in whole for one in batch] == list(range(2 * FIRST))
        assert FIRST in {batch.stop for batch in whole}
        assert len({len(batch) for batch in whole}) == 1

    @pytest.mark.parametrize("projects", [1, 100, 1172, 1250, 1251, 3999, 10**6])
    def test_of_the_compiled_engine_too_and_an_early_one(self, projects: int) -> None:
        count = 20 * FIRST
        whole = cut(count, projects, "compiled")
        assert [one for batch in whole for one in batch] == list(range(count))
        ends = {batch.stop for batch in whole}
        looks = {FIRST << k for k in range(5)}
        assert looks <= ends
        assert len(whole[0]) <= 64
        assert max(map(len, whole)) <= 4 * FIRST
        for less in (1, 63, 64, 65, 319, 320, 321, 5000):
            assert set(cut(less, projects, "compiled")[:-1]) <= set(whole)

    def test_whatever_is_asked_for_they_lie_where_they_lay(self) -> None:
        long = set(cut(640, 100, "reference"))
        assert set(cut(200, 100, "reference")) <= long
        assert cut(50, 100, "reference") == [range(40), range(40, 50)]
