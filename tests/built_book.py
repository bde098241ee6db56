"""The book, built once for every test that looks at it, warnings being errors."""

import contextlib
import hashlib
import shutil
import subprocess
import sys
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "_build" / "test-book"
HTML = OUT / "_build" / "html"
COMMAND = "from jupyter_book.cli.main import main; main()"
INPUTS = ("_config.yml", "_toc.yml", "book", "notebooks", "imitlib")


def documents() -> list[str]:
    """Every page of _toc.yml, in reading order, without its ending."""

    def walk(entry):
        if isinstance(entry, list):
            return [name for item in entry for name in walk(item)]
        if not isinstance(entry, dict):
            return []
        own = [entry[key] for key in ("root", "file") if key in entry]
        nested = [
            walk(entry[key])
            for key in ("parts", "chapters", "sections")
            if key in entry
        ]
        return own + [name for names in nested for name in names]

    return walk(yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8")))


def source(document: str) -> Path | None:
    """The file behind a page of _toc.yml, or None where it is missing."""
    files = [ROOT / f"{document}{ending}" for ending in (".md", ".ipynb")]
    return next((file for file in files if file.exists()), None)


def fingerprint() -> str:
    """Changes with anything that the book is made of."""
    digest = hashlib.sha256()
    for name in INPUTS:
        top = ROOT / name
        for file in sorted(top.rglob("*")) if top.is_dir() else [top]:
            inside = file.relative_to(ROOT)
            if file.is_file() and not any(
                p[0] == "." or p == "__pycache__" for p in inside.parts
            ):
                digest.update(str(inside).encode() + file.read_bytes())
    return digest.hexdigest()


@contextlib.contextmanager
def alone(lock: Path, patience: float = 600):
    """Tests run in several processes; one builds and the others wait."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    since = time.monotonic()
    while True:
        try:
            lock.mkdir()
            break
        except FileExistsError:
            with contextlib.suppress(FileNotFoundError):
                if time.time() - lock.stat().st_mtime > patience:
                    lock.rmdir()  # left behind by a run that was stopped
            if time.monotonic() - since > patience:
                raise TimeoutError(f"{lock} has been held for {patience} s") from None
            time.sleep(0.5)
    try:
        yield
    finally:
        lock.rmdir()


def build() -> Path:
    """The folder of the built book; built afresh only if something has changed."""
    stamp, now = OUT / "stamp", fingerprint()
    with alone(ROOT / "_build" / "test-book.lock"):
        if not stamp.exists() or stamp.read_text() != now:
            shutil.rmtree(OUT, ignore_errors=True)
            OUT.mkdir(parents=True)
            done = subprocess.run(
                [sys.executable, "-c", COMMAND, "build", ".", "--path-output", str(OUT),
                 "-W", "--keep-going", "-n", "-q"],
                cwd=ROOT, capture_output=True, text=True,
            )  # fmt: skip
            if done.returncode:
                raise RuntimeError(
                    f"the book does not build:\n{done.stdout}\n{done.stderr}"
                )
            stamp.write_text(now)
    return HTML
