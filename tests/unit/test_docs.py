"""The documents say what there is: a setting, verb, option, error or file they miss fails here."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import inspect
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import click
import pytest

from engine import errors

ROOT = Path(__file__).resolve().parent.parent.parent
REFERENCE = ("docs/reference.md", "docs/operating.md", "docs/handlers.md")

#: a file as the documents write it: `engine/kernel/step.py`, with `:function` behind it or not
FILE = re.compile(r"`((?:engine|handlers|web|processes|tests|tools|docs)/[\w./*-]*)(?::([\w.]+))?`")
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")


def written(*names: str) -> str:
    """Return the text of the documents that exist."""
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in names if (ROOT / name).exists()]
    if not texts:
        not_there_yet(", ".join(names))
    return "\n".join(texts)


def built(module: str) -> Any:
    """Return a module of ours."""
    if importlib.util.find_spec(module) is None:
        not_there_yet(module)
    return importlib.import_module(module)


def not_there_yet(what: str) -> NoReturn:
    """Skip a check whose subject is still to come; CI knows no such thing."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"missing: {what}")
    pytest.skip(f"not there yet: {what}")


def missing(names: Iterable[str], text: str) -> list[str]:
    """Return the names that the text does not mention as code."""
    spans = set(re.findall(r"[\w.-]+", " ".join(re.findall(r"`+([^`]+)`+", text))))
    return [name for name in names if name not in spans]


def test_every_setting_is_documented() -> None:
    fields = [field.name for field in dataclasses.fields(built("engine.settings").Settings)]

    assert fields
    assert missing(fields, written(*REFERENCE)) == []


def test_every_verb_of_the_command_line_is_documented() -> None:
    commands = list(verbs(built("web.cli").cli))

    assert commands
    assert missing((name for name, _ in commands), written(*REFERENCE)) == []


def test_every_option_of_the_command_line_is_documented() -> None:
    options = {
        option
        for _, command in verbs(built("web.cli").cli)
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.hidden
        for option in parameter.opts
        if option.startswith("--")
    }

    assert missing(sorted(options), written(*REFERENCE)) == []


def verbs(command: click.Command) -> Iterator[tuple[str, click.Command]]:
    """Yield the commands below a group, those of its groups too."""
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            below = command.get_command(click.Context(command), name)
            assert below is not None
            yield name, below
            yield from verbs(below)


def test_every_option_of_a_handler_is_documented() -> None:
    options = list(inspect.signature(built("engine.registry").handler).parameters)

    assert missing(options, written(*REFERENCE)) == []


def test_every_error_is_documented() -> None:
    classes = [
        name
        for name, found in inspect.getmembers(errors, inspect.isclass)
        if issubclass(found, Exception) and found.__module__ == errors.__name__
    ]

    assert missing(classes, written(*REFERENCE)) == []


def test_every_error_has_advice_in_its_docstring() -> None:
    silent = [
        name
        for name, found in inspect.getmembers(errors, inspect.isclass)
        if found.__module__ == errors.__name__ and len((found.__doc__ or "").split()) < 6
    ]

    assert silent == []


def test_every_file_the_architecture_names_exists() -> None:
    named = FILE.findall(written("docs/architecture.md"))

    assert named
    assert [path for path, _ in named if not list(ROOT.glob(path))] == []


def test_every_function_the_architecture_names_exists() -> None:
    named = FILE.findall(written("docs/architecture.md"))

    lost = [
        f"{path}:{function}"
        for path, function in named
        if function and (ROOT / path).is_file() and not defines(ROOT / path, function)
    ]
    assert lost == []


def defines(path: Path, name: str) -> bool:
    """Tell whether a module defines a function, class or method; `Class.method` is both."""
    text = path.read_text(encoding="utf-8")
    return all(
        re.search(rf"^\s*(?:(?:def|class) {part}\b|{part}\b.*=)", text, re.MULTILINE)
        for part in name.split(".")
    )


@pytest.mark.parametrize(
    "document", sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/*.md"))
)
def test_links_between_documents_lead_somewhere(document: str) -> None:
    check_links(document)


def test_links_of_the_readme_lead_somewhere() -> None:
    check_links("README.md")


def check_links(document: str) -> None:
    folder = (ROOT / document).parent
    links = LINK.findall((ROOT / document).read_text(encoding="utf-8"))
    assert [link for link in links if not (folder / link).exists()] == []
