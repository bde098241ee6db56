"""The plan that a reader draws: the script in the page is the network of the library."""

import re

import numpy as np
import pytest
import torch

from conftest import in_browser
from imitlib.chapters.ch05 import drawing
from imitlib.envs.mazes import read_plan
from imitlib.pc.networks import Local, Residual
from imitlib.pc.procedures import rings
from imitlib.pc.running import free_run

WILD = (14, 19)  # networks that go on for long on these plans
NAMES = ("north", "east", "south", "west")


def any_network(seed=1):
    """A network that has learned nothing: what it writes is wild, and all its own."""
    torch.manual_seed(seed)
    return Local(7, 5)


def test_the_page_holds_the_weights_as_they_are_run():
    network = drawing.rounded(any_network())
    given = drawing.weights(network)
    again = any_network(2)
    with torch.no_grad():
        again[0].weight.copy_(torch.tensor(given["weight1"]).view(24, 7, 3, 3))
        again[0].bias.copy_(torch.tensor(given["bias1"]))
        again[2].weight.copy_(torch.tensor(given["weight2"])[..., None, None])
        again[2].bias.copy_(torch.tensor(given["bias2"]))
    x = torch.randn(2, 7, 10, 10)
    torch.testing.assert_close(network(x), again(x))
    assert (network[0].weight - any_network()[0].weight).abs().max() <= 0.0005001


@pytest.mark.parametrize("network", [Residual(7, 5), Local(2, 4), torch.nn.Identity()])
def test_another_network_is_refused(network):
    with pytest.raises(TypeError, match="network is"):
        drawing.draw(network)


@pytest.mark.parametrize(("change", "words"), [
    (lambda t: t.replace("R", "."), "has 0 'R'"),
    (lambda t: t.replace("R.", "RR"), "has 2 'R'"),
    (lambda t: t.strip()[:-1], "10 rows of 10"),
    (lambda t: t.strip()[11:], "10 rows of 10"),
    (lambda t: t.replace("G", "."), "0 goals"),
])  # fmt: skip
def test_a_plan_that_is_none_is_refused(change, words):
    with pytest.raises(ValueError, match=words):
        drawing.draw(any_network(), {"bad": change(drawing.PLANS["two ways"])})


def test_a_plan_may_be_walled_in_and_nothing_is_promised():
    plan = read_plan(drawing.PLANS["walled in"].strip().replace("R", "."))
    assert rings(plan).steps[0] == 0


# In a browser -----------------------------------------------------------------------


def opened(chrome, network, **options):
    page = chrome.new_context(viewport={"width": 390, "height": 760}, **options).new_page()
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.set_content(drawing.draw(network)._repr_html_())
    return page


def labels(page) -> np.ndarray:
    """The inner cells' labels as the page tells them, (8, 8)."""
    said = page.eval_on_selector_all(".board button", "all => all.map(b => b.ariaLabel)")
    found = [re.search(r"arrow (\w+)", words) for words in said]
    return np.array([NAMES.index(f[1]) if f else 4 for f in found]).reshape(8, 8)


def redrawn(text, row, column, sign):
    rows = [list(line) for line in text.strip().splitlines()]
    rows[row][column] = sign
    return "\n".join("".join(line) for line in rows)


@in_browser
@pytest.mark.parametrize("plan", ["Loaf Street", "two ways", "walled in"])
@pytest.mark.parametrize("seed", WILD)
def test_the_script_writes_what_the_network_writes(chrome, plan, seed):
    network, page = any_network(seed), None
    page = opened(chrome, network)
    page.select_option("select", plan)
    text = drawing.PLANS[plan].strip().replace("R", ".")
    expected = free_run(drawing.rounded(network), read_plan(text), cap=12).frames[0]
    assert len({frame.tobytes() for frame in expected}) > 1
    for frame in expected[:12]:
        np.testing.assert_array_equal(labels(page), frame[1:-1, 1:-1])
        page.click(".step")
    assert page.errors == []


@in_browser
def test_what_the_reader_builds_is_what_is_searched(chrome):
    network = any_network(14)
    page = opened(chrome, network)
    page.select_option("select", "two ways")
    page.click('[data-cell="14"]')  # a house at row 1, column 4
    page.check("input[value=door]")
    page.click('[data-cell="81"]')  # the door at row 8, column 1
    text = redrawn(drawing.PLANS["two ways"], 1, 4, "#")
    text = redrawn(redrawn(text, 8, 8, "."), 8, 1, "G").replace("R", ".")
    expected = free_run(drawing.rounded(network), read_plan(text), cap=5).frames[0]
    for frame in expected[:5]:
        np.testing.assert_array_equal(labels(page), frame[1:-1, 1:-1])
        page.click(".step")
    assert page.errors == []


@in_browser
def test_cells_unlike_the_search_are_marked_by_sign_and_number(chrome):
    network = any_network(14)
    page = opened(chrome, network)
    page.select_option("select", "empty street")
    text = drawing.PLANS["empty street"].strip().replace("R", ".")
    plan = read_plan(text)
    learned = free_run(drawing.rounded(network), plan, cap=3).frames[0]
    for _ in range(3):
        page.click(".step")
    off = int((learned[3] != rings(plan).frames[0, 3]).sum())
    assert off > 0 and f"{off} differ" in page.inner_text(".said")
    inner = int((learned[3] != rings(plan).frames[0, 3])[1:-1, 1:-1].sum())
    assert len(page.query_selector_all(".board .wrong")) == inner
    assert all("!" in b.inner_text() for b in page.query_selector_all(".board .wrong"))


@in_browser
def test_the_board_is_walked_and_built_from_the_keyboard(chrome):
    page = opened(chrome, any_network())
    page.select_option("select", "empty street")
    page.focus('[data-cell="11"]')
    for key in ("ArrowRight", "ArrowDown", "ArrowUp", "ArrowUp", "Enter"):
        page.keyboard.press(key)
    assert page.evaluate("document.activeElement.dataset.cell") == "12"
    assert "house" in page.get_attribute('[data-cell="12"]', "aria-label")
    assert len(page.query_selector_all('.board [tabindex="0"]')) == 1


@in_browser
def test_without_scripts_the_board_shows_four_steps(chrome):
    network = any_network(14)
    page = opened(chrome, network, java_script_enabled=False)
    signs = [b.inner_text() for b in page.query_selector_all(".board button")]
    text = drawing.PLANS["Loaf Street"].strip()
    frame = drawing.frames(drawing.rounded(network), text)[drawing.SHOWN][1:-1, 1:-1]
    assert (frame != 4).any()
    drawn = np.array(list("".join(text.splitlines()))).reshape(10, 10)[1:-1, 1:-1]
    for sign, label, cell in zip(signs, frame.ravel(), drawn.ravel()):
        arrow = "" if label == 4 or cell == "#" else drawing.ARROWS[label]
        assert sign == {"G": "★", "R": "◆"}.get(cell, "") + arrow

