"""The rules every page keeps, each a function from a page to its violations.

A page is a text twin read as cells. Rules return sentences; an empty list is good.
"""

from __future__ import annotations

import re
import statistics
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CORE_WORDS = 2500
MARKER = re.compile(r"<!--\s*([\w:.\-]+)\s*-->")
NUMBER = re.compile(r"[-−–]?\d(?:[\d,]*\d)?(?:\.\d+)?")


# Reading a page ---------------------------------------------------------------------


def markdown(notebook) -> str:
    return "\n\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")


def code_cells(notebook) -> list:
    return [c for c in notebook.cells if c.cell_type == "code"]


def is_setup(cell) -> bool:
    return "setup" in cell.metadata.get("tags", [])


def without_code(text: str) -> str:
    text = re.sub(r"```.*?```", " ", text, flags=re.S)
    return re.sub(r"`[^`\n]+`", " ", text)


def without_folds(text: str) -> str:
    """The core path: what is left when every <details> stays closed."""
    inner = re.compile(r"<details(?:(?!<details).)*?</details>", re.S)
    while inner.search(text):
        text = inner.sub(" ", text)
    return text


def words(text: str) -> int:
    text = MARKER.sub("", re.sub(r"<[^>]+>", " ", without_code(text)))
    return len(re.findall(r"[^\W\d_][\w'’-]*", re.sub(r"\]\([^)]*\)", "]", text)))


# Rules ------------------------------------------------------------------------------


def plain_markdown(notebook) -> list[str]:
    """No MyST role or directive: Colab and GitHub would show it raw."""
    patterns = {
        "role": r"\{[a-zA-Z:\-]+\}`",
        "directive": r"^\s*(?:```|~~~)\{",
        "colon fence": r"^\s*:::",
        "target": r"^\([\w-]+\)=",
    }
    text = markdown(notebook)
    return [f"MyST {kind}: {m.group(0)!r}" for kind, p in patterns.items()
            for m in re.finditer(p, text, re.M)]  # fmt: skip


def whole_folds(notebook) -> list[str]:
    """Each fold has a summary and is closed; a comment that closes has been opened."""
    text = without_code(markdown(notebook))
    tags = re.findall(r"<(/?)details", text)
    depth = [tags[: k + 1].count("") - tags[: k + 1].count("/") for k in range(len(tags))]
    titled = len(re.findall(r"^<details>\n<summary>.+</summary>$", text, re.M))
    out = []
    if any(d < 0 for d in depth) or (depth and depth[-1]) or titled != tags.count(""):
        out.append(f"{tags.count('')} folds opened, {titled} of them with a summary, "
                   f"{tags.count('/')} closed")  # fmt: skip
    if "-->" in re.sub(r"<!--.*?-->", "", text):
        out.append("a comment is closed that was not opened")
    return out


def short_cells(notebook) -> list[str]:
    """Median at most 8 lines, none over 30, lines at most 72 characters."""
    cells = [c.source.splitlines() for c in code_cells(notebook) if not is_setup(c)]
    out = [f"code cell of {len(c)} lines: {c[0]!r}" for c in cells if len(c) > 30]
    out += [f"line of {len(row)} characters: {row!r}" for c in cells for row in c if len(row) > 72]
    if cells and statistics.median(len(c) for c in cells) > 8:
        out.append(f"median cell has {statistics.median(len(c) for c in cells)} lines")
    return out


def core_length(notebook) -> list[str]:
    """The core path is at most 2,500 words."""
    n = words(without_folds(markdown(notebook)))
    return [f"the core path has {n} words"] if n > CORE_WORDS else []


