"""Details of the page rules and of the sliders."""

from functools import partial

import pytest

import conftest
from imitlib import figures
from imitlib.exploring import explore
from test_pages import ADDRESSES, LOOKUP, code, page, pages

EX = "<details><summary>Solution 02.1</summary>\n\n```python\nx\n```\n</details>"
PARTS = [
    "You will be able to",
    "By hand",
    "Code, once",
    "Predict",
    "How it fails",
    "Exercises",
    "In five lines",
    "Further reading",
]


@pytest.mark.parametrize(
    ("rule", "cells", "words"),
    [
        (pages.plain_markdown, ["(here)=\n# A page"], "MyST target"),
        (
            partial(pages.references, addresses=ADDRESSES),
            ["see [it](https://doi.org/10.9999/none)"],
            "not in references.bib",
        ),
        (
            pages.tagged_results,
            [code("1", tags=["nbval-check-output"])] * 2,
            "only 2 cells",
        ),
        (
            pages.exercises,
            [EX, code('def f():\n    return ...\ncheck("02.1", f)')],
            "no difficulty and minutes",
        ),
        (pages.sections, [" ".join(PARTS[1:] + PARTS[:1])], "no part 'By hand'"),
        (pages.sections, [" ".join(PARTS[:-1])], "no part 'Further reading'"),
    ],
)
def test_planted(rule, cells, words):
    assert any(words in f for f in rule(page(*cells))), rule(page(*cells))


def test_all_parts_in_order_pass():
    assert pages.sections(page(" ".join(PARTS))) == []


def test_a_lost_minus_sign_is_caught():
    found = pages.numbers(page("Down by 3.0<!--bc-x.soups-->."), LOOKUP, set())
    assert "3.0 is written where" in found[0]


def test_two_sliders_show_the_frame_they_name(monkeypatch):
    api = pytest.importorskip("playwright.sync_api")
    monkeypatch.setenv("IMITLIB_STATIC", "1")

    def frame(a, b):
        return figures.axes()[0], f"A drawing of {a} and {b}."

    html = explore(frame, a=[1, 2, 3], b=[4, 5])._repr_html_()
    with api.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=conftest.chromium())
        tab = browser.new_page()
        tab.set_content(html)
        first, second = tab.locator("input").all()
        for i, a in enumerate([1, 2, 3]):
            for j, b in enumerate([4, 5]):
                first.fill(str(i))
                second.fill(str(j))
                shown = tab.locator(".imit-frame:visible img")
                assert (
                    shown.count() == 1
                    and shown.get_attribute("alt") == f"A drawing of {a} and {b}."
                )
                assert tab.locator("output").all_inner_texts() == [str(a), str(b)]
        browser.close()
