"""Where an assignment's chance comes from: a sealed key, or a numpy generator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from holdfast.errors import CallError

KEY_BYTES = 32
"""Fewest bytes of an allocation key (256 bits)."""

_LABEL = b"holdfast allocation v1"
_WORD = 8
_FIRST, _MOST = 32, 255 * 32
_SPAN = 1 << (8 * _WORD)


class Draws(Protocol):
    """A source of uniform whole numbers."""

    def below(self, bound: int) -> int:
        """A number that is 0, 1, ..., bound - 1 with equal chances."""
        ...


class _Words:
    """Uniform 64-bit words, turned into numbers below a bound by rejection (no modulo bias)."""

    def __init__(self, words: Iterator[int]) -> None:
        self._words = words

    def below(self, bound: int) -> int:
        """A number that is 0, 1, ..., bound - 1 with equal chances.  # eq:rand-rejection"""
        if bound < 1:
            raise CallError(f"A draw needs at least one possibility, not {bound}.")
        words, span = 1, _SPAN
        while span < bound:
            words, span = words + 1, span * _SPAN
        limit = span - span % bound
        while True:
            number = 0
            for _ in range(words):
                number = number * _SPAN + next(self._words)
            if number < limit:
                return number % bound


def keyed_draws(key: bytes, stratum: str, slot: int) -> Draws:
    """The draws of one slot: HKDF-Expand (RFC 5869, SHA-256) of the key, with stratum and slot as its info.

    Each slot has its own stream, so one slot's arm tells nothing about another's without the key.
    # eq:rand-keyed

    Raises
    ------
    CallError
        When the key is shorter than `KEY_BYTES` or the slot is not 1, 2, ...
    """
    if len(key) < KEY_BYTES:
        raise CallError(f"An allocation key has at least {KEY_BYTES} bytes, not {len(key)}.")
    if slot < 1:
        raise CallError(f"Slots are numbered from 1; there is no slot {slot}.")
    name = stratum.encode()
    # Lengths go in front, so that no two (stratum, slot) pairs can give the same info.
    info = _LABEL + len(name).to_bytes(8) + name + slot.to_bytes(8)
    return _Words(_expanded(key, info))


def _expanded(key: bytes, info: bytes) -> Iterator[int]:
    done, length = 0, _FIRST
    while done < _MOST:
        # A longer expansion begins with the shorter one, so it is only lengthened when rejections used it up.
        stream = HKDFExpand(algorithm=SHA256(), length=length, info=info).derive(key)
        for start in range(done, length, _WORD):
            yield int.from_bytes(stream[start : start + _WORD])
        done, length = length, min(2 * length, _MOST)
    raise CallError("A slot asked for more chance than its stream holds.")  # needs 1,020 words for one slot


def generator_draws(rng: np.random.Generator) -> Draws:
    """Draws for replay and simulation."""
    return _Words(_generated(rng))


def _generated(rng: np.random.Generator) -> Iterator[int]:
    while True:
        yield from rng.integers(0, _SPAN, size=256, dtype=np.uint64, endpoint=False).tolist()
