"""A word in a figure of chapter 09."""

from imitlib.figures import INK

__all__ = ["mark"]


def mark(ax, words, place, **how):
    """Words in ink at a place of the axes' data."""
    ax.annotate(words, place, color=INK, fontsize=10, annotation_clip=False, **how)
