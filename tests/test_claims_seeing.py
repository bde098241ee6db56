"""What decides pc-generalizes-seeing, with networks that take no training.

Teaching the recurrences takes minutes. Here each network is a stand-in that knows the
way as far as its kind and its lesson allow; so everything else in the experiment can be
made wrong in a second: the exam, the labels, how many plans there are, the rounds.
"""

import numpy as np
import pytest
import torch

from imitlib import claims
from imitlib.chapters.ch05 import arms, seeing
from imitlib.chapters.ch05 import exam as room
from imitlib.envs.mazes import Mazes
from imitlib.pc import procedures, running, training
from imitlib.pc.networks import Recurrent
from test_claims_mazes import (
    as_many_labels_are_as_many_plans,
    everything_is_in_view,
    starts_stand_beside_the_goal,
    whoever_ends_a_walk_has_arrived,
)
from wrong_libraries import each, must_refute

CLAIM = claims.find("pc-generalizes-seeing")
SEED = 3
RINGS = procedures.rings  # the search as it is, whatever a mutant makes of it
PLANS_FOR_ROUNDS = 300  # a recurrence needs so many to learn to go on


class StandIn(torch.nn.Module):
    """Says what its lesson said of each best action, as far from the goal as it knows."""

    def __init__(self, kind, lesson):
        super().__init__()
        self.recurrent, self.many = isinstance(kind, Recurrent), len(lesson.inputs)
        maps, scored = self.maps(lesson.inputs), lesson.scored.numpy()
        best, said = RINGS(maps).actions[scored], lesson.targets.numpy()[scored]
        heard = np.array([np.bincount(said[best == a], minlength=4) for a in range(4)])
        self.says, self.accuracy = heard.argmax(1), heard.max(1).sum() / heard.sum()

    @staticmethod
    def maps(x):
        return Mazes(x[:, 0].bool().numpy(), x[:, 1].nonzero()[:, 1:].numpy())

    def reach(self, iterations):
        if not self.recurrent:
            return 12  # as many sweeps as were trained
        if self.many >= PLANS_FOR_ROUNDS:
            return iterations
        return 9 if iterations <= 24 else 1  # it unravels when it goes on

    def forward(self, x, iterations=16):
        maps = self.maps(x)
        near = maps.open & (maps.distances <= self.reach(iterations))
        way = np.where(near, self.says[RINGS(maps).actions * near], 0)
        return torch.nn.functional.one_hot(torch.from_numpy(way), 4).movedim(3, 1).float()


def taught_at_once(make, lesson, rng, updates, lr=2e-3):
    network = StandIn(make(), lesson)
    return training.Fit(network, np.array([[updates, 0, network.accuracy]]), False)


@pytest.fixture(scope="module", autouse=True)
def no_training():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "learn", taught_at_once)
        patch.setattr(room, "PLANS", {10: 20, 20: 20})
        yield


@pytest.fixture(scope="module")
def right(no_training):
    return claims.replay(CLAIM, (SEED,))


def test_stand_ins_satisfy_the_predicate(right):
    assert CLAIM.holds(right) is True


def rounds_are_not_passed_on(patch):
    answer = running.answer
    patch.setattr(running, "answer", lambda network, mazes, iterations=None:
                  answer(network, mazes))  # fmt: skip


def the_first_number_of_rounds_will_do(patch):
    patch.setattr(seeing, "ASKED", (4,) * 4)


def as_many_plans_as_plans(patch):
    as_many_labels_are_as_many_plans(patch)
    patch.setattr(seeing, "obstacles", arms.obstacles)


def the_few_are_as_many(patch):
    patch.setattr(room, "TAUGHT", PLANS_FOR_ROUNDS)


def labels_are_drawn(patch):
    examples = training.action_examples

    def wrong(mazes, procedure, scored=None):
        lesson = examples(mazes, procedure, scored)
        drawn = np.random.default_rng(0).integers(0, 4, lesson.targets.shape)
        return training.Examples(lesson.inputs, torch.from_numpy(drawn), lesson.scored)

    patch.setattr(training, "action_examples", wrong)


def labels_point_back(patch):
    def wrong(mazes, **options):
        true = RINGS(mazes, **options)
        back = np.where(true.frames < 4, (true.frames + 2) % 4, true.frames).astype(np.int8)
        return procedures.Procedure(back, true.steps, back[:, -1])

    patch.setattr(procedures, "rings", wrong)


def the_least_likely_is_said(patch):
    ask = running._ask
    patch.setattr(running, "_ask", lambda *args: -ask(*args))


def nobody_repeats(patch):
    patch.setattr(seeing, "recurrence", seeing.values)


MUTANTS = {CLAIM.id: [
    rounds_are_not_passed_on, the_first_number_of_rounds_will_do, as_many_plans_as_plans,
    the_few_are_as_many, labels_are_drawn, labels_point_back, the_least_likely_is_said,
    nobody_repeats, everything_is_in_view, starts_stand_beside_the_goal,
    whoever_ends_a_walk_has_arrived,
]}  # fmt: skip


@each(MUTANTS)
def test_a_wrong_library_makes_the_predicate_false(monkeypatch, right, claim_id, mutant):
    mutant(monkeypatch)
    must_refute(CLAIM, right, claims.replay(CLAIM, (SEED,)))
