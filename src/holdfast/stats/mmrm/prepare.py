"""From a design to what the likelihood needs: people by pattern, and a structure of the right size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holdfast.errors import CallError, RankDeficient, Unidentifiable
from holdfast.stats.mmrm import correlations as corr
from holdfast.stats.mmrm import structures as st
from holdfast.stats.mmrm.design import MmrmDesign
from holdfast.stats.mmrm.nested import Nested
from holdfast.stats.mmrm.patterns import Patterns, rotate
from holdfast.stats.mmrm.spatial import Spatial

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

_BY_VISIT: dict[str, Callable[[int], st.Structure]] = {
    "us": st.unstructured,
    "toep": st.toeplitz,
    "toeph": lambda m: st.Heterogeneous(corr.banded, m),
    "ar1": lambda m: st.Homogeneous(corr.autoregressive, m),
    "ar1h": lambda m: st.Heterogeneous(corr.autoregressive, m),
    "cs": st.compound_symmetry,
    "csh": lambda m: st.Heterogeneous(corr.exchangeable, m),
    "ad": lambda m: st.Homogeneous(corr.antedependent, m),
    "adh": lambda m: st.Heterogeneous(corr.antedependent, m),
    "id": st.independence,
    "idh": st.independence_by_visit,
}
_SPATIAL = {"sp_exp": 1, "sp_gau": 2}

WORDS = {
    "unstructured": "us",
    "toeplitz": "toep",
    "heterogeneous toeplitz": "toeph",
    "autoregressive": "ar1",
    "heterogeneous autoregressive": "ar1h",
    "compound symmetry": "cs",
    "heterogeneous compound symmetry": "csh",
    "ante-dependence": "ad",
    "heterogeneous ante-dependence": "adh",
    "independence": "id",
    "heterogeneous independence": "idh",
    "spatial exponential": "sp_exp",
    "spatial gaussian": "sp_gau",
}
SHORT = {short: words for words, short in WORDS.items()}


def structure_name(covariance: str) -> str:
    """R's short name of a structure given in words or short; raises `CallError` for an unknown one."""
    asked = covariance.strip().lower()
    if asked in SHORT:
        return asked
    if asked in WORDS:
        return WORDS[asked]
    raise CallError(
        f"covariance is {covariance!r}; it can be: " + ", ".join(f"{words} ({short})" for words, short in WORDS.items())
    )


@dataclass(frozen=True, slots=True)
class People:
    """Observed rows laid on a grid of people and visits (of clusters and rows beside a random intercept).

    `Z` (n, m, p+1) with the response last, already multiplied by the root of the weights, zero where unobserved;
    `pattern` (n,) into `mask` (P, m); `cell` (n_obs, 2) the person and visit of each observed row `rows` (n_obs,) of
    the design; `log_weights` the sum of the logarithms of the precision weights.
    """

    Z: Array
    pattern: Ints
    mask: NDArray[np.bool_]
    cell: Ints
    rows: Ints
    log_weights: float


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that one fit needs: people, their rotated patterns, the structure, starting values (r,)."""

    people: People
    data: Patterns
    structure: st.Structure
    start: Array


def prepare(design: MmrmDesign, covariance: str, y: Array | None = None) -> Prepared:
    """People, rotated patterns, structure and start for one fit; `y` (n,) replaces the design's outcome."""
    outcome = design.y if y is None else y
    seen = np.flatnonzero(~np.isnan(outcome))
    check_rank(design.X[seen], design.terms.names)
    structure: st.Structure
    if design.names["random"]:
        people, structure = _clustered(design, covariance, outcome, seen)
    elif covariance in _SPATIAL:
        people, structure = _spatial(design, covariance, outcome, seen)
    else:
        people = _on_grid(design, outcome, seen, design.visit[seen] + design.group[seen] * len(design.visits))
        structure = structure_on_grid(design, covariance)
        _check_visits(design, people, covariance)
    Z, offset = centred(people)
    residual = Z[:, :, -1]
    if not isinstance(structure, Nested):
        _check_left(people, residual)
    if isinstance(structure, Nested):  # moments over visits, as if there were no clusters
        grid = _on_grid(design, outcome, seen, design.visit[seen] + design.group[seen] * len(design.visits))
        residual, start_from = centred(grid)[0][:, :, -1], grid
    else:
        start_from = people
    data = rotate(Z, people.pattern, people.mask, people.log_weights, offset)
    return Prepared(people, data, structure, safe_start(structure, moments(residual, start_from) * _unbiased(data)))


def structure_on_grid(design: MmrmDesign, covariance: str, *, clustered: bool = False) -> st.Structure:
    """The structure over the grid of visits, with a block for each covariance group."""
    if covariance in _SPATIAL:
        raise CallError("a spatial structure depends on each person's times; fit it alone, one by one, with mmrm")
    if design.names["random"] and not clustered:
        raise CallError("many fits at once have no random intercept; fit them one by one with mmrm")
    base = _BY_VISIT[covariance](len(design.visits))
    return base if len(design.groups) == 1 else st.Grouped(base, design.groups)


