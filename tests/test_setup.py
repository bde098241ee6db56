"""A stranger's first hour: the two commands, the environment, the wheel, the papers."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import address
import conftest
import imitlib
from conftest import ROOT, missing
from setup_cell import setup_cell

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


# --- needs, lock and conda: three lists that agree -----------------------------------


def requirements(text: str) -> list[Requirement]:
    lines = (line.split("#")[0].strip() for line in text.splitlines())
    return [Requirement(line) for line in lines if line]


def pins(lock: str) -> dict[str, list[Version]]:
    """Name -> the versions the lock holds; more than one where a marker chooses."""
    found: dict[str, list[Version]] = {}
    for requirement in requirements(lock):
        (specifier,) = requirement.specifier
        assert specifier.operator == "==", f"{requirement} is not a pin"
        name = canonicalize_name(requirement.name)
        found.setdefault(name, []).append(Version(specifier.version))
    return found


def disagreements(needs: list[str], lock: str) -> list[str]:
    """Needs that no line of the lock meets, or that some line of it breaks."""
    locked, found = pins(lock), []
    for need in map(Requirement, needs):
        versions = locked.get(canonicalize_name(need.name), [])
        if not versions or not all(v in need.specifier for v in versions):
            found.append(f"{need}: the lock has {', '.join(map(str, versions)) or 'none'}")
    return found


def test_runtime_needs_are_lower_bounds_only():
    for need in map(Requirement, PROJECT["dependencies"]):
        assert [s.operator for s in need.specifier] == [">="], need


def test_the_lock_meets_every_need():
    needs = [*PROJECT["dependencies"], *EXTRAS["book"], *EXTRAS["test"], *EXTRAS["minari"]]
    assert disagreements(needs, read("requirements.lock")) == []


def test_a_lock_that_falls_behind_is_caught():
    lock = "numpy==1.20.0\nscipy==1.17.1 ; python_full_version < '3.12'\nscipy==1.2.0\n"
    assert disagreements(["numpy>=1.26"], lock) == ["numpy>=1.26: the lock has 1.20.0"]
    assert disagreements(["scipy>=1.11"], lock) == ["scipy>=1.11: the lock has 1.17.1, 1.2.0"]
    assert disagreements(["joblib>=1.3"], lock) == ["joblib>=1.3: the lock has none"]


def foreign(lock: str) -> list[str]:
    """Lines that tie a lock to one machine, one host or one graphics card."""
    rows = (line.strip() for line in lock.splitlines())
    pin = re.compile(r"[a-z0-9.-]+==[0-9][A-Za-z0-9.]*( ; [^@]+)?")
    bad = [row for row in rows if row and not pin.fullmatch(row)]
    bad += [row for row in lock.splitlines() if re.match("(nvidia|cuda|triton)", row)]
    return bad


def test_the_lock_names_versions_and_nothing_else():
    assert foreign(read("requirements.lock")) == []
    assert "torch==2.13.0" in read("requirements.lock").splitlines()


@pytest.mark.parametrize(
    "line",
    [
        "torch==2.13.0+cpu",
        "torch @ file:///wheels/torch.whl",
        "--index-url https://example.org/simple",
        "-e .",
        "numpy>=2",
        "nvidia-nccl-cu13==2.31.2",
        "triton==3.7.0 ; sys_platform == 'linux'",
    ],
)
def test_a_lock_of_one_machine_is_caught(line):
    assert foreign(f"numpy==2.4.6\n{line}\n") == [line]


def conda_lists(environment: dict) -> tuple[str, str]:
    """The Python that environment.yml asks for, and its pip lines, lock read in."""
    conda = environment["dependencies"]
    (pip,) = (d["pip"] for d in conda if isinstance(d, dict))
    python = next(d for d in conda if isinstance(d, str) and d.startswith("python="))
    lines = [read(row[3:]) if row.startswith("-r ") else row for row in pip if row != "-e ."]
    return python.removeprefix("python="), "\n".join(lines)


def test_conda_says_the_same():
    environment = yaml.safe_load(read("environment.yml"))
    python, lock = conda_lists(environment)
    assert Version(python) in Requirement(f"x{PROJECT['requires-python']}").specifier
    assert pins(lock) == pins(read("requirements.lock"))
    needs = [*PROJECT["dependencies"], *EXTRAS["book"], *EXTRAS["test"]]
    assert disagreements(needs, lock) == []
    others = [d for d in environment["dependencies"] if isinstance(d, str)]
    assert others == [f"python={python}", "pip"], "versions stand in the lock alone"


def test_a_conda_file_with_a_version_of_its_own_is_caught():
    planted = {"dependencies": ["python=3.11", {"pip": ["-r requirements.lock", "numpy==2.0"]}]}
    _, lock = conda_lists(planted)
    assert pins(lock) != pins(read("requirements.lock"))


# --- the two commands ----------------------------------------------------------------


def make(*arguments: str, folder: Path = ROOT) -> str:
    result = subprocess.run(
        ["make", "-n", *arguments], cwd=folder, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def targets(makefile: str) -> set[str]:
    return set(re.findall(r"(?m)^([a-z][\w-]*):(?!=)", makefile))


def phony(makefile: str) -> set[str]:
    return set(" ".join(re.findall(r"(?m)^\.PHONY:(.*)$", makefile)).split())


def test_the_readme_shows_two_commands():
    blocks = re.findall(r"(?ms)^```\w*\n(.*?)^```", read("README.md"))
    commands = [line.split("#")[0].strip() for b in blocks for line in b.splitlines()]
    assert [c for c in commands if c] == ["make book", "make test"]


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "book/setup.md"])
def test_what_the_first_pages_link_to_exists(page):
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", read(page)):
        assert ((ROOT / page).parent / target).exists(), target


def test_every_target_is_phony_and_told_in_the_book():
    makefile = read("Makefile")
    assert targets(makefile) - phony(makefile) == set()
    told = set(re.findall(r"\bmake ([a-z]+)", read("book/setup.md")))
    assert targets(makefile) <= told, targets(makefile) - told
    assert told <= targets(makefile), told - targets(makefile)


def test_make_book_works_beside_a_folder_called_book():
    assert (ROOT / "book").is_dir()
    assert "jupyter-book build" in make("book")


def test_without_phony_it_would_do_nothing(tmp_path):
    (tmp_path / "book").mkdir()
    careless = re.sub(r"(?m)^\.PHONY: book", ".PHONY:", read("Makefile"))
    assert "book" in targets(careless) - phony(careless)
    (tmp_path / "Makefile").write_text(careless.replace("book: setup", "book:"))
    assert "jupyter-book build" not in make("book", folder=tmp_path)


def test_the_environment_is_renewed_by_its_two_lists_alone(tmp_path):
    """Idempotent: after a build, only a newer lock or newer needs start another."""
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / ".venv").mkdir()
    done = tmp_path / ".venv" / ".done"
    done.write_text(f"{tmp_path}\n")
    assert "pip install" not in make("setup", folder=tmp_path)
    for name in ("requirements.lock", "pyproject.toml"):
        os.utime(tmp_path / name, (2e9, 2e9))
        assert "uv pip install" in make("setup", folder=tmp_path)
        os.utime(tmp_path / name, (1e9, 1e9))
    done.write_text("/another/folder\n")  # moved: its scripts point to the old place
    assert "uv pip install" in make("setup", folder=tmp_path)


def shim(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return file


def find_python(path: list[Path], *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["/bin/sh", ROOT / "book/tools/find_python.sh", *arguments],
        env={"PATH": os.pathsep.join(map(str, path))},
        capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip


REAL = f'exec "{sys.executable}" "$@"'
BROKEN = "echo 'command not found in this version' >&2; exit 127"
TOO_OLD = "exit 1"  # what the question "are you new enough?" gets from an old Python


def test_the_finder_passes_over_names_that_do_not_run(tmp_path):
    first, second = tmp_path / "shims", tmp_path / "with a space"
    shim(first, "python3.11", BROKEN)
    shim(first, "python3.13", BROKEN)
    shim(first, "python3", TOO_OLD)
    good = shim(second, "python3.12", REAL)
    result = find_python([tmp_path / "absent", first, second])
    assert (result.stdout.strip(), result.stderr) == (str(good), "")
    better = shim(second, "python3.11", REAL)
    assert find_python([first, second]).stdout.strip() == str(better)


def test_the_finder_says_in_one_line_that_there_is_none(tmp_path):
    shim(tmp_path, "python3.12", BROKEN)
    for result in (find_python([tmp_path]), find_python([tmp_path], "python3.12")):
        assert result.returncode == 1 and result.stdout == ""
        assert result.stderr.count("\n") == 1 and "Python 3.11 or newer" in result.stderr


def test_the_finder_says_in_one_line_that_the_disk_is_full(tmp_path):
    small = 'import shutil; shutil.disk_usage = lambda _: type("D", (), {"free": 1e9})'
    (tmp_path / "sitecustomize.py").write_text(small)
    shim(tmp_path, "python3.11", f'PYTHONPATH="{tmp_path}" {REAL}')
    result = find_python([tmp_path])
    assert result.returncode == 1 and result.stdout == ""
    assert re.fullmatch(r"The book needs \d GB of free disk space; here are 1.0 GB.\n",
                        result.stderr)  # fmt: skip


# --- the browser ---------------------------------------------------------------------


@pytest.mark.parametrize("place", ["CHROMIUM", "PATH", "PLAYWRIGHT_BROWSERS_PATH"])
def test_a_browser_is_found_where_it_may_be(place, tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    for name in ("CHROMIUM", "PLAYWRIGHT_BROWSERS_PATH"):
        monkeypatch.delenv(name, raising=False)
    assert conftest.find_chromium() is None
    if place == "CHROMIUM":
        found = shim(tmp_path / "own", "my-browser", "exit 0")
        monkeypatch.setenv(place, str(found))
    elif place == "PATH":
        found = shim(tmp_path / "bin", "chromium", "exit 0")
    else:
        (tmp_path / "pw" / "chromium-1200").mkdir(parents=True)
        found = shim(tmp_path / "pw" / "chromium-1200" / "chrome-linux", "chrome", "exit 0")
        monkeypatch.setenv(place, str(tmp_path / "pw"))
    assert conftest.find_chromium() == str(found)


@pytest.mark.parametrize(
    ("in_ci", "outcome"), [(True, pytest.fail.Exception), (False, pytest.skip.Exception)]
)
def test_without_a_browser_ci_fails_and_a_reader_goes_on(in_ci, outcome, monkeypatch):
    monkeypatch.setattr(conftest, "IN_CI", in_ci)
    monkeypatch.setattr(conftest, "find_chromium", lambda: None)
    with pytest.raises(outcome, match="no Chromium"):
        conftest.chromium()


def test_ci_runs_the_tests_and_nothing_else():
    steps = [row for row in read(".ci/run").splitlines() if re.match(r"[a-z]", row)]
    assert steps[-1] == "make test" and "set -euo pipefail" in steps
    assert "export CI=true" in steps
    assert "pip" not in read(".ci/run").replace("pipefail", "")


# --- the wheel -----------------------------------------------------------------------


def test_the_wheel_holds_data_and_licence_and_installs(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (licence,) = (n for n in names if n.endswith("/LICENSE"))
        assert "Center for Human-Compatible AI" in archive.read(licence).decode()
        inside = {n for n in names if n.startswith("imitlib/")}
    tracked = {
        p.relative_to(ROOT).as_posix()
        for p in (ROOT / "imitlib").rglob("*")
        if p.is_file() and "__pycache__" not in p.parts
    }
    assert "imitlib/data/kitchen_human_play.npz" in inside
    assert any(re.fullmatch(r"imitlib/data/claims/.*\.json", n) for n in inside)
    assert inside == tracked

    target = tmp_path / "installed"
    uv = Path(sys.executable).with_name("uv")
    subprocess.run(
        [uv, "pip", "install", "--quiet", "--offline", "--no-deps", "--target", target, wheel],
        check=True,
    )  # fmt: skip
    code = "import imitlib, sys; print(imitlib.__file__, imitlib.__version__)"
    result = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(target)},
        capture_output=True, text=True, check=True, cwd=tmp_path,
    )  # fmt: skip
    assert result.stdout.split() == [str(target / "imitlib/__init__.py"), PROJECT["version"]]


def test_importing_the_library_loads_no_torch():
    code = "import imitlib, sys; print('torch' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "False"


def test_one_version():
    assert imitlib.__version__ == PROJECT["version"] == address.version()


# --- nothing of one machine in the repository ----------------------------------------

# Put together from halves, so that this file names none of them itself.
HOSTS = ["py" + "pi.org", "python" + "hosted.org", "registry.npm" + "js", "deb.deb" + "ian.org",
         "download.py" + "torch.org", "conda.ana" + "conda.org", "npm" + "mirror"]  # fmt: skip
FOLDERS = ["ro" + "ot", "ho" + "me", "Us" + "ers", "wo" + "rk", "op" + "t", "t" + "mp"]
TRACES = re.compile(
    "|".join(map(re.escape, HOSTS))
    + rf"|(?<![\w.+/=-])(?:file://)?/(?:{'|'.join(FOLDERS)})/[\w.]"
    + r"|(?<!\w)[A-Z]:\\+Us" + r"ers\\"
)  # fmt: skip


def tracked_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    if listed.returncode:
        missing("not a git repository: no list of its files")
    return [ROOT / name for name in listed.stdout.split("\0") if name]


def traces(text: str) -> list[str]:
    return [m[0] for m in TRACES.finditer(text)]


def test_no_file_names_a_host_or_a_path_of_one_machine():
    found = {}
    for file in tracked_files():
        if not file.is_file() or b"\0" in (data := file.read_bytes())[:8000]:
            continue
        if hits := traces(data.decode("utf-8", errors="ignore")):
            found[file.relative_to(ROOT).as_posix()] = hits[:3]
    assert found == {}


@pytest.mark.parametrize(
    "text",
    [
        "see https://" + HOSTS[0] + "/simple",
        'File "/' + FOLDERS[0] + '/book/x.py", line 3',
        "wheels lie in /" + FOLDERS[4] + "/wheels",
        "(/" + FOLDERS[2] + "/ann/book)",
        "imitlib @ file:///" + FOLDERS[1] + "/ann/book",
        "C:\\" + FOLDERS[2] + "\\ann",
    ],
)
def test_a_trace_of_a_machine_is_caught(text):
    assert traces(text)


def test_ordinary_words_are_no_traces():
    assert traces("home/work/opt and https://example.org/home/x, iVBOR/opt/AAAA") == []


# --- papers, and the public address --------------------------------------------------


def test_the_citation_file_can_be_cited():
    citation = yaml.safe_load(read("CITATION.cff"))
    required = {"cff-version", "message", "title", "authors"}
    assert required <= set(citation)
    assert citation["cff-version"] == "1.2.0"
    assert all("name" in a or "family-names" in a for a in citation["authors"])
    assert citation["version"] == PROJECT["version"]
    assert set(citation["license"]) == {"MIT", "CC-BY-4.0"}
    assert PROJECT["license"] == "MIT AND CC-BY-4.0"


def test_the_workflow_can_be_read():
    workflow = yaml.safe_load(read(".github/workflows/book.yml"))
    commands = [s.get("run", "") for j in workflow["jobs"].values() for s in j["steps"]]
    for command in ("make book", ".ci/run", "make wheel"):
        assert any(command in c for c in commands), command


def test_the_address_agrees_everywhere():
    assert address.problems() == []


@pytest.fixture()
def repository(tmp_path) -> Path:
    """A small repository with everything in which the address stands."""
    for name in ("_config.yml", "CITATION.cff", "pyproject.toml", "README.md",
                 "CONTRIBUTING.md"):  # fmt: skip
        shutil.copy(ROOT / name, tmp_path)
    sources = tmp_path / "notebooks" / "src"
    sources.mkdir(parents=True)
    cell = setup_cell(address.address().url, address.version())
    (sources / "02_x.md").write_text(
        "---\nkernelspec:\n  name: python3\n  display_name: Python 3\n---\n\n# A page\n\n"
        f"```{{code-cell}} ipython3\n:tags: [setup, hide-input]\n\n{cell}\n```\n\n"
        "```{code-cell} ipython3\nprint('setup')\n```\n"
    )
    import nbformat

    import notebooks

    notebook = notebooks.read_text(sources / "02_x.md")
    notebook.metadata["imitlib"] = {"made_from": notebooks.digest(notebook)}
    nbformat.write(notebook, tmp_path / "notebooks" / "02_x.ipynb")
    return tmp_path


def test_moving_the_book_moves_all_of_it(repository):
    assert address.problems(repository) == []
    fork = address.Address.parse("https://github.com/some-university/imitation.course")
    address.move(repository, fork)
    assert address.problems(repository) == []
    assert address.address(repository) == fork
    import nbformat

    import notebooks

    notebook = nbformat.read(repository / "notebooks/02_x.ipynb", as_version=4)
    text = notebooks.read_text(repository / "notebooks/src/02_x.md")
    assert notebooks.lines(notebook) == notebooks.lines(text)
    assert notebook.metadata["imitlib"]["made_from"] == notebooks.digest(text)
    old = address.address().slug
    for page in [*address.pages_with_links(repository), repository / "_config.yml"]:
        assert old not in page.read_text(), page.name
    address.move(repository, address.address())  # and back, to the letter
    for name in ("_config.yml", "README.md", "CITATION.cff", "pyproject.toml"):
        assert (repository / name).read_text() == read(name)


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("README.md", "/github/OWNER/", "/github/SOMEONE/"),
        ("CONTRIBUTING.md", "https://github.com/OWNER/", "https://github.com/SOMEONE/"),
        ("README.md", "//owner.github.io", "//someone.github.io"),
        ("CITATION.cff", "//owner.github.io", "//someone.github.io"),
        ("CITATION.cff", "version: ", "version: 9"),
        ("pyproject.toml", "https://github.com/OWNER/", "https://github.com/SOMEONE/"),
        ("notebooks/src/02_x.md", "import imitlib", "import imitlib as im"),
        ("notebooks/src/02_x.md", "setup, ", ""),
        ("notebooks/02_x.ipynb", "github.com/OWNER/", "github.com/SOMEONE/"),
        ("_config.yml", "github.com/OWNER/", "github.com/SOMEONE/"),
    ],
)
def test_an_address_left_behind_is_caught(repository, file, before, after):
    owner, pages = address.address().owner, address.address().pages.split("/")[0]
    before = before.replace("OWNER", owner).replace("owner.github.io", pages)
    text = (repository / file).read_text()
    assert before in text
    (repository / file).write_text(text.replace(before, after))
    assert address.problems(repository) != []


@pytest.mark.parametrize("url", ["github.com/a/b", "https://github.com/a", "http://x.org/a/b"])
def test_an_address_that_cannot_be_is_refused(url):
    with pytest.raises(ValueError, match="it must be like https://github.com/you/fork"):
        address.Address.parse(url)


# --- the setup cell ------------------------------------------------------------------


def test_the_setup_cell_is_short():
    lines = setup_cell(address.address().url, address.version()).splitlines()
    assert len(lines) <= 10 and max(map(len, lines)) <= 72
    long = setup_cell("https://github.com/the-university-of-somewhere/a-course", "10.11.12")
    assert len(long.splitlines()) == 11 and max(map(len, long.splitlines())) <= 72


def run_cell(cell: str, installer: Path | None = None) -> str:
    """Run the setup cell as a script; `installer` stands in for Python with pip."""
    stand_in = f"import sys; sys.executable = {str(installer)!r}\n" if installer else ""
    result = subprocess.run(
        [sys.executable, "-c", stand_in + cell], capture_output=True, text=True, check=True
    )
    return result.stdout + result.stderr


def test_the_setup_cell_is_silent_where_the_library_is_installed():
    assert importlib.util.find_spec("imitlib")
    assert run_cell(setup_cell(address.address().url, imitlib.__version__)) == ""


@pytest.mark.parametrize("has_release", [True, False])
def test_the_setup_cell_takes_the_release_or_else_the_repository(tmp_path, has_release):
    log = tmp_path / "log"
    answer = 'case "$*" in *.whl) exit 1;; esac' if not has_release else "exit 0"
    pip = shim(tmp_path, "python", f'echo "$*" >> "{log}"\n{answer}')
    said = run_cell(setup_cell("https://github.com/you/fork", "9.9"), pip)
    assert said == "Installing imitlib 9.9 from https://github.com/you/fork\n"
    install = "-m pip install -q "
    wheel = "https://github.com/you/fork/releases/download/v9.9/imitlib-9.9-py3-none-any.whl"
    asked = [install + wheel] + [install + "git+https://github.com/you/fork"] * (not has_release)
    assert log.read_text().splitlines() == asked
