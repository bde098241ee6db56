"""What happens to a reader in Colab: the notebook alone, and Colab's versions.

Two things are shown. The library's needs change nothing that Colab has installed; and
every notebook runs cold: one file in an empty folder, in a fresh environment with
Colab's versions and the built wheel, without the network.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import nbformat
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from conftest import IN_CI, ROOT, missing

COLAB_LIST = ROOT / "tests" / "colab-pip-freeze.txt"
CONSTRAINTS = ROOT / "tests" / "colab-constraints.txt"
COLAB_PYTHON = "3.13"
UV = Path(sys.executable).with_name("uv")
ADDED = {"jedi"}  # what IPython needs and Colab's own build leaves out

NEEDS = [
    Requirement(need)
    for need in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
]


def versions(text: str) -> dict[str, str]:
    rows = re.findall(r"(?m)^([A-Za-z0-9._-]+)==([^\s;]+)", text)
    return {canonicalize_name(name): number for name, number in rows}


def uv(*arguments, **keywords) -> subprocess.CompletedProcess:
    """Run uv with pip's own setting for where ready-made wheels lie."""
    links = os.environ.get("UV_FIND_LINKS") or os.environ.get("PIP_FIND_LINKS", "")
    return subprocess.run(
        [UV, *arguments], capture_output=True, text=True,
        env={**os.environ, "UV_FIND_LINKS": links}, **keywords,
    )  # fmt: skip


# --- Colab keeps its versions --------------------------------------------------------


def changes(needs: list[str], listed: str, folder: Path) -> dict[str, str]:
    """What installing `needs` in Colab would add or change, by name.

    Raises RuntimeError where the needs cannot be met beside the listed versions.
    """
    constraints = folder / "listed.txt"
    constraints.write_text(listed)
    result = uv(
        "pip", "compile", "-", "--constraints", constraints, "--quiet",
        "--python-version", COLAB_PYTHON, "--python-platform", "linux",
        "--no-header", "--no-annotate", input="\n".join(needs),
    )  # fmt: skip
    if result.returncode:
        if "dns error" in result.stderr or "Failed to fetch" in result.stderr:
            missing("no package index can be reached")
        raise RuntimeError(result.stderr)
    have = versions(listed)
    return {n: v for n, v in versions(result.stdout).items() if have.get(n) != v}


@pytest.mark.colab
def test_our_needs_change_nothing_in_colab(tmp_path):
    needs = [str(need) for need in NEEDS if need.name != "torch"]
    assert set(changes(needs, COLAB_LIST.read_text(), tmp_path)) <= ADDED


@pytest.mark.colab
def test_a_need_that_colab_cannot_meet_is_caught(tmp_path):
    with pytest.raises(RuntimeError, match="No solution found"):
        changes(["ipywidgets>=8"], COLAB_LIST.read_text(), tmp_path)


@pytest.mark.colab
def test_a_need_that_colab_lacks_is_caught(tmp_path):
    assert set(changes(["nbval>=0.11"], COLAB_LIST.read_text(), tmp_path)) - ADDED


def test_our_torch_is_met_by_colabs():
    (bound,) = (need.specifier for need in NEEDS if need.name == "torch")
    assert Version(versions(COLAB_LIST.read_text())["torch"]) in bound


def test_the_constraints_are_colabs_own():
    listed = versions(COLAB_LIST.read_text())
    ours = versions(CONSTRAINTS.read_text())
    assert ours and ours == {name: listed[name] for name in ours}
    runtime = {canonicalize_name(need.name) for need in NEEDS} - {"torch"}
    assert runtime <= set(ours)


# --- cold: one file, an empty folder, a fresh environment ----------------------------

NO_NETWORK = '''
import socket

LOCAL = ("localhost", "127.0.0.1", "::1", "", None)
connect, look_up = socket.socket.connect, socket.getaddrinfo

def refuse(host):
    if host not in LOCAL:
        raise OSError(f"this notebook reached for the network: {host}")

def only_local_connect(self, address):
    if self.family in (socket.AF_INET, socket.AF_INET6):
        refuse(address[0])
    return connect(self, address)

def only_local_look_up(host, *arguments, **keywords):
    refuse(host)
    return look_up(host, *arguments, **keywords)

socket.socket.connect, socket.getaddrinfo = only_local_connect, only_local_look_up
'''

