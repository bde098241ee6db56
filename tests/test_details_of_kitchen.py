"""At play, a clone sees its last moves as it saw them in training."""

import numpy as np

from imitlib.chapters.ch02 import kitchen_clones
from imitlib.envs.kitchen_features import history


def test_at_play_the_last_moves_are_shown_as_they_were_in_training():
    done, shown = np.random.default_rng(0).integers(6, size=(7, 2, 2)), []

    class Script:
        view = "history"

        def actions(self, seen):
            shown.append(seen[..., -18:])
            return done[len(shown) - 1]

    kitchen_clones.cook("cramped_room", {"x": Script()}, games=2, steps=7)
    for game in (0, 1):
        expected = history(done[:, game], np.arange(7) == 0, 3)
        np.testing.assert_array_equal(np.array(shown)[:, game], expected)