def check_rank(X: Array, names: tuple[str, ...]) -> None:
    """Raise `RankDeficient` naming the columns that the others already determine."""
    size = np.sqrt((X * X).sum(0))
    unit = X / np.where(size > 0, size, 1.0)
    values = np.linalg.eigvalsh(unit.T @ unit)
    if values[0] > 1e-9:
        return
    found = np.abs(np.diagonal(np.linalg.qr(unit, mode="r")))
    R = np.pad(found, (0, X.shape[1] - len(found)))  # fewer rows than columns: the rest is not determined at all
    aliased = [name for name, r in zip(names, R, strict=True) if r < 1e-7]
    if not aliased and len(X) >= X.shape[1]:
        return
    raise RankDeficient(
        f"{len(X)} observed rows cannot identify all {X.shape[1]} coefficients; determined by the others: "
        + (", ".join(aliased) or "some"),
        ways_out=(
            "take the term out of the formula",
            "check for a combination of factor levels (an arm at a visit) that nobody with an outcome has",
        ),
    )


def _on_grid(design: MmrmDesign, y: Array, seen: Ints, place: Ints) -> People:
    m = len(design.visits) * len(design.groups)
    who, person = np.unique(design.subject[seen], return_inverse=True)
    obs = np.zeros((len(who), m), dtype=bool)
    obs[person, place] = True
    mask, pattern = _patterns(obs)
    root = np.sqrt(design.weights[seen])
    Z = np.zeros((len(who), m, design.X.shape[1] + 1))
    Z[person, place, :-1] = design.X[seen] * root[:, None]
    Z[person, place, -1] = y[seen] * root
    return People(Z, pattern, mask, np.stack([person, place], 1), seen, float(2 * np.log(root).sum()))


def _patterns(obs: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], Ints]:
    if obs.shape[1] <= 62:
        code = obs @ (1 << np.arange(obs.shape[1], dtype=np.int64))
        _, first, inverse = np.unique(code, return_index=True, return_inverse=True)
        return obs[first], inverse
    mask, inverse = np.unique(obs, axis=0, return_inverse=True)
    return mask, inverse.ravel()


DETERMINED = "the covariates determine the outcome at a visit"
NO_BASELINE = "leave the baseline visit out of the outcomes where the baseline is a covariate"


def _check_left(people: People, residual: Array) -> None:
    """Refuse where the covariates leave nothing of the outcome at a visit."""
    outcome = people.Z[:, :, -1]
    seen = people.mask[people.pattern]
    mean = (outcome * seen).sum(0) / np.maximum(seen.sum(0), 1)
    whole, left = (((outcome - mean) * seen) ** 2).sum(0), (residual**2).sum(0)
    if (seen.any(0) & (left <= 1e-18 * np.maximum(whole, 1e-300))).any():
        raise Unidentifiable(f"no variance is left to estimate: {DETERMINED}", ways_out=(NO_BASELINE,))


def _unbiased(data: Patterns) -> float:
    """What least-squares residuals lack in variance: exact for complete data, whose fit then starts at its optimum."""
    return data.n_obs / max(data.n_obs - data.n_beta, 1)


def _clustered(design: MmrmDesign, covariance: str, y: Array, seen: Ints) -> tuple[People, Nested]:
    """Clusters in the place of people, each with its own pattern."""
    name = design.names["random"]
    if design.names["weights"]:
        raise CallError("precision weights and a random intercept do not go together here")
    if len(design.clusters) < 3:
        raise Unidentifiable(
            f"{name!r} has {len(design.clusters)} levels: the variance between them cannot be estimated",
            ways_out=(f"put {name!r} into the formula as a fixed effect", "leave it out"),
        )
    base = structure_on_grid(design, covariance, clustered=True)
    place = design.visit[seen] + design.group[seen] * len(design.visits)
    _check_visits(design, _on_grid(design, y, seen, place), covariance)
    order = np.lexsort((design.visit[seen], design.subject[seen], design.cluster[seen]))
    seen, place = seen[order], place[order]
    who, unit = np.unique(design.cluster[seen], return_inverse=True)
    slot = np.arange(len(seen)) - np.searchsorted(unit, unit)
    shape = (len(who), int(slot.max()) + 1)
    size = shape[0] * shape[1] ** 2 * (base.size + 4) * 8
    if size > 4e9:
        raise CallError(
            f"clusters of {shape[1]} outcomes would need {size / 1e9:.0f} GB; put {name!r} into the formula"
        )
    visits, person = np.full(shape, -1, dtype=np.int64), np.full(shape, -1, dtype=np.int64)
    visits[unit, slot], person[unit, slot] = place, design.subject[seen]
    Z = np.zeros((*shape, design.X.shape[1] + 1))
    Z[unit, slot, :-1], Z[unit, slot, -1] = design.X[seen], y[seen]
    people = People(Z, np.arange(len(who)), person >= 0, np.stack([unit, slot], 1), seen, 0.0)
    return people, Nested(base, visits, person, name)


