"""The generator against its published vectors, and the addresses of draws."""

import hashlib

import numpy as np
import pytest
from scipy import stats

from sim.sampling import register
from sim.sampling.streams import address, philox4x32, uniforms

# Known answers of Philox 4x32-10, as published with the Random123 library.
VECTORS = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    (
        (0xFFFFFFFF,) * 4,
        (0xFFFFFFFF,) * 2,
        (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD),
    ),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "expected"), VECTORS)
def test_philox_vectors(
    counter: tuple[int, int, int, int], key: tuple[int, int], expected: tuple[int, ...]
) -> None:
    assert tuple(int(word) for word in philox4x32(counter, key)) == expected


def test_the_key_is_the_seed_and_the_counter_replication_and_address() -> None:
    seed, replication, where = 0x0123456789ABCDEF, 0x1122334455667788, address("a", "slip", 3)
    low = 0xFFFFFFFF
    counter = (replication & low, replication >> 32, where & low, where >> 32)
    words = [int(word) for word in philox4x32(counter, (seed & low, seed >> 32))]
    expected = (((words[0] << 32 | words[1]) >> 11) + 0.5) * 2.0**-53
    found = uniforms(seed, np.array([replication], dtype=np.uint64), [where])
    assert found[0, 0] == expected


def test_uniforms_lie_strictly_inside_and_are_uniform() -> None:
    labels = [(f"P{i}", register.DURATION, 0) for i in range(200)]
    sample = uniforms(7, range(200), register.addresses(labels))
    assert sample.min() > 0
    assert sample.max() < 1
    assert stats.kstest(sample.ravel(), "uniform").pvalue > 1e-4


def test_every_cell_stands_alone() -> None:
    """A draw depends on seed, replication and address only: not on what else is drawn."""
    where = register.addresses([(f"P{i}", register.COST, 0) for i in range(50)])
    whole = uniforms(1, range(40), where)
    assert np.array_equal(uniforms(1, [17], where[[23]]), whole[17:18, 23:24])
    assert np.array_equal(uniforms(1, range(39, -1, -1), where[::-1]), whole[::-1, ::-1])


@pytest.mark.parametrize("seed", [-1, 1 << 64])
def test_seeds_out_of_range_are_refused(seed: int) -> None:
    with pytest.raises(ValueError, match="seed"):
        uniforms(seed, [0], [1])


def test_seed_zero_is_a_seed_like_any_other() -> None:
    where = register.addresses([("P", register.SLIP, 0)])
    assert uniforms(0, [0], where) != uniforms(2021, [0], where)


def test_address_is_the_documented_hash() -> None:
    digest = hashlib.blake2b(b"LY-0001\x1fslip\x1f0", digest_size=8).digest()
    assert address("LY-0001", "slip") == int.from_bytes(digest, "little")


def test_parts_of_an_address_cannot_run_together() -> None:
    assert address("A1", "slip", 1) != address("A", "1slip", 1)
    assert address("A", "slip", 11) != address("A", "slip1", 1)


def test_register_only_grows() -> None:
    """The names and their order are a promise; new ones are appended."""
    first = (
        "slip", "no_start", "no_start_delay", "duration", "cost", "acceptance",
        "gate_preparation", "gate_review", "gate_elapsed", "factor",
        "driver", "driver_occurs", "driver_place",
    )  # fmt: skip
    assert register.VARIABLES[: len(first)] == first
    assert len(set(register.VARIABLES)) == len(register.VARIABLES)


def test_unregistered_variables_are_refused() -> None:
    with pytest.raises(KeyError):
        register.addresses([("A", "luck", 0)])


def test_collisions_are_found() -> None:
    labels = [("A", "slip", 0), ("B", "slip", 0), ("A", "slip", 0)]
    table = np.array([5, 5, 5], dtype=np.uint64)
    assert register.find_collisions(labels, table) == [("A/slip/0", "B/slip/0")]
    assert register.find_collisions(labels[:2], np.array([5, 6], dtype=np.uint64)) == []
