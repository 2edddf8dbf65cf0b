"""The arrows of docs/architecture.md, read from the imports; nothing is run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("engine", "handlers", "web")

#: inside the engine: a part may import parts of its own line and of the lines below it
ENGINE_LINES = (
    {"dispatch"},
    {"worker"},
    {"runtime"},
    {"diagrams", "sla", "insight"},
    {"kernel", "dmn", "store", "access", "registry"},
    {"feel", "calendars", "settings", "model", "changes", "codec", "languages", "sentences", "xml"},
    {"errors", "clock", "failpoints", "watch", "trail"},
)

#: parts of one line that are not even to see each other: what computes does no input or output
STRANGERS = {
    "kernel": {"store", "access", "registry"},
    "dmn": {"kernel", "store", "access", "registry"},
    "store": {"kernel", "dmn", "registry"},
    "insight": {"diagrams"},
}

#: library -> the only files and folders that may import it
OUTER_LIBRARIES = {
    "SpiffWorkflow": ("engine/kernel/", "engine/diagrams/bundle.py"),
    "RestrictedPython": ("engine/languages.py", "engine/kernel/"),
    "sqlalchemy": ("engine/store/", "engine/runtime/", "handlers/records.py"),
    "alembic": ("engine/store/", "handlers/records.py"),
    "apscheduler": ("engine/dispatch/",),
    "procrastinate": ("engine/store/hints.py", "engine/dispatch/cluster.py"),
    "argon2": ("engine/access.py",),
    "flask": ("web/",),
    "flask_babel": ("web/",),
    "babel": ("web/language.py", "engine/sentences.py"),
    "werkzeug": ("web/",),
    "waitress": ("web/",),
    "click": ("web/",),
    "tqdm": ("web/",),
    "prometheus_client": ("web/metrics.py",),
    "opentelemetry": ("web/traces.py",),
    "arro3": ("engine/store/parquet.py",),
}

#: the rims, where any exception is met, recorded and not passed on; file -> why there
RIMS = {
    "engine/worker.py": "a handler may raise anything: it becomes a retry or an incident",
    "web/app.py": "a request that fails answers 500 and leaves the others alone",
    "web/cli.py": "a command that fails says so in one line",
}

#: who commits beside the one place of the verbs (docs/decisions.md, D7); file -> why
COMMITS_APART = {
    "engine/store/connect.py": "passes the call on to the driver",
    "engine/store/migrate.py": "changes the schema before any verb runs",
    "handlers/records.py": "the business tables have short transactions of their own",
}

MAX_LINES = 600
CATCH_ALL_CLASS = re.compile(r"(Service|Manager|Helper|Util|Utils|Impl)$")
CATCH_ALL_MODULE = re.compile(r"^(utils?|helpers?|services?|managers?|common|misc)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One import of one module or name."""

    #: file that imports, relative to the repository, with forward slashes
    file: str
    #: line of the statement
    line: int
    #: dotted name of what is imported; for `from a import b` it is `a.b`
    target: str
    #: executed when the module is loaded, not later inside a function
    at_load: bool


@cache
def sources() -> Mapping[str, ast.Module]:
    """Return file -> syntax tree for all our modules."""
    return {
        path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        if "node_modules" not in path.parts
    }


@cache
def imports() -> tuple[Import, ...]:
    """Return all imports but those for type checkers, which no interpreter carries out."""
    return tuple(
        found for file, tree in sources().items() for found in imports_under(tree, file, True)
    )


