"""No picture without words; the same picture gives the same bytes; roles can be told apart."""

import itertools

import numpy as np
import pytest

from imitlib import figures
from imitlib.exploring import explore


def drawing(k=1.0):
    fig, ax = figures.axes("horizon (steps)", "cost")
    figures.line(ax, [1, 2, 3], [1, k, 9], "learner", "clone", band=([0, 1, 8], [2, 5, 10]))
    return fig, f"Cost against horizon, growing with factor {k}."


def test_show_refuses_without_words(capsys):
    fig, _ = drawing()
    for bad in (None, "", "a plot"):
        with pytest.raises(ValueError, match="alt"):
            figures.show(fig, alt=bad)
    figures.show(drawing())
    assert "Figure: Cost against horizon" in capsys.readouterr().out


def test_the_card_carries_alt_text_escaped():
    page = figures.card(drawing()[0], 'says "so" & that <is> it')
    assert 'alt="says &quot;so&quot; &amp; that &lt;is&gt; it"' in page
    assert "data:image/png;base64," in page and "http" not in page


def test_same_figure_same_bytes():
    assert figures.png(drawing()[0]) == figures.png(drawing()[0])
    assert figures.png(drawing()[0]) != figures.png(drawing(4.0)[0])


def luminance(color):
    rgb = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def test_roles_differ_without_colour_and_stand_out_from_the_card():
    looks = [(str(r.dash), r.marker) for r in figures.ROLES.values()]
    assert len(set(looks)) == len(looks)
    assert len({r.marker for r in figures.ROLES.values()}) == len(looks)
    for role in figures.ROLES.values():
        contrast = (luminance(figures.CARD) + 0.05) / (luminance(role.color) + 0.05)
        assert contrast >= 3


def test_an_unknown_role_is_refused():
    _, ax = figures.axes()
    with pytest.raises(ValueError, match="role is 'hero'; legal: person"):
        figures.line(ax, [0], [0], "hero")


# explore ----------------------------------------------------------------------------


def frame(slope, size):
    fig, _ = drawing(slope)
    return fig, f"A line of slope {slope} and size {size}, drawn."


def test_the_static_explorer_holds_every_frame_and_shows_one(monkeypatch):
    monkeypatch.setenv("IMITLIB_STATIC", "1")
    page = explore(frame, slope=[1.0, 2.0, 3.0], size=[4, 5])._repr_html_()
    for slope, size in itertools.product([1.0, 2.0, 3.0], [4, 5]):
        assert f'alt="A line of slope {slope} and size {size}, drawn."' in page
    assert page.count('class="imit-frame" hidden') == 5
    shown = page.split('<div class="imit-frame">')[1].split("</div>")[0]
    assert "slope 2.0 and size 5" in shown
    assert page.count('type="range"') == 2 and page.count("<label") == 2
    assert explore(frame, slope=[1.0, 2.0, 3.0], size=[4, 5])._repr_html_() == page


def test_a_live_explorer_calls_the_function(monkeypatch):
    from imitlib import exploring

    monkeypatch.delenv("IMITLIB_STATIC", raising=False)
    monkeypatch.setattr(exploring, "_kernel", lambda: True)
    seen = []
    box = explore(lambda slope: (seen.append(slope), frame(slope, 1))[1], slope=[1.0, 2.0, 3.0])
    slider = box.children[0]
    box.update()
    slider.value = 3.0
    assert seen[0] == 2.0 and seen[-1] == 3.0


@pytest.mark.parametrize("grids", [{}, {"slope": []}, {"slope": range(81)}])
def test_explore_refuses(grids):
    with pytest.raises(ValueError, match="grids|slope|frames"):
        explore(frame, **grids)
