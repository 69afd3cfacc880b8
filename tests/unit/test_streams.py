"""The generator against its published vectors, and the addresses of draws."""

import hashlib

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from sim.sampling import register
from sim.sampling.register import address
from sim.sampling.streams import fill_uniforms, key_of, philox4x32, uniform
from tests import naive_draws

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
    words = [np.uint64(word) for word in (*counter, *key)]
    assert tuple(int(word) for word in philox4x32(*words)) == expected


def drawn(seed: int, replication: int, where: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Draw many addresses at once."""
    out = np.empty(len(where))
    fill_uniforms(key_of(seed), np.uint64(replication), where, out)
    return out


def test_the_key_is_the_seed_and_the_counter_replication_and_address() -> None:
    seed, replication, where = 0x8123456789ABCDEF, 0x9122334455667788, address("a", "slip", 3)
    low = 0xFFFFFFFF
    counter = (replication & low, replication >> 32, where & low, where >> 32)
    given = [np.uint64(word) for word in (*counter, seed & low, seed >> 32)]
    words = [int(word) for word in philox4x32(*given)]
    expected = (((words[0] << 32 | words[1]) >> 11) + 0.5) * 2.0**-53
    assert uniform(np.uint64(seed), np.uint64(replication), np.uint64(where)) == expected
    assert naive_draws.uniforms(seed, [replication], [where])[0, 0] == expected


def test_uniforms_lie_strictly_inside_and_are_uniform() -> None:
    where = register.addresses([(f"P{i}", register.DURATION, 0) for i in range(200)])
    sample = np.stack([drawn(7, replication, where) for replication in range(200)])
    assert sample.min() > 0
    assert sample.max() < 1
    assert stats.kstest(sample.ravel(), "uniform").pvalue > 1e-4
    assert np.array_equal(sample, naive_draws.uniforms(7, range(200), where))


def test_the_topmost_cell_does_not_round_to_one() -> None:
    """The largest uniform is short of 1; the smallest is half a cell."""
    cells = np.array([0, 1, (1 << 53) - 2], dtype=np.float64)
    assert ((cells + 0.5) * 2.0**-53 < 1).all()
    assert ((1 << 53) - 1 + 0.5) * 2.0**-53 == 1.0


def test_every_cell_stands_alone() -> None:
    """A draw depends on seed, replication and address only: not on what else is drawn."""
    where = register.addresses([(f"P{i}", register.COST, 0) for i in range(50)])
    whole = drawn(1, 17, where)
    assert uniform(np.uint64(1), np.uint64(17), where[23]) == whole[23]
    assert np.array_equal(drawn(1, 17, where[::-1].copy()), whole[::-1])
    assert not np.isin(drawn(1, 18, where), whole).any()


@pytest.mark.parametrize("seed", [-1, 1 << 64])
def test_seeds_out_of_range_are_refused(seed: int) -> None:
    with pytest.raises(ValueError, match="seed"):
        key_of(seed)


def test_seed_zero_is_a_seed_like_any_other() -> None:
    where = register.addresses([("P", register.SLIP, 0)])
    assert drawn(0, 0, where) != drawn(2021, 0, where)


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
