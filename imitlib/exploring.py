"""Something to move: one function, one slider per parameter, in a book or in a kernel."""

from __future__ import annotations

import hashlib
import html
import itertools
import json
import os

from imitlib.figures import _Card, card, show

__all__ = ["explore"]

MOST = 80  # frames; a page must stay light


def explore(f, **grids):
    """Let the reader move the parameters of ``f`` and watch the figure follow.

    With a live kernel these are ipywidgets sliders that call ``f``. Where there is
    none (``IMITLIB_STATIC`` is set while pages are executed for the book) every frame
    is drawn beforehand and put behind plain sliders that work from the keyboard.

    Parameters
    ----------
    f : callable
        ``f(**values) -> (Figure, text)``; the text says what this frame shows and is
        the picture's alternative.
    **grids : sequences
        The values of each parameter, smallest first; the middle one is shown first.

    Raises
    ------
    ValueError
        If a grid is empty, or the grids together have more than 80 frames.
    """
    if not grids:
        raise ValueError("grids is empty; name at least one parameter and its values")
    grids = {name: list(values) for name, values in grids.items()}
    for name, values in grids.items():
        if not values:
            raise ValueError(f"{name} has no values; give at least one")
    frames = 1
    for values in grids.values():
        frames *= len(values)
    if frames > MOST:
        raise ValueError(f"grids make {frames} frames; at most {MOST} are legal")
    live = not os.environ.get("IMITLIB_STATIC") and _kernel()
    return _live(f, grids) if live else _static(f, grids)


def _kernel() -> bool:
    from IPython import get_ipython

    return getattr(get_ipython(), "kernel", None) is not None


def _live(f, grids):
    from ipywidgets import SelectionSlider, interactive

    def draw(**values):
        show(*f(**values))

    sliders = {
        name: SelectionSlider(
            options=[(_label(v), v) for v in values],
            value=values[len(values) // 2],
            description=name.replace("_", " "),
            continuous_update=False,
        )
        for name, values in grids.items()
    }
    return interactive(draw, **sliders)


def _static(f, grids):
    frames, texts = [], []
    for values in itertools.product(*grids.values()):
        fig, text = f(**dict(zip(grids, values, strict=True)))
        frames.append(card(fig, text, _once(text), dpi=100))  # many: keep them light
        texts.append(text)
    start = [len(values) // 2 for values in grids.values()]
    sizes = [len(values) for values in grids.values()]
    first = 0
    for index, size in zip(start, sizes, strict=True):
        first = first * size + index
    name = "x" + hashlib.sha256("".join(texts).encode()).hexdigest()[:10]
    shown = "".join(
        f'<div class="imit-frame"{"" if i == first else " hidden"}>{frame}</div>'
        for i, frame in enumerate(frames)
    )
    controls = "".join(
        _slider(name, axis, key, values, start[axis])
        for axis, (key, values) in enumerate(grids.items())
    )
    page = (
        f'<div class="imit-explore" id="{name}">{controls}'
        f'<div aria-live="polite">{shown}</div></div>'
        f"<script>{_SCRIPT.replace('NAME', name).replace('SIZES', json.dumps(sizes))}</script>"
    )
    return _Card(page, texts[first])


def _once(text):
    """A caption that is seen; it is heard already, as the picture's alternative."""
    return f'<span aria-hidden="true">{html.escape(text)}</span>'


def _label(value) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _slider(name, axis, key, values, start):
    labels = html.escape(json.dumps([_label(v) for v in values]))
    return (
        f'<label style="display:block;margin:.4em 0">{html.escape(key.replace("_", " "))} = '
        f"<output>{html.escape(_label(values[start]))}</output><br>"
        f'<input type="range" min="0" max="{len(values) - 1}" step="1" value="{start}" '
        f'data-labels="{labels}" aria-valuetext="{html.escape(_label(values[start]))}" '
        f'style="width:min(100%,20em);height:44px"></label>'
    )


_SCRIPT = """(() => {
const box = document.getElementById("NAME"), sizes = SIZES;
const inputs = [...box.querySelectorAll("input")];
const frames = [...box.querySelectorAll(".imit-frame")];
const move = () => {
  let k = 0;
  inputs.forEach((input, i) => {
    const text = JSON.parse(input.dataset.labels)[input.value];
    input.previousElementSibling.previousElementSibling.textContent = text;
    input.setAttribute("aria-valuetext", text);
    k = k * sizes[i] + Number(input.value);
  });
  frames.forEach((frame, i) => { frame.hidden = i !== k; });
};
inputs.forEach(input => input.addEventListener("input", move));
})();"""
