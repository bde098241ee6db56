"""The public address stands in one place: ``repository: url:`` in ``_config.yml``.

    python book/tools/address.py https://github.com/you/fork   move the book there
    python book/tools/address.py                               rewrite what derives from it
    python book/tools/address.py --check                       list what disagrees; exit 1

The links that the theme draws (Colab, Binder, edit, report a mistake) are made from
``_config.yml`` whenever the book is built. What must be stored, because it is read
outside the book, is written by this tool: the setup cell of every notebook, the
addresses and the version in ``CITATION.cff``, and the links in README and pages.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat

sys.path.insert(0, str(Path(__file__).parent))
from notebooks import digest  # noqa: E402
from setup_cell import setup_cell  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
STRICT = ("README.md", "CONTRIBUTING.md", "CITATION.cff", "pyproject.toml")
EXAMPLES = {"you/fork"}  # addresses that the text uses as an example

CONFIG = re.compile(r"(?m)^(repository:\n(?:[ \t]+.*\n)*?[ \t]+url:[ \t]*)(\S+)")
SETUP = re.compile(  # a MyST code cell: opening line, options, source, closing fence
    r"(?ms)^(```\{code-cell\}[^\n]*\n(?:---\n.*?^---\n|(?::[^\n]*\n)*\n?))"
    r"(.*?)(\n```[ \t]*$)"
)
SLUG = r"([\w.-]+/[\w.-]*[\w-])"
GITHUB = re.compile(rf"(?<![\w.-])github\.com/{SLUG}")
DERIVED = {  # links that can only mean this book
    "Colab": re.compile(rf"colab\.research\.google\.com/github/{SLUG}"),
    "Binder": re.compile(rf"mybinder\.org/v2/gh/{SLUG}"),
}


@dataclass(frozen=True)
class Address:
    """A GitHub repository: where it is, and where its Pages are."""

    owner: str
    name: str

    @classmethod
    def parse(cls, url: str) -> Address:
        """From ``https://github.com/OWNER/NAME``; ValueError says what is wrong."""
        url = url.removesuffix("/").removesuffix(".git")
        match = re.fullmatch(r"https://github\.com/([\w-]+)/([\w.-]+)", url)
        if match is None:
            raise ValueError(f"URL is {url!r}; it must be like https://github.com/you/fork")
        return cls(*match.groups())

    @property
    def slug(self) -> str:
        return f"{self.owner}/{self.name}"

    @property
    def url(self) -> str:
        return f"https://github.com/{self.slug}"

    @property
    def pages(self) -> str:
        return f"{self.owner.lower()}.github.io/{self.name}"


def address(root: Path = ROOT) -> Address:
    """The address in ``_config.yml``."""
    match = CONFIG.search((root / "_config.yml").read_text(encoding="utf-8"))
    if match is None:
        raise ValueError("_config.yml has no url under repository:")
    return Address.parse(match[2])


def version(root: Path = ROOT) -> str:
    """The library's version, which stands in ``pyproject.toml``."""
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    return re.search(r'(?m)^version = "(.+)"$', text)[1]


def pages_with_links(root: Path) -> list[Path]:
    """Every text in which a link to the repository may stand."""
    pages = [root / name for name in STRICT]
    pages += sorted((root / "book").glob("**/*.md"))
    pages += texts(root) + notebooks(root)
    return [page for page in pages if page.is_file()]


def texts(root: Path) -> list[Path]:
    return sorted((root / "notebooks" / "src").glob("*.md"))


def notebooks(root: Path) -> list[Path]:
    return sorted((root / "notebooks").glob("*.ipynb"))


# --- the setup cell, in both twins -------------------------------------------------


def has_setup(match: re.Match) -> bool:
    return bool(re.search(r"(?s)\btags:.*\bsetup\b", match[1]))


def setup_in_text(page: Path) -> list[str]:
    found = SETUP.finditer(page.read_text(encoding="utf-8"))
    return [match[2] for match in found if has_setup(match)]


def setup_in_notebook(notebook) -> list:
    return [c for c in notebook.cells if "setup" in c.metadata.get("tags", [])]


def write_setup(root: Path, cell: str) -> None:
    """Put `cell` into every notebook and its text twin, outputs untouched."""
    for page in texts(root):
        old = page.read_text(encoding="utf-8")
        new = SETUP.sub(
            lambda m: f"{m[1]}{cell}{m[3]}" if has_setup(m) else m[0], old
        )
        if new != old:
            page.write_text(new, encoding="utf-8")
    for page in notebooks(root):
        notebook = nbformat.read(page, as_version=4)
        stale = [c for c in setup_in_notebook(notebook) if c.source != cell]
        for old in stale:
            old.source = cell
        if stale:
            write_notebook(notebook, page)