def one_sentence_per_line(notebook) -> list[str]:
    """A line of the source holds one sentence, so that a change shows in review."""
    text = without_code(markdown(notebook))
    text = re.sub(r"\$[^$\n]+\$|\([^)\n]*\)|\*\*?[^*\n]+\*\*?", "x", text)
    text = re.sub(r"\b(?:e\.g|i\.e|vs|ch|sec|eq|al|St|Dr)\.", "x", text)
    rows = (row for row in text.splitlines() if not row.lstrip().startswith(("|", "<")))
    return [f"two sentences on a line: {row.strip()[:90]!r}" for row in rows
            if re.search(r"[a-z)x][.?!]\s+[A-Z][a-z]* ", row)]  # fmt: skip


def numbers(notebook, lookup, cited) -> list[str]:
    """Every numeral in prose carries a marker that agrees with it.

    `lookup(marker) -> float or None` answers for claims and ``given:`` names, `cited`
    is the set of keys of the bibliography. Years, links, headings' and list numbers,
    exercise and equation numbers, and code are free; in mathematics 0, 1, 2 and 3 are.
    """
    out = []
    text = without_code(markdown(notebook))
    text = re.sub(r"\]\([^)]*\)", "]", text)  # a link's address
    text = re.sub(r"\[[^\]]*\]", lambda m: NUMBER.sub("", m.group(0)), text)  # and its words
    text = re.sub(r"\\tag\{[^}]*\}|\(\d+\.\d+\)", " ", text)
    text = re.sub(r"\$\$.+?\$\$|\$[^$\n]+\$", _math, text, flags=re.S)
    text = re.sub(r"<(?!!--)[^>]+>", " ", text)
    text = re.sub(r"^#+ .*$|^\s*\d+\.\s", " ", text, flags=re.M)
    numbered = r"(?:Exercise|Solution|[Tt]heorem|Equation|Chapters?|Quiz)"
    text = re.sub(rf"\b{numbered}\s\d+(?:\.\d+)?(?:[–,]\s?\d+)?", " ", text)
    marks = [m.span() for m in MARKER.finditer(text)]
    for found in NUMBER.finditer(text):
        if any(start < found.start() < stop for start, stop in marks):
            continue
        word, end = found.group(0), text[found.end() :]
        before = text[found.start() - 1 : found.start()]
        if before.isalpha() or before == "_":
            continue  # part of a name
        marker = re.match(r"(\s?%)?\}?\$?\s?<!--\s*([\w:.\-]+)\s*-->", end)
        if marker is None:
            if not re.fullmatch(r"(?:19|20)\d\d", word):
                context = text[max(0, found.start() - 30) : found.end() + 20].replace("\n", " ")
                out.append(f"{word} has no marker: …{context}…")
            continue
        key = marker.group(2)
        if key.startswith("cite:"):
            if key[5:] not in cited:
                out.append(f"{word} cites {key[5:]}, which is not in the bibliography")
            continue
        value = lookup(key)
        if value is None:
            out.append(f"{word} names {key}, which does not exist")
        elif not agrees(word, value * (100 if marker.group(1) else 1)):
            out.append(f"{word} is written where {key} is {value:.6g}")
    marked = len(MARKER.findall(text))
    counted = len(re.findall(r"\d\s?%?\}?\$?\s?<!--", text))
    if marked != counted:
        out.append(f"{marked - counted} markers do not follow a number")
    return out


def _math(found) -> str:
    """Inside a formula, exponents and the digits 0 to 3 are structure, not measurements."""
    return re.sub(r"(?<![\d.])[0-3](?![\d.]*\d)", "", found.group(0))


def agrees(word: str, value: float) -> bool:
    """Whether a printed number is `value` rounded to the decimals that are printed."""
    plain = re.sub(r"[−–]", "-", word).replace(",", "")
    decimals = len(plain.partition(".")[2])
    if word[0] in "-–" and value > 0:
        plain = plain[1:]  # a hyphen or a range's dash; a true minus stays
    return abs(float(plain) - value) <= 0.5 * 10**-decimals * (1 + 1e-9)