def _spatial(design: MmrmDesign, covariance: str, y: Array, seen: Ints) -> tuple[People, Spatial]:
    if design.times is None:
        raise CallError(
            f"covariance {SHORT[covariance]!r} needs real times", ways_out=('name the column: time="weeks"',)
        )
    who, person = np.unique(design.subject[seen], return_inverse=True)
    order = np.lexsort((design.visit[seen], person))
    seen, person = seen[order], person[order]
    slot = np.arange(len(seen)) - np.searchsorted(person, person)
    m, c = int(slot.max()) + 1, design.times.shape[1]
    times = np.full((len(who), m, c), np.nan)
    times[person, slot] = design.times[seen]
    group = np.zeros(len(who), dtype=np.int64)
    group[person] = design.group[seen]
    keys = np.concatenate([np.nan_to_num(times, nan=np.inf).reshape(len(who), -1), group[:, None]], axis=1)
    _, first, pattern = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    known = times[first]
    distance = np.sqrt(((known[:, :, None] - known[:, None]) ** 2).sum(-1))
    off = distance[:, ~np.eye(m, dtype=bool)]
    if (off == 0).any():
        raise Unidentifiable("a person was seen twice at the same time, so that two outcomes would be one")
    root = np.sqrt(design.weights[seen])
    Z = np.zeros((len(who), m, design.X.shape[1] + 1))
    Z[person, slot, :-1] = design.X[seen] * root[:, None]
    Z[person, slot, -1] = y[seen] * root
    mask = ~np.isnan(known[:, :, 0])
    cell = np.stack([person, slot], 1)
    people = People(Z, pattern.ravel(), mask, cell, seen, float(2 * np.log(root).sum()))
    return people, Spatial(_SPATIAL[covariance], distance, group[first], design.groups)


def _check_visits(design: MmrmDesign, people: People, covariance: str) -> None:
    """Refuse what cannot be estimated: a visit with one person, or visits that nobody had both of."""
    count = np.bincount(people.pattern, minlength=len(people.mask))
    together = (people.mask * count[:, None]).T @ people.mask
    labels = [f"{visit} {group}".strip() for group in design.groups for visit in design.visits]
    m = len(design.visits)
    for k, label in enumerate(labels):
        if together[k, k] == 1 or (together[k, k] == 0 and covariance in ("us", "idh", "csh", "toeph", "ar1h", "adh")):
            raise Unidentifiable(
                f"visit {label} has {together[k, k]} person(s) with an outcome: no variance can be estimated there",
                ways_out=(f"leave visit {label} out of the analysis", "declare a wider window for the visit"),
            )
    if covariance != "us":
        return
    for a in range(len(labels)):
        for b in range(a + 1, len(labels)):
            if a // m == b // m and together[a, b] < 2:
                raise Unidentifiable(
                    f"{together[a, b]} person(s) have outcomes at both {labels[a]} and {labels[b]}: "
                    "their covariance cannot be estimated",
                    ways_out=(
                        "choose a structure that links visits by fewer parameters (toeph, ar1h, csh)",
                        f"leave out {labels[a]} or {labels[b]}",
                    ),
                )


def centred(people: People) -> tuple[Array, Array]:
    """Z with the outcome replaced by its least-squares residual, and the coefficients taken off (eq:mmrm-offset)."""
    n, m, q = people.Z.shape
    flat = people.Z.reshape(n * m, q)
    gram = flat.T @ flat
    offset = np.asarray(np.linalg.solve(gram[:-1, :-1], gram[:-1, -1]))
    Z = people.Z.copy()
    Z[:, :, -1] -= (flat[:, :-1] @ offset).reshape(n, m)
    return Z, offset


def moments(R: Array, people: People) -> Array:
    """Moments (m, m) of residuals R (n, m), made positive definite: where Newton begins."""
    seen = people.mask[people.pattern].astype(float)
    pairs = np.maximum(seen.T @ seen, 1.0)
    S = (R.T @ R) / pairs
    variance = np.diagonal(S).copy()
    variance = np.where(variance > 0, variance, variance[variance > 0].mean() if (variance > 0).any() else 1.0)
    S[np.diag_indices_from(S)] = variance
    return _shrunk(S)


PULLS = (1.0, 0.7, 0.4, 0.1, 0.0)


def safe_start(structure: st.Structure, S: Array) -> Array:
    """Starting values whose covariance is positive definite, from moments pulled as far to the diagonal as it takes."""
    diagonal = S * np.eye(len(S))
    for keep in PULLS:
        theta = structure.start(keep * S + (1 - keep) * diagonal)
        sigma = structure.sigma(theta)
        if (np.linalg.eigvalsh(sigma) >= 0.01 * np.diagonal(sigma, axis1=1, axis2=2).min()).all():
            break
    return theta


def _shrunk(S: Array) -> Array:
    """S pulled towards its diagonal until it is safely positive definite."""
    sd = np.sqrt(np.diagonal(S))
    R = S / np.outer(sd, sd)
    eye = np.eye(len(S))
    for keep in (1.0, 0.9, 0.7, 0.4, 0.0):
        mixed = keep * R + (1 - keep) * eye
        if np.linalg.eigvalsh(mixed)[0] > 0.02:
            break
    return np.asarray(mixed * np.outer(sd, sd))
