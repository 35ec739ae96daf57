"""Numbers as people type them; what is none gets a sentence."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, TypeVar

import typer

LARGEST: Final = (1 << 63) - 1
"""The largest number that anything in a database can have."""

_SHOWN: Final = 30  # characters

N = TypeVar("N", int, float)


def whole(least: int = 1, most: int = LARGEST) -> Callable[[str | int], int]:
    """A reader of whole numbers between these. It raises `typer.BadParameter`."""

    def read(typed: str | int) -> int:
        try:
            number = int(typed)
        except ValueError:
            raise _mistake(typed, "is no whole number") from None
        return _between(number, least, most)

    return read


def decimal(least: float, most: float = math.inf) -> Callable[[str | float], float]:
    """A reader of numbers between these. It raises `typer.BadParameter`."""

    def read(typed: str | float) -> float:
        try:
            number = float(typed)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise _mistake(typed, "is no number")
        return _between(number, least, most)

    return read


def _between(number: N, least: N, most: N) -> N:
    if number < least:
        raise _mistake(number, f"is too small: {least} is the least")
    if number > most:
        raise _mistake(number, f"is too large: {most} is the most")
    return number


def _mistake(typed: object, what: str) -> typer.BadParameter:
    said = str(typed)
    shown = said if len(said) <= _SHOWN else f"{said[:_SHOWN]}…"
    return typer.BadParameter(f"{shown!r} {what}" if isinstance(typed, str) else f"{shown} {what}")
