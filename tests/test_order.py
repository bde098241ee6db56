"""Reading order is dependency order: one table, held over library and notebooks.

The table is ``imitlib.chapters.ORDER``. From it come import-linter's contracts for
the rooms that exist, and the list of what a notebook may import.
"""

from __future__ import annotations

import ast
import configparser
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from conftest import ROOT
from imitlib.chapters import ORDER, SHAFTS

ROOMS = [room for rooms in ORDER.values() for room in rooms]
FENCE = re.compile(r"(?ms)^```(?:\{code-cell\}[^\n]*|python[ \t]*)\n(.*?)^```[ \t]*$")
OPTIONS = re.compile(r"(?ms)\A(?:---\n.*?^---\n|(?::[^\n]*\n)+)")
MAGIC = re.compile(r"(?m)^[ \t]*[%!].*$")


def files_of(room: str | tuple) -> tuple[str, ...]:
    return (room,) if isinstance(room, str) else room


def place(chapter: str) -> int:
    return list(ORDER).index(chapter)


def chapter_of(name: str) -> str:
    """ "ch02" and "02_behavioral_cloning" belong to "02", others to their first word."""
    return name.removeprefix("ch").split("_")[0]


def rooms_after(chapter: str) -> list[str]:
    later = list(ORDER)[place(chapter) + 1 :]
    return [f for c in later for room in ORDER[c] for f in files_of(room)]


# --- the library, by import-linter -------------------------------------------------


def modules(package: Path) -> set[str]:
    """Every room, shaft and chapter that exists, by its name below ``imitlib``.

    A room may be a folder; only ``envs`` and ``chapters`` are shelves of many rooms.
    """

    def inside(folder: Path) -> set[str]:
        python = {p.stem for p in folder.glob("*.py")} - {"__init__"}
        return python | {p.parent.name for p in folder.glob("*/__init__.py")}

    found = inside(package) - {"envs", "chapters"}
    for shelf in ("envs", "chapters"):
        found |= {f"{shelf}.{name}" for name in inside(package / shelf)}
    return found


def strangers(package: Path) -> set[str]:
    """Modules that the table does not know: they need a place in it."""
    known = {f for room in ROOMS for f in files_of(room)} | set(SHAFTS)
    rest = {m for m in modules(package) - known if not m.startswith("chapters.")}
    chapters = {m for m in modules(package) if m.startswith("chapters.")}
    return rest | {c for c in chapters if chapter_of(c.split(".")[1]) not in ORDER}


def contracts(package: Path) -> configparser.ConfigParser:
    """import-linter's configuration for the modules that exist in `package`."""
    exist = modules(package)
    rooms = [f for room in ROOMS for f in files_of(room) if f in exist]
    shafts = [s for s in SHAFTS if s in exist]
    chapters = sorted(m for m in exist if m.startswith("chapters."))

    def listed(names):
        return "".join(f"\n    imitlib.{name}" for name in names)

    layers = []  # highest first: the last room of the book imports all, none imports it
    for room in reversed(ROOMS):
        here = [f"imitlib.{f}" for f in files_of(room) if f in exist]
        layers += [" : ".join(here)] if here else []

    config = configparser.ConfigParser()
    config["importlinter"] = {"root_package": "imitlib"}

    def contract(key, **keys):
        config[f"importlinter:contract:{key}"] = keys

    if layers:
        contract(
            "order", name="a room imports only rooms before it", type="layers",
            layers="".join(f"\n    {layer}" for layer in layers),
        )  # fmt: skip
    if shafts and rooms + chapters:
        contract(
            "shafts", name="a service shaft imports no room", type="forbidden",
            source_modules=listed(shafts), forbidden_modules=listed(rooms + chapters),
        )  # fmt: skip
    if rooms and chapters:
        contract(
            "rooms", name="no room imports a chapter", type="forbidden",
            source_modules=listed(rooms), forbidden_modules=listed(chapters),
        )  # fmt: skip
    for name in chapters:
        number = chapter_of(name.split(".")[1])
        later = [f for f in rooms_after(number) if f in exist]
        later += [c for c in chapters if place(chapter_of(c.split(".")[1])) > place(number)]
        if later:
            contract(
                name, name=f"{name} imports nothing of later chapters", type="forbidden",
                source_modules=listed([name]), forbidden_modules=listed(later),
            )  # fmt: skip
    return config


def lint_imports(package: Path, folder: Path) -> subprocess.CompletedProcess:
    """Run import-linter over `package`, with the contracts made from the table."""
    ini = folder / "importlinter.ini"
    with ini.open("w", encoding="utf-8") as file:
        contracts(package).write(file)
    command = "from importlinter.cli import lint_imports_command as run; run()"
    return subprocess.run(
        [sys.executable, "-c", command, "--config", str(ini), "--no-cache"],
        cwd=package.parent, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(package.parent)},
    )  # fmt: skip