def imports_under(node: ast.AST, file: str, at_load: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for other in child.orelse:
                yield from imports_under(other, file, at_load)
        elif isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(file=file, line=child.lineno, target=alias.name, at_load=at_load)
        elif isinstance(child, ast.ImportFrom):
            start = "." * child.level + (child.module or "")
            assert not child.level, f"{file}:{child.lineno}: write {start} as an absolute import"
            for alias in child.names:
                target = f"{start}.{alias.name}"
                yield Import(file=file, line=child.lineno, target=target, at_load=at_load)
        else:
            is_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from imports_under(child, file, at_load and not is_function)


def module_of(file: str) -> str:
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def module_meant(target: str) -> str | None:
    """Return our module that holds the imported name, None where it is not ours."""
    known = {module_of(file) for file in sources()}
    while target:
        if target in known:
            return target
        target = target.rpartition(".")[0]
    return None


def part_of(target: str) -> str | None:
    """Return `kernel` for `engine.kernel.step`, None for the root of the engine itself."""
    top, _, below = target.partition(".")
    part = below.partition(".")[0]
    is_part = any(part in line for line in ENGINE_LINES) or module_meant(target) != "engine"
    return part if top == "engine" and part and is_part else None


def line_of(part: str) -> int:
    for number, line in enumerate(ENGINE_LINES):
        if part in line:
            return number
    pytest.fail(f"engine/{part} has no line yet: put it into ENGINE_LINES and docs/architecture.md")


def said(found: Import, why: str) -> str:
    return f"{found.file}:{found.line} imports {found.target}: {why}"


def test_packages_import_only_the_packages_below_them() -> None:
    allowed = {"engine": {"engine"}, "handlers": {"handlers", "engine"}, "web": set(PACKAGES)}
    wrong = [
        said(found, f"{package} may import {', '.join(sorted(allowed[package]))}")
        for found in imports()
        if (package := found.file.split("/")[0])
        and (top := found.target.split(".")[0]) in {*PACKAGES, "tests", "tools"}
        and top not in allowed[package]
    ]
    assert not wrong, "\n".join(wrong)


def test_handlers_import_only_root_names_of_the_engine() -> None:
    wrong = [
        said(found, "handlers take what `engine` itself offers")
        for found in imports()
        if found.file.startswith("handlers/") and part_of(found.target)
    ]
    assert not wrong, "\n".join(wrong)


def test_parts_of_the_engine_import_downwards_only() -> None:
    wrong = []
    for found in imports():
        here, there = part_of(module_of(found.file)), part_of(found.target)
        if here is None or not found.target.startswith("engine"):
            continue
        if there is None:
            wrong.append(said(found, "the engine does not import its own root"))
        elif line_of(there) < line_of(here):
            wrong.append(said(found, f"{there} stands above {here}"))
        elif there in STRANGERS.get(here, ()):
            wrong.append(said(found, f"{here} and {there} do not know each other"))
    assert not wrong, "\n".join(wrong)


def test_modules_import_each_other_in_no_circle() -> None:
    edges: dict[str, set[str]] = {module_of(file): set() for file in sources()}
    for found in imports():
        here, there = module_of(found.file), module_meant(found.target)
        if found.at_load and there and there != here:
            edges[here].add(there)
    assert not circle(edges), " -> ".join(circle(edges))


def circle(edges: Mapping[str, set[str]]) -> list[str]:
    """Return the modules of one import circle, an empty list where there is none."""
    done: set[str] = set()

    def walk(module: str, path: list[str]) -> list[str]:
        if module in path:
            return [*path[path.index(module) :], module]
        if module in done:
            return []
        for other in sorted(edges[module]):
            if found := walk(other, [*path, module]):
                return found
        done.add(module)
        return []

    for start in sorted(edges):
        if found := walk(start, []):
            return found
    return []


@pytest.mark.parametrize("library", OUTER_LIBRARIES)
def test_outer_library_is_imported_in_its_place_only(library: str) -> None:
    wrong = [
        said(found, f"{library} belongs to {', '.join(OUTER_LIBRARIES[library])}")
        for found in imports()
        if found.target.split(".")[0] == library
        and not found.file.startswith(OUTER_LIBRARIES[library])
    ]
    assert not wrong, "\n".join(wrong)


def test_one_module_commits_for_all_verbs() -> None:
    committing = {
        file
        for file, tree in sources().items()
        if file not in COMMITS_APART and any(is_commit(node) for node in ast.walk(tree))
    }
    assert len(committing) <= 1, f"these commit, one may: {sorted(committing)}"


def is_commit(node: ast.AST) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr == "commit"
    is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return is_text and ast.literal_eval(node).strip().rstrip(";").upper() == "COMMIT"


def test_no_file_grows_beyond_reading() -> None:
    lengths = {
        file: (ROOT / file).read_text(encoding="utf-8").count("\n")
        for file in sources()
        if "/migrations/" not in file
    }
    long = {file: lines for file, lines in lengths.items() if lines > MAX_LINES}
    assert not long, f"over {MAX_LINES} lines: {long}"


def test_no_name_says_service_manager_helper_or_util() -> None:
    wrong = [file for file in sources() if CATCH_ALL_MODULE.match(Path(file).stem)]
    for file, tree in sources().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and CATCH_ALL_CLASS.search(node.name):
                wrong.append(f"{file}:{node.lineno} class {node.name}")
    assert not wrong, "\n".join(wrong)


def test_broad_except_swallows_at_the_rims_only() -> None:
    wrong = [
        f"{file}:{node.lineno} catches everything and does not raise"
        for file, tree in sources().items()
        if file not in RIMS
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and is_broad(node.type)
        and not isinstance(node.body[-1], ast.Raise)
    ]
    assert not wrong, "\n".join(wrong)


def is_broad(kind: ast.expr | None) -> bool:
    if isinstance(kind, ast.Tuple):
        return any(is_broad(one) for one in kind.elts)
    return kind is None or ast.unparse(kind) in {"Exception", "BaseException"}


def test_a_planted_circle_is_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []
