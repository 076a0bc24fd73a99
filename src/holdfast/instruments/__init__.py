"""Questionnaires and measurements: one data file each, one scoring engine for all.

`load("modi")` gives a frozen `Instrument`; `score` turns one person's raw answers into scores, `score_table` a whole
table. Raw answers are stored, scores are derived; a score that cannot be computed is None and an issue says why.
"""

from __future__ import annotations

from holdfast.instruments.engine import Scored, score
from holdfast.instruments.library import codes, load
from holdfast.instruments.model import (
    AnswerKind,
    Bands,
    Instrument,
    Item,
    Kind,
    Known,
    Licence,
    MissingRule,
    Recall,
    Safety,
    Score,
    Sure,
    Threshold,
    Version,
    WhenMissing,
)
from holdfast.instruments.options import Options, ValueSet, options_from, value_set_from
from holdfast.instruments.parse import instrument_from
from holdfast.instruments.table import ScoredTable, score_table
from holdfast.instruments.wording import Wording, own_wording, wording_from, wording_template

__all__ = [
    "AnswerKind",
    "Bands",
    "Instrument",
    "Item",
    "Kind",
    "Known",
    "Licence",
    "MissingRule",
    "Options",
    "Recall",
    "Safety",
    "Score",
    "Scored",
    "ScoredTable",
    "Sure",
    "Threshold",
    "ValueSet",
    "Version",
    "WhenMissing",
    "Wording",
    "codes",
    "instrument_from",
    "load",
    "options_from",
    "own_wording",
    "score",
    "score_table",
    "value_set_from",
    "wording_from",
    "wording_template",
]
