"""What is shipped: wheel, locks, licences, owner marks, and no trace of anybody's machine."""

from __future__ import annotations

import email
import importlib
import importlib.metadata
import importlib.resources
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("engine", "handlers", "web")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCKS = ("requirements/run.txt", "requirements/dev.txt")


def normal(name: str) -> str:
    """Return the name of a distribution as the registry compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(lock: str) -> dict[str, str]:
    """Return distribution -> pinned version of one lock file."""
    pins = re.findall(r"^([\w.-]+)(?:\[.*?\])?==(\S+)", (ROOT / lock).read_text(), re.MULTILINE)
    return {normal(name): version for name, version in pins}


def wished() -> list[str]:
    """Return the names in the project's dependencies and extras."""
    extras = [line for extra in PROJECT["optional-dependencies"].values() for line in extra]
    found = (re.match(r"[\w.-]+", line) for line in [*PROJECT["dependencies"], *extras])
    return [normal(match.group()) for match in found if match]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    done = subprocess.run([*command, str(ROOT)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def test_wheel_holds_our_packages_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    folders = {name.split("/")[0] for name in wheel.namelist()}

    info = {name for name in folders if name.endswith(".dist-info")}
    assert folders - info <= {*PACKAGES, "processes"}
    assert folders >= set(PACKAGES)


def test_wheel_holds_every_tracked_file_of_the_packages(wheel: zipfile.ZipFile) -> None:
    tracked = tracked_files(*PACKAGES, "processes")

    assert set(tracked) - set(wheel.namelist()) == set()


def test_wheel_carries_the_licences_and_the_command(wheel: zipfile.ZipFile) -> None:
    inside = {name.split(".dist-info/")[-1]: name for name in wheel.namelist()}

    assert "licenses/LICENSE" in inside
    assert "licenses/THIRD_PARTY" in inside
    assert "caseway = web.cli:main" in wheel.read(inside["entry_points.txt"]).decode()
    about = email.message_from_bytes(wheel.read(inside["METADATA"]))
    assert about["Name"] == "caseway"
    assert about["License-Expression"] == "MIT"


def test_shipped_diagrams_are_found_through_the_package() -> None:
    drawn = {entry.name for entry in importlib.resources.files("processes").iterdir()}

    on_disk = {path.name for path in (ROOT / "processes").iterdir()}
    assert drawn == on_disk


@pytest.mark.parametrize("package", PACKAGES)
def test_package_carries_the_owner_mark(package: str) -> None:
    mark = importlib.import_module(package).OWNER

    assert mark == PROJECT["name"]


@pytest.mark.parametrize("package", ["engine", "handlers"])
def test_foreign_package_of_our_name_stops_the_command_line(package: str, tmp_path: Path) -> None:
    # given somebody else's package of that name, found before ours
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").write_text("OWNER = 'somebody else'\n")

    done = subprocess.run(
        [sys.executable, "-c", "from web.cli import main; main()", "cases"],
        cwd=tmp_path,
        env={key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ},
        capture_output=True,
        text=True,
        check=False,
    )

    # then one sentence names it and where it lies
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    assert package in done.stderr
    assert str(tmp_path) in done.stderr


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_of_a_lock_has_hashes(lock: str) -> None:
    entries = re.split(r"^(?=\w)", (ROOT / lock).read_text(), flags=re.MULTILINE)[1:]

    assert entries
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_locks_cover_the_project_and_agree() -> None:
    run, dev = (locked(lock) for lock in LOCKS)

    assert [name for name in wished() if name not in run] == []
    assert run.items() - dev.items() == set()


def test_what_is_installed_is_what_is_locked() -> None:
    found = {name: importlib.metadata.version(name) for name in locked("requirements/dev.txt")}

    assert found == locked("requirements/dev.txt")


def test_every_shipped_dependency_is_in_third_party() -> None:
    named = {normal(name) for name in re.findall(r"^(\S+) +\S", third_party(), re.MULTILINE)}

    assert [name for name in locked("requirements/run.txt") if name not in named] == []


def third_party() -> str:
    return (ROOT / "THIRD_PARTY").read_text(encoding="utf-8")


def test_changelog_knows_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    assert "## [Unreleased]" in text or f"## [{PROJECT['version']}]" in text


def test_no_tracked_file_names_a_machine_or_a_registry() -> None:
    hosts = "|".join(("py" + "pi", "python" + "hosted", "npm" + "js", "registry.npm"))
    trace = re.compile(rf"https?://[\w.]*(?:{hosts})|(?<![\w./])/(?:root|work|home/\w+)/[\w.]")

    wrong = []
    for name in tracked_files("."):
        path = ROOT / name
        if path.suffix in {".png", ".ico", ".woff2", ".mo"} or "/static/vendor/" in name:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        wrong += [f"{name}: {match.group()}" for match in trace.finditer(text)]
    assert wrong == []


def tracked_files(*folders: str) -> list[str]:
    """Return the files that git knows and that are there; skip outside a checkout."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    command = ["git", "ls-files", "-z", "--", *folders]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
