"""The house style around a whole figure, from its first axis to its last byte."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import matplotlib

from holdfast.report.figures.canvas import STYLE

P = ParamSpec("P")


def in_house_style(draw: Callable[P, str]) -> Callable[P, str]:
    """Draw in the house style whatever matplotlib was told elsewhere, so that the same numbers give the same bytes."""

    @wraps(draw)
    def styled(*args: P.args, **kwargs: P.kwargs) -> str:
        with matplotlib.rc_context(STYLE):
            return draw(*args, **kwargs)

    return styled