EXECUTE = """
import sys
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError

def run():
    page = nbformat.read(sys.argv[1], as_version=4)
    for cell in page.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    NotebookClient(page, timeout=100, kernel_name="python3", allow_errors=True).execute()
    return page

for attempt in range(3):  # on a busy machine Colab's old kernel and client now and then
    try:  # lose a message, and wait for each other: begin afresh
        page = run()
        break
    except CellTimeoutError:
        if attempt == 2:
            raise
nbformat.write(page, sys.argv[1])
"""


@pytest.fixture(scope="session")
def colab(wheel, tmp_path_factory) -> Path:
    """The Python of a fresh environment with Colab's versions and our wheel."""
    folder = tmp_path_factory.mktemp("colab") / "environment"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    made = uv("venv", "--quiet", "--python", sys.executable, folder)
    assert made.returncode == 0, made.stderr
    installed = uv(
        "pip", "install", "--quiet", "--python", python, "--constraints", CONSTRAINTS,
        f"torch=={version('torch')}", "ipykernel", "nbclient", wheel,
    )  # fmt: skip
    if installed.returncode:
        if IN_CI:
            pytest.fail(installed.stderr, pytrace=False)
        missing(f"Colab's versions cannot be installed here: {installed.stderr[-300:]}")
    frozen = versions(uv("pip", "freeze", "--python", python).stdout)
    asked = versions(CONSTRAINTS.read_text())
    assert {n: v for n, v in frozen.items() if n in asked and asked[n] != v} == {}

    (site,) = folder.glob("**/site-packages")
    (site / "no_network.py").write_text(NO_NETWORK)
    (site / "no_network.pth").write_text("import no_network\n")
    return python


def run_alone(notebook: Path, python: Path, folder: Path) -> list[str]:
    """Run a copy of `notebook`, alone in `folder`; returns its errors."""
    folder.mkdir()
    shutil.copy(notebook, folder)
    nowhere = "http://127.0.0.1:9"
    ours = ("IMITLIB", "PYTHON", "VIRTUAL_ENV", "JUPYTER", "MPLBACKEND")
    clean = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        clean |= {name: nowhere, name.upper(): nowhere}
    clean |= {"JUPYTER_DATA_DIR": str(folder.parent / "jupyter"), "no_proxy": ""}
    result = subprocess.run(
        [python, "-c", EXECUTE, notebook.name],
        cwd=folder, env=clean, capture_output=True, text=True,
    )  # fmt: skip
    if result.returncode:
        return [result.stderr]
    page = nbformat.read(folder / notebook.name, as_version=4)
    return [
        f"cell {number}: {output.ename}: {output.evalue}"
        for number, cell in enumerate(page.cells)
        for output in cell.get("outputs", [])
        if output.output_type == "error"
    ]


def notebooks() -> list[Path]:
    return sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.colab
@pytest.mark.slow
@pytest.mark.parametrize("notebook", notebooks(), ids=lambda path: path.stem)
def test_the_notebook_runs_cold(notebook, colab, tmp_path):
    assert run_alone(notebook, colab, tmp_path / "empty") == []


@pytest.mark.colab
@pytest.mark.slow
def test_a_notebook_that_cannot_stand_alone_is_caught(colab, tmp_path):
    cells = {
        "a file beside it": "open('../book/references.bib')",
        "a package of ours": "import pytest",
        "the network": "import socket; socket.create_connection(('192.0.2.1', 80))",
        "a host": "import urllib.request as u; u.urlopen('https://example.org')",
        "a newer widget": "import ipywidgets; ipywidgets.TagsInput",
        "nothing at all": "import imitlib; imitlib.__version__",
        "torch": "import torch; torch.zeros(2).sum()",
    }
    page = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells.values()])
    nbformat.write(page, tmp_path / "planted.ipynb")
    errors = run_alone(tmp_path / "planted.ipynb", colab, tmp_path / "empty")
    kinds = [re.match(r"cell (\d+): (\w+)", error).groups() for error in errors]
    assert kinds == [
        ("0", "FileNotFoundError"),
        ("1", "ModuleNotFoundError"),
        ("2", "OSError"),
        ("3", "URLError"),
        ("4", "AttributeError"),
    ]


@pytest.mark.colab
def test_there_is_a_notebook_to_run():
    assert notebooks()
