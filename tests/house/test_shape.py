"""The shape of the house: docstrings everywhere, no import circles, and size budgets as warnings."""

from __future__ import annotations

import ast
import statistics
import warnings
from pathlib import Path

import grimp

import holdfast

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "holdfast"

# Size is a smell, not a law: these are told, never enforced.
MODULE_LINES = 400
MODULE_MEDIAN = 150
FUNCTION_LINES = 60
FUNCTION_MEDIAN = 10


class SizeWarning(UserWarning):
    """A room that has grown past its budget."""


def modules() -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text()) for path in sorted(SOURCE.rglob("*.py"))}


def test_every_module_says_what_it_is():
    assert [str(path.relative_to(ROOT)) for path, tree in modules().items() if not ast.get_docstring(tree)] == []


def test_every_public_function_and_class_says_what_it_means():
    bare = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path, tree in modules().items()
        for node in tree.body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert bare == []


def test_imports_make_no_circle():
    graph = grimp.build_graph("holdfast", exclude_type_checking_imports=True, cache_dir=None)
    circles, path, done = [], [], set()

    def visit(module: str) -> None:
        if module in path:
            circles.append(" -> ".join([*path[path.index(module) :], module]))
            return
        if module in done:
            return
        path.append(module)
        for other in sorted(graph.find_modules_directly_imported_by(module)):
            visit(other)
        done.add(path.pop())

    for module in sorted(graph.modules):
        visit(module)
    assert circles == []


def test_the_front_door_opens_on_what_it_names():
    for name in holdfast.__all__:
        assert getattr(holdfast, name) is not None


def test_sizes_are_told():
    """Warn where a module or function has outgrown its budget; a reader decides what to do."""
    trees = modules()
    lengths = {path: len(path.read_text().splitlines()) for path in trees}
    functions = [
        (f"{path.relative_to(ROOT)}:{node.name}", (node.end_lineno or node.lineno) - node.body[0].lineno + 1)
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
    ]
    told = [f"{p.relative_to(ROOT)} has {n} lines" for p, n in lengths.items() if n > MODULE_LINES]
    told += [f"{name} has {size} lines" for name, size in functions if size > FUNCTION_LINES]
    if statistics.median(lengths.values()) > MODULE_MEDIAN:
        told.append(f"the median module has {statistics.median(lengths.values()):.0f} lines")
    if statistics.median(size for _, size in functions) > FUNCTION_MEDIAN:
        told.append(f"the median function has {statistics.median(size for _, size in functions):.0f} lines")
    with warnings.catch_warnings():
        warnings.simplefilter("default", SizeWarning)
        for line in told:
            warnings.warn(line, SizeWarning, stacklevel=1)
    assert functions