def write_notebook(notebook, page: Path) -> None:
    text = json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False)
    page.write_text(text + "\n", encoding="utf-8")


def is_current(page: Path) -> bool:
    """Do the notebook's outputs belong to its cells?"""
    notebook = nbformat.read(page, as_version=4)
    return notebook.metadata.get("imitlib", {}).get("made_from") == digest(notebook)


def declare_current(page: Path) -> None:
    notebook = nbformat.read(page, as_version=4)
    notebook.metadata["imitlib"]["made_from"] = digest(notebook)
    write_notebook(notebook, page)


# --- moving, and checking ----------------------------------------------------------


def addresses_in_use(root: Path) -> set[Address]:
    """Those that the config, the citation and the setup cells name now."""
    urls = {address(root).url}
    citation = (root / "CITATION.cff").read_text(encoding="utf-8")
    urls |= set(re.findall(r"(?m)^repository-code: \"?([^\"\s]+)", citation))
    cells = [source for page in texts(root) for source in setup_in_text(page)]
    urls |= set(re.findall(r'"(https://github\.com/[^"]+)"', "\n".join(cells)))
    return {Address.parse(url) for url in urls}


def move(root: Path, new: Address) -> None:
    """Make `new` the address, in ``_config.yml`` and in all that derives from it."""
    old = addresses_in_use(root) - {new}
    current = [page for page in notebooks(root) if is_current(page)]
    for page in [root / "_config.yml", *pages_with_links(root)]:
        before = text = page.read_text(encoding="utf-8")
        for was in old:
            link = rf"(github\.com|/github|/gh)/{re.escape(was.slug)}(?![\w-])"
            text = re.sub(link, rf"\1/{new.slug}", text)
            text = re.sub(rf"{re.escape(was.pages)}(?![\w-])", new.pages, text)
        if page.name == "CITATION.cff":
            text = re.sub(r"(?m)^version: .*$", f"version: {version(root)}", text)
        if text != before:
            page.write_text(text, encoding="utf-8")
    write_setup(root, setup_cell(new.url, version(root)))
    for page in current:  # an address changes no output
        if not is_current(page):
            declare_current(page)


def problems(root: Path = ROOT) -> list[str]:
    """Where a stored address, setup cell or version disagrees with the one place."""
    ours, found = address(root), []
    cell = setup_cell(ours.url, version(root))
    for page in texts(root) + notebooks(root):
        if page.suffix == ".md":
            cells = setup_in_text(page)
        else:
            notebook = nbformat.read(page, as_version=4)
            cells = [c.source for c in setup_in_notebook(notebook)]
        name = page.relative_to(root).as_posix()
        if len(cells) != 1:
            found.append(f"{name}: {len(cells)} cells are tagged setup; one must be")
        elif cells[0] != cell:
            found.append(f"{name}: the setup cell is not the one for {ours.url}")

    citation = (root / "CITATION.cff").read_text(encoding="utf-8")
    expected = {
        "repository-code": ours.url,
        "url": f"https://{ours.pages}",
        "version": version(root),
    }
    for key, value in expected.items():
        line = re.search(rf"(?m)^{key}: (.*)$", citation)
        if line is None or line[1].strip('"') != value:
            found.append(f"CITATION.cff: {key} must be {value}")

    for page in pages_with_links(root):
        name = page.relative_to(root).as_posix()
        text = page.read_text(encoding="utf-8")
        for kind, pattern in DERIVED.items():
            for slug in set(pattern.findall(text)) - {ours.slug}:
                found.append(f"{name}: a {kind} link leads to {slug}")
        for slug in set(GITHUB.findall(text)) - {ours.slug} - EXAMPLES:
            if name in STRICT or slug.split("/")[1] == ours.name:
                found.append(f"{name}: a link leads to the repository {slug}")
        pages = rf"([\w-]+\.github\.io/{re.escape(ours.name)})(?![\w-])"
        for other in set(re.findall(pages, text)) - {ours.pages}:
            found.append(f"{name}: a link leads to the pages at {other}")
    return found


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Where the book is published.")
    parser.add_argument("url", nargs="?", help="like https://github.com/you/fork")
    parser.add_argument("--check", action="store_true", help="change nothing")
    args = parser.parse_args(argv)
    if args.check:
        found = problems()
        print("\n".join(found) or f"All of the book stands at {address().url}")
        return bool(found)
    try:
        new = Address.parse(args.url) if args.url else address()
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    move(ROOT, new)
    print(f"The book stands at {new.url}; its pages at https://{new.pages}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
