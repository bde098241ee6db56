"""Twins: text makes the notebook, the same bytes each time, and nobody's edit is lost."""

import os
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "book" / "tools"))
import notebooks  # noqa: E402

TEXT = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# A page

```{code-cell} ipython3
:tags: [nbval-check-output]

import os
print(1 + 1, os.environ["IMITLIB_STATIC"])
```
"""


@pytest.fixture
def twins(tmp_path, monkeypatch):
    monkeypatch.setattr(notebooks, "FOLDER", tmp_path)
    (tmp_path / "src").mkdir()
    text = tmp_path / "src" / "01_page.md"
    text.write_text(TEXT)
    assert notebooks.main(["build"]) == 0
    return text, tmp_path / "01_page.ipynb"


def save_in_lab(path, cell=0, source="# Edited in Lab"):
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[cell].source = source
    nbformat.write(notebook, path)


def test_execution_is_the_static_page_and_gives_the_same_bytes_twice(twins):
    text, notebook = twins
    first = notebook.read_bytes()
    assert nbformat.reads(first.decode(), 4).cells[1].outputs[0].text == "2 1\n"
    assert notebooks.main(["build"]) == 0
    assert notebook.read_bytes() == first
    assert notebooks.main(["check"]) == 0


def test_an_edited_text_rebuilds_whatever_the_file_times_say(twins):
    text, notebook = twins
    text.write_text(TEXT.replace("# A page", "# Another page"))
    os.utime(text, (0, 0))
    assert notebooks.main(["check"]) == 1
    assert notebooks.main(["build"]) == 0
    assert "Another page" in notebook.read_text()


def test_a_save_from_lab_is_refused_with_a_diff_and_kept(twins, capsys):
    text, notebook = twins
    save_in_lab(notebook)
    before = notebook.read_bytes()
    assert notebooks.main(["build"]) == 1
    said = capsys.readouterr().out
    assert "-# A page" in said and "+# Edited in Lab" in said and "pull 01_page" in said
    assert notebook.read_bytes() == before and text.read_text() == TEXT


def test_a_save_from_lab_comes_back_by_pull(twins):
    text, notebook = twins
    save_in_lab(notebook)
    assert notebooks.main(["pull", "01"]) == 0
    assert "# Edited in Lab" in text.read_text() and "nbval-check-output" in text.read_text()
    assert notebooks.main(["build"]) == 0 and notebooks.main(["check"]) == 0


def test_when_both_were_edited_neither_is_overwritten(twins):
    text, notebook = twins
    save_in_lab(notebook)
    edited = TEXT.replace("# A page", "# Edited text")
    text.write_text(edited)
    before = notebook.read_bytes()
    assert notebooks.main(["build"]) == 1 and notebooks.main(["pull", "01"]) == 1
    assert text.read_text() == edited and notebook.read_bytes() == before


def test_outputs_of_other_cells_are_found(twins):
    text, notebook = twins
    other = TEXT.replace("1 + 1", "1 + 2")
    text.write_text(other)
    save_in_lab(notebook, 1, notebooks.read_text(text).cells[1].source)
    assert "outputs of other cells" in notebooks.problems(text)


@pytest.mark.parametrize(
    ("line", "error"),
    [("1 / 0", "ZeroDivisionError"), ("import sys; print(1, file=sys.stderr)", "stderr")],
)
def test_a_cell_that_fails_or_complains_leaves_the_old_notebook(twins, line, error):
    text, notebook = twins
    before = notebook.read_bytes()
    text.write_text(TEXT.replace("import os", line))
    with pytest.raises(Exception, match=error):
        notebooks.main(["build"])
    assert notebook.read_bytes() == before


def test_the_twins_of_the_book_agree(capsys):
    assert notebooks.main(["check"]) == 0, capsys.readouterr().out
