"""Twins and execution: the text is edited, the notebook is made from it.

    python book/tools/notebooks.py build [NN ...]   text -> executed notebook
    python book/tools/notebooks.py check [NN ...]   do the twins agree?
    python book/tools/notebooks.py pull NN          after a save in JupyterLab: notebook -> text

Direction is never guessed from file times. The notebook remembers a hash of the cells
it was made from; whoever changed since is known from that, and nothing that a person
wrote is overwritten: a conflict is shown as a diff and refused.
"""

from __future__ import annotations

import argparse
import difflib
import hashlib
import json
import os
import sys
import time
from pathlib import Path

import jupytext
import nbformat

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "notebooks"
KEPT = ("tags",)  # cell metadata that both twins carry


class Drift(Exception):
    """The twins differ and neither may be overwritten."""


def text_path(notebook: Path) -> Path:
    return notebook.parent / "src" / f"{notebook.stem}.md"


def notebook_path(text: Path) -> Path:
    return text.parent.parent / f"{text.stem}.ipynb"


def read_text(path: Path):
    """The text twin as a notebook without outputs; ids are numbers, not chance."""
    notebook = jupytext.read(path, fmt="md:myst")
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number:03d}"
        cell.source = cell.source.rstrip()
        cell.metadata = {k: cell.metadata[k] for k in KEPT if cell.metadata.get(k)}
    return notebook


def lines(notebook) -> list[str]:
    """What counts as the same page: kinds, tags and sources of the cells, in order."""
    out = []
    for cell in notebook.cells:
        tags = " ".join(cell.metadata.get("tags", []))
        out += [f"+++ {cell.cell_type} {tags}".rstrip(), *cell.source.rstrip().splitlines()]
    return out


def digest(notebook) -> str:
    return hashlib.sha256("\n".join(lines(notebook)).encode()).hexdigest()


def diff(text, notebook) -> str:
    rows = difflib.unified_diff(lines(text), lines(notebook), "text twin", "notebook", lineterm="")
    return "\n".join(rows)


def refuse_drift(text, notebook, *, towards: str) -> None:
    """Raise Drift where writing `towards` one twin would lose what a person wrote there."""
    if notebook is None or lines(text) == lines(notebook):
        return
    made_from = notebook.metadata.get("imitlib", {}).get("made_from")
    at_risk = notebook if towards == "notebook" else text
    if digest(at_risk) != made_from:
        raise Drift(diff(text, notebook))


def execute(notebook, folder: Path):
    """Run every cell in a fresh kernel, as the static page; errors and stderr are refused."""
    from nbclient import NotebookClient

    quiet = {"IMITLIB_STATIC": "1", "PYTHONHASHSEED": "0"}
    environment = {"OMP_NUM_THREADS": "1", **os.environ, **quiet}
    client = NotebookClient(
        notebook, timeout=600, kernel_name="python3", record_timing=False,
        coalesce_streams=True, resources={"metadata": {"path": str(folder)}},
    )  # fmt: skip
    client.execute(env=environment)
    for number, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            if output.get("name") == "stderr":
                raise RuntimeError(f"cell {number} wrote to stderr: {output.text[:300]}")
        cell.metadata = {k: v for k, v in cell.metadata.items() if k in KEPT}
    return notebook


def build(text_file: Path) -> float:
    """Make the executed notebook; returns the seconds it took."""
    target = notebook_path(text_file)
    notebook = read_text(text_file)
    old = nbformat.read(target, as_version=4) if target.exists() else None
    refuse_drift(notebook, old, towards="notebook")
    made_from = digest(notebook)
    start = time.perf_counter()
    execute(notebook, target.parent)
    seconds = time.perf_counter() - start
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            "imitlib": {"made_from": made_from},
        }
    )
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    nbformat.validate(notebook)
    page = json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False)
    target.write_text(page + "\n", encoding="utf-8")
    return seconds


def pull(target: Path) -> None:
    """Bring cells saved in JupyterLab back into the text twin."""
    notebook, twin = nbformat.read(target, as_version=4), text_path(target)
    text = read_text(twin)
    refuse_drift(text, notebook, towards="text")
    notebook.metadata = dict(jupytext.read(twin, fmt="md:myst").metadata)
    for cell in notebook.cells:
        cell.metadata = {k: v for k, v in cell.metadata.items() if k in KEPT}
    twin.write_text(jupytext.writes(notebook, fmt="md:myst"), encoding="utf-8")


def problems(text_file: Path) -> str:
    """Empty if the twins agree, else the reason with a diff."""
    target = notebook_path(text_file)
    if not target.exists():
        return f"{target.name} is missing; run make notebooks"
    text, notebook = read_text(text_file), nbformat.read(target, as_version=4)
    if lines(text) != lines(notebook):
        return f"{target.name} and its text differ:\n{diff(text, notebook)}"
    if notebook.metadata.get("imitlib", {}).get("made_from") != digest(text):
        return f"{target.name} has outputs of other cells; run make notebooks"
    return ""


def main(argv=None) -> int:
    style = argparse.RawTextHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=style)
    parser.add_argument("command", choices=["build", "check", "pull"])
    parser.add_argument("chapters", nargs="*", help="two digits, or the start of a name")
    args = parser.parse_args(argv)
    texts = sorted((FOLDER / "src").glob("*.md"))
    for chapter in args.chapters:
        if not any(t.name.startswith(chapter) for t in texts):
            names = ", ".join(t.stem for t in texts)
            parser.error(f"no notebook begins with {chapter!r}; there are {names}")
    texts = [t for t in texts if not args.chapters or t.name.startswith(tuple(args.chapters))]
    if args.command == "pull" and len(texts) != 1:
        parser.error("pull takes one notebook")
    try:
        for text in texts:
            if args.command == "build":
                print(f"{text.stem}: executed in {build(text):.0f} s", flush=True)
            elif args.command == "pull":
                pull(notebook_path(text))
                print(f"{text.name} now holds what was saved; run make notebooks to execute it")
            elif found := problems(text):
                print(found)
                return 1
    except Drift as drift:
        print(drift)
        print(
            f"\nRefused: the twins of {text.stem} were both edited, or one was edited where the "
            "other is about to be written.\nKeep the notebook's cells: "
            f"python book/tools/notebooks.py pull {text.stem}\nKeep the text's: "
            f"git checkout notebooks/{text.stem}.ipynb, then make notebooks"
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