def references(notebook, addresses: set[str]) -> list[str]:
    """Every DOI or arXiv link stands in references.bib."""
    links = re.findall(r"\]\((https?://(?:doi\.org|arxiv\.org)/[^)]+)\)", markdown(notebook))
    return [f"{link} is not in references.bib" for link in links
            if not any(a in link.lower() for a in addresses)]  # fmt: skip


def exercises(notebook) -> list[str]:
    """Each exercise has a stub that ends in dots, a check under it and a folded solution."""
    out, text = [], markdown(notebook)
    for cell in code_cells(notebook):
        for number in re.findall(r"check\(\s*[\"'](\d\d\.\d+)[\"']", cell.source):
            if "return ..." not in cell.source:
                out.append(f"exercise {number}: the stub has no `return ...`")
            if number not in solutions(text):
                out.append(f"exercise {number}: no folded solution")
            if not re.search(rf"Exercise {re.escape(number)}.*(?:●|minutes)", text):
                out.append(f"exercise {number}: no difficulty and minutes")
    return out


def solutions(text: str) -> dict[str, str]:
    """Exercise number -> code of its solution."""
    pattern = r"<details>\s*<summary>\s*Solution (\d\d\.\d+).*?```python\n(.*?)```"
    return dict(re.findall(pattern, text, re.S))


def tagged_results(notebook) -> list[str]:
    """At least three result cells are compared on every execution."""
    n = sum("nbval-check-output" in c.metadata.get("tags", []) for c in code_cells(notebook))
    return [f"only {n} cells are tagged nbval-check-output"] if n < 3 else []


def sections(notebook) -> list[str]:
    """The page's parts are there, in order."""
    wanted = ["You will be able to", "By hand", "Code, once", "Predict", "How it fails",
              "Exercises", "In five lines", "Further reading"]  # fmt: skip
    text, at, out = markdown(notebook), 0, []
    for part in wanted:
        found = text.find(part, at)
        if found < 0:
            out.append(f"no part {part!r} after the one before it")
        at = max(found, at)
    return out


# Rules about stored outputs ---------------------------------------------------------


def outputs(notebook) -> list[str]:
    """No error, no stderr, no unexecuted cell, no empty explorer, alt text on every image."""
    out, alts = [], []
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        if cell.get("execution_count") is None and cell.source.strip():
            out.append(f"cell {number} was not executed")
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                out.append(f"cell {number} ends in {output.ename}")
            if output.get("name") == "stderr":
                out.append(f"cell {number} wrote to stderr")
            data = output.get("data", {})
            page = "".join(data.get("text/html", ""))
            if any(kind.startswith("image/") for kind in data):
                out.append(f"cell {number} shows an image without alt text; use imitlib.show")
            if "application/vnd.jupyter.widget-view+json" in data:
                out.append(f"cell {number} stores a widget, empty in the static page")
            if "imit-explore" in page and page.count("<img") < 2:
                out.append(f"cell {number} has an explorer without frames")
            for image in re.findall(r"<img[^>]*>", page):
                alt = re.search(r'alt="([^"]+)"', image)
                out += [] if alt else [f"cell {number} has an image without alt text"]
                alts += [alt.group(1)] if alt else []
        if "explore(" in cell.source and "imit-explore" not in str(cell.get("outputs")):
            out.append(f"cell {number} explores, and its output is empty")
    out += [f"alt text used twice: {a[:60]!r}" for a in set(alts) if alts.count(a) > 1]
    return out


def bibliography() -> tuple[set[str], set[str]]:
    """Keys and addresses (doi or arXiv numbers) of references.bib."""
    text = (ROOT / "book" / "references.bib").read_text(encoding="utf-8")
    keys = set(re.findall(r"^@\w+\{([^,\s]+),", text, re.M))
    fields = re.findall(r"(?:doi|eprint|url)\s*=\s*[{\"]([^}\"]+)[}\"]", text, re.I)
    return keys, {f.lower().removeprefix("https://") for f in fields}