def test_every_module_has_its_place():
    assert strangers(ROOT / "imitlib") == set(), "give them a place in imitlib.chapters"


def test_no_room_stands_twice():
    names = [f for room in ROOMS for f in files_of(room)] + list(SHAFTS)
    assert len(names) == len(set(names))


def test_thirteen_chapters_and_an_interlude_after_the_ninth():
    assert len(ORDER) == 14 and list(ORDER)[9] == "interlude"
    assert [c for c in ORDER if c != "interlude"] == [f"{n:02d}" for n in range(1, 14)]


def test_the_library_keeps_the_order(tmp_path):
    result = lint_imports(ROOT / "imitlib", tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr


# Each breaks one contract: where it stands, what it imports, which contract says so.
PLANTED = {
    "an early room imports a late one":
        ("demonstrations.py", "from imitlib import bc", "only rooms before it"),
    "through a function, one import away":
        ("mdp.py", "def f():\n    import imitlib.dagger", "only rooms before it"),
    "a shaft imports a room":
        ("experiments.py", "from imitlib.mdp import x", "shaft imports no room"),
    "a room imports a chapter":
        ("bc.py", "import imitlib.chapters.ch02", "no room imports a chapter"),
    "a chapter imports a later room":
        ("chapters/ch02.py", "import imitlib.pc", "nothing of later chapters"),
}  # fmt: skip


@pytest.fixture()
def small_house(tmp_path) -> Path:
    """A package with our names and no content, in which the order is kept."""
    house = tmp_path / "imitlib"
    (house / "chapters").mkdir(parents=True)
    rooms = ("mdp", "demonstrations", "experiments", "bc", "dagger", "pc")
    for name in ("__init__", "chapters/__init__", "chapters/ch02", *rooms):
        (house / f"{name}.py").write_text("x = 1\n")
    (house / "dagger.py").write_text("from imitlib import bc, experiments\n")
    return house


def test_a_house_in_order_passes(small_house, tmp_path):
    result = lint_imports(small_house, tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("case", PLANTED)
def test_import_linter_catches(case, small_house, tmp_path):
    file, line, said = PLANTED[case]
    (small_house / file).write_text(line + "\n")
    result = lint_imports(small_house, tmp_path)
    assert result.returncode == 1
    broken = [row for row in result.stdout.splitlines() if row.endswith("BROKEN")]
    assert any(said in row for row in broken), result.stdout


def test_a_stranger_is_noticed(small_house):
    (small_house / "attic.py").write_text("")
    assert strangers(small_house) == {"attic"}


# --- notebooks, by the same table --------------------------------------------------


def imported(source: str) -> set[str]:
    """Modules of imitlib that a piece of code names, below ``imitlib``."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Attribute):
            names.add(ast.unparse(node))  # imitlib.bc.fit, without an import of its own
    return {n.removeprefix("imitlib.") for n in names if n.startswith("imitlib.")}


def too_early(page: str, chapter: str) -> set[str]:
    """What the code of a notebook imports from chapters after `chapter`.

    Both kinds of code count: cells that run, and solutions folded into the text.
    """
    forbidden = set(rooms_after(chapter))
    for later in list(ORDER)[place(chapter) + 1 :]:
        forbidden |= {f"chapters.ch{later}", f"chapters.{later}"}
    found = set()
    for code in FENCE.findall(page):
        python = MAGIC.sub("", OPTIONS.sub("", code))
        for name in imported(textwrap.dedent(python)):
            found |= {f for f in forbidden if name == f or name.startswith(f"{f}.")}
    return found


def test_notebooks_import_what_has_been_read():
    pages = sorted((ROOT / "notebooks" / "src").glob("*.md"))
    for page in pages:
        early = too_early(page.read_text(encoding="utf-8"), chapter_of(page.stem))
        assert not early, f"{page.name} imports {sorted(early)}"


PAGE = """
Some text, and a solution:

```python
{solution}
```

```{{code-cell}} ipython3
:tags: [hide-input]

import imitlib
{cell}
```
"""


@pytest.mark.parametrize(
    ("cell", "solution", "early"),
    [
        ("from imitlib import bc, check", "x = 1", set()),
        ("from imitlib import bc, pc", "x = 1", {"pc"}),
        ("from imitlib.pc import clone", "x = 1", {"pc"}),
        ("imitlib.goals.fit(3)", "x = 1", {"goals"}),
        ("x = 1", "import imitlib.irl.maxent as m", {"irl"}),
        ("from imitlib.chapters import ch05", "x = 1", {"chapters.ch05"}),
        ("from imitlib.chapters.ch02 import driving", "x = 1", set()),
    ],
)
def test_a_notebook_that_runs_ahead_is_caught(cell, solution, early):
    page = PAGE.format(cell=cell, solution=solution)
    assert too_early(page, "02") == early
