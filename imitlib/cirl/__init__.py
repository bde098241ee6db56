"""Games in which one knows what both want: cooperative inverse reinforcement learning.

Read `game` first, then `belief`, `solvers` and `plans`. `office` is one game in
rational numbers; `assistance` has one signal and one act, and says who teaches whom;
`showing` has one walk to learn from; in `asking` Rollo may put a question, in `telling`
Hana may explain; `doors` is a morning in the town, with both. `chef` is a kitchen for
two cooks, and `replies` has each one's best reply to the other. `teachers` has people
who err, and `off_switch` one decision: whether to let her stop it.
"""

from importlib import import_module

_HOME = {
    "game": ("Game", "Play", "play", "random_game"),
    "belief": ("Impossible", "follow", "given", "subsets", "update"),
    "solvers": ("Solution", "answer_to", "exhaustive", "full_information",
                "if_rewards_were_sent", "no_sharing"),
    "plans": ("Plans", "adapted"),
    "office": (),
    "assistance": ("OneShot", "random_one_shot"),
    "showing": ("Walks", "listed_walks"),
    "asking": ("meal_choice", "wormy_apples"),
    "doors": ("three_doors",),
    "teachers": ("belief_after", "erring", "losses", "watched"),
    "telling": ("errand", "errand_value"),
    "chef": ("chef", "menu", "pots"),
    "replies": ("literal", "reading", "teaching", "worth"),
    "off_switch": (),
}  # fmt: skip
_WHERE = {name: module for module, names in _HOME.items() for name in names}

__all__ = sorted(_WHERE)


def __getattr__(name):
    if name in _WHERE:  # a function of a file's own name, such as `play`, comes first
        return getattr(import_module(f"imitlib.cirl.{_WHERE[name]}"), name)
    if name in _HOME:
        return import_module(f"imitlib.cirl.{name}")
    raise AttributeError(f"module 'imitlib.cirl' has no attribute {name!r}")


def __dir__():
    return [*__all__, *_HOME]
