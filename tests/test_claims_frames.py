"""Frames that are right, frames that are used, and procedures without a map.

Every mutant is a wrong library that runs to its end with legal shapes; the predicate
that the right library satisfies on the same seed must turn false.
"""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy, one_hot

from imitlib import claims, language
from imitlib.chapters.ch05 import exam as room
from imitlib.chapters.ch05 import faithful, frames, game, steps
from imitlib.envs.maze_makers import obstacles
from imitlib.envs.mazes import Mazes
from imitlib.figures import png
from imitlib.language.transformer import Attention
from imitlib.pc import procedures, running, training
from imitlib.pc.procedures import UNVISITED
from test_claims_mazes import (
    few_calls_are_made,
    frames_stand_still,
    planted,
    remembering,
    runs_remembered,
    the_goal_is_not_shown,
)
from wrong_libraries import each, must_refute

CLAIMS = {c.id: c for m in (frames, faithful, game, steps) for c in m.CLAIMS}
SEED = 3  # none of the recorded ones: the scale of these tests was chosen on it
LEARN = steps.learn  # without a memory
pytestmark = pytest.mark.slow


def remembered(learn):
    """The same teacher of transformers, who remembers what each lesson gave."""
    known = {}

    def wrapper(prompt, said, rng, updates, sizes=steps.SIZES):
        key = (prompt.tobytes(), said.tobytes(), updates,
               rng.bit_generator.state["state"]["state"])  # fmt: skip
        if key not in known:
            known[key] = learn(prompt, said, rng, updates, sizes)
        return known[key]

    return wrapper


@pytest.fixture(scope="module", autouse=True)
def smaller():
    """Shorter lessons and exams than the recorded samples: the mistakes are not subtle."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "learn", remembering(room.learn))
        patch.setattr(running, "free_run", runs_remembered(running.free_run))
        patch.setattr(frames, "PLANS", {10: 30, 20: 12})
        for module in (frames, faithful):
            patch.setattr(module, "LESSONS", {"one": (300, 1e-2), "six": (500, 2e-3)})
        patch.setattr(faithful, "TAMPERED", 30)
        patch.setattr(steps, "EXAM", 80)
        patch.setattr(steps, "ARMS", {
            "steps": ("steps", 1, 600), "answer": ("answer", 1, 400),
            "first": ("first", 1, 300), "more": ("answer", 2, 300)})  # fmt: skip
        patch.setattr(game, "EXAM", 200)
        patch.setattr(game, "ARMS", {
            "frames": (True, 1, 500), "street": (False, 1, 250),
            "more": (False, 4, 500)})  # fmt: skip
        patch.setattr(steps, "learn", remembered(steps.learn))
        patch.setattr(game, "learn", steps.learn)
        yield


@pytest.fixture(scope="module")
def right(smaller):
    """What the right library gives, each claim once, when it is asked for."""
    known = {}

    def get(claim_id):
        if claim_id not in known:
            known[claim_id] = claims.replay(CLAIMS[claim_id], (SEED,))
        return known[claim_id]

    return get


@pytest.mark.parametrize("claim_id", CLAIMS)
def test_the_right_library_satisfies_the_predicate(right, claim_id):
    assert CLAIMS[claim_id].holds(right(claim_id)) is True


# Wrong libraries --------------------------------------------------------------------


def the_lesson_breaks_ties_otherwise(patch):
    examples = training.step_examples

    def wrong(mazes, procedure, starts=None):
        return examples(mazes, procedures.rings(mazes, order=(3, 2, 1, 0)), starts)

    patch.setattr(training, "step_examples", wrong)


def best_means_hers(patch):
    def wrong(mazes, actions):
        return float((actions == procedures.rings(mazes).actions)[mazes.open].mean())

    patch.setattr(running, "best_share", wrong)


def frames_are_one_late(patch):
    run = running.free_run

    def wrong(*args, **options):
        got = run(*args, **options)
        late = np.concatenate([got.frames[:, :1], got.frames], axis=1)
        return replace(got, frames=late)

    patch.setattr(running, "free_run", wrong)


def nobody_can_tamper(patch):
    """The run always begins with a blank frame."""
    run = running.free_run
    patch.setattr(running, "free_run",
                  lambda *args, first=None, **options: run(*args, **options))  # fmt: skip


def after_is_before(patch):
    acts = faithful.acts

    def wrong(network, maps, frame):
        return acts(network, maps, np.full_like(frame, UNVISITED))

    patch.setattr(faithful, "acts", wrong)


def before_is_after(patch):
    acts, last = faithful.acts, {}

    def wrong(network, maps, frame):
        if (frame != UNVISITED).any():
            last["frame"] = frame
        return acts(network, maps, last.get("frame", frame))

    patch.setattr(faithful, "acts", wrong)


def actions_of_the_cell_beside(patch):
    taught = faithful.with_actions
    patch.setattr(faithful, "with_actions", lambda lesson, answers: taught(
        lesson, np.roll(answers, 1, axis=2)))  # fmt: skip


def the_dab_is_at_the_door(patch):
    """Flour where the search would begin anyway: it leads few astray."""

    def wrong(maps, rng):
        rows = []
        for steps_away in maps.distances:
            near = np.argwhere(steps_away == 1)
            rows.append(near[rng.integers(len(near))])
        return np.array(rows)

    patch.setattr(faithful, "elsewhere", wrong)


def orders_begin_at_the_first_place(patch):
    """In the lesson: the later places are never met."""
    orders = steps.orders

    def wrong(lengths, rng):
        terms, sums = orders(lengths, rng)
        if len(lengths) < steps.DEMOS:
            return terms, sums
        lengths = np.asarray(lengths)[:, None]
        there = np.arange(steps.PLACES) < lengths
        filled = np.where(terms == steps.BLANK, 0, terms)
        moved = np.stack([np.roll(row, -int(at)) for row, at in
                          zip(filled, (terms != steps.BLANK).argmax(1), strict=True)])  # fmt: skip
        sums = np.where(there, moved, 0).cumsum(1) % steps.MODULUS
        return np.where(there, moved, steps.BLANK), sums

    patch.setattr(steps, "orders", wrong)


def sums_of_another_order(patch):
    """Each row is taught with its neighbour's sums."""
    written = steps.written

    def wrong(sums, kind):
        own = written(sums, kind)
        return np.roll(own, 1, axis=0) if len(sums) > steps.EXAM else own

    patch.setattr(steps, "written", wrong)


def the_last_token_is_not_taught(patch):
    fit = language.fit

    def wrong(tokens, answer, **options):
        answer = answer.copy()
        if answer[0].sum() > 1:
            answer[:, -1] = False
        return fit(tokens, answer, **options)

    patch.setattr(language, "fit", wrong)
    for module in (steps, game):
        patch.setattr(module, "learn", LEARN)


def it_writes_at_random(patch):
    def wrong(self, given, length):
        return self.sample(given, length, np.random.default_rng(0), temperature=20.0)

    patch.setattr(language.LanguageModel, "greedy", wrong)


def it_cannot_look_back(patch):
    patch.setattr(Attention, "forward", lambda self, x: self.mix(torch.zeros_like(x)))
    for module in (steps, game):
        patch.setattr(module, "learn", LEARN)


def the_exam_is_the_lesson(patch):
    """Few orders and games there are, and everybody gets those."""
    orders, games = steps.orders, game.games
    pool = [orders(np.full(8, n), np.random.default_rng(n)) for n in steps.LENGTHS]

    def same(lengths, rng):
        drawn = [(n - 1, rng.integers(8)) for n in lengths]
        return tuple(np.stack([pool[n][part][k] for n, k in drawn]) for part in (0, 1))

    patch.setattr(steps, "orders", same)
    patch.setattr(game, "games", lambda n, rng: games(200, np.random.default_rng(0))[
        rng.integers(200, size=n)])  # fmt: skip


def leaves_are_shuffled(patch):
    asked = game.prompts
    rng = np.random.default_rng(0)
    patch.setattr(game, "prompts", lambda leaves: asked(rng.permuted(leaves, axis=1)))


def the_council_is_taught_kind(patch):
    """In the lesson, not in the exam, the better corner counts."""
    written = game.written

    def wrong(leaves, with_frames):
        own = written(leaves, with_frames)
        if with_frames and len(leaves) == game.DEMOS:
            best = own[:, :4].reshape(-1, 2, 2).max(2)
            own = np.column_stack([own[:, :4], best, game.choice(best)])
        return own

    patch.setattr(game, "written", wrong)


MUTANTS = {
    "pc-intermediate": [
        the_lesson_breaks_ties_otherwise, best_means_hers, frames_are_one_late,
        few_calls_are_made, the_goal_is_not_shown, frames_stand_still,
    ],
    "pc-faithful": [
        nobody_can_tamper, after_is_before, before_is_after, actions_of_the_cell_beside,
        the_dab_is_at_the_door,
    ],
    "pc-chain-of-thought": [
        orders_begin_at_the_first_place, sums_of_another_order, it_writes_at_random,
        it_cannot_look_back, the_exam_is_the_lesson,
    ],
    "pc-second-procedure": [
        leaves_are_shuffled, the_council_is_taught_kind, it_writes_at_random,
        the_last_token_is_not_taught, the_exam_is_the_lesson,
    ],
}  # fmt: skip


@each(MUTANTS)
def test_a_wrong_library_makes_the_predicate_false(monkeypatch, right, claim_id, mutant):
    fine = right(claim_id)
    mutant(monkeypatch)
    must_refute(CLAIMS[claim_id], fine, claims.replay(CLAIMS[claim_id], (SEED,)))


# Every clause counts ----------------------------------------------------------------

FRAMES = {
    f"{n}_{k}": v for n in ("one", "six") for k, v in {
        "cells_20": [1.0, 0.99], "frames_20": [1.0, 0.3], "last_10": 0.99, "last_20": 0.97,
        "whole_10": 0.8, "whole_20": 0.3, "best_10": 1.0, "best_20": 0.99}.items()
}  # fmt: skip
FAITHFUL = {
    "plain_one": 1, "plain_after": 0.97, "plain_frame": 0.93, "plain_before": 0.85,
    "graft_one": 0.9, "graft_one_there": 0.9, "graft_after": 0.88, "graft_frame": 0.87,
    "graft_one_anyway": 0, "graft_after_anyway": 0.03, "graft_before": 0.2,
    "graft_before_there": 0.06, "graft_after_there": 0.6, "dab_one": 0.8,
    "dab_one_there": 0.9, "dab_frame": 0.1, "dab_frame_best": 0.9,
    "graft_cells": 0.3, "dab_cells": 0.2,
}  # fmt: skip
STEPS = {
    "steps": [1] * 4 + [0.9] * 4, "answer": [0.9, 0.6, 0.3, 0.2] + [0.15] * 4,
    "first": [1, 0.8, 0.5, 0.3] + [0.2] * 4, "more": [1, 1, 1, 0.9] + [0.4] * 4,
    "answer_train": 0.99, "follows": 0.98, "ignores": 0.01,
}  # fmt: skip
GAME = {
    "frames": 0.98, "frames_whole": 0.95, "street": 0.72, "street_train": 0.98,
    "more": 0.88, "turns": 0.9, "turnable": 0.98,
}  # fmt: skip
BROKEN = [
    (frames.frames_hold, FRAMES, [
        *({f"{n}_{k}": v} for n in ("one", "six") for k, v in {
            "cells_20": [0.97, 0.9], "last_10": 0.94, "last_20": 0.89, "whole_20": 0.75,
            "best_20": 0.96}.items()),
        {"one_whole_10": 0.45, "one_whole_20": 0.1}, {"one_last_20": 0.95, "one_best_20": 0.975},
        {"six_last_20": 0.905, "six_best_20": 0.9}, {"one_whole_10": 0.95, "one_whole_20": 0.72},
        {"six_whole_10": 0.95, "six_whole_20": 0.72},
    ]),
    (faithful.faithful_holds, FAITHFUL, [
        {"plain_one": 0.97}, {"plain_after": 0.92, "plain_before": 0.8}, {"plain_frame": 0.8},
        {"plain_before": 0.95}, {"graft_one": 0.7}, {"graft_one_there": 0.7},
        {"graft_after": 0.65}, {"graft_frame": 0.65}, {"graft_one_anyway": 0.2},
        {"graft_after_anyway": 0.2}, {"graft_before": 0.5}, {"graft_before_there": 0.45},
        {"dab_one": 0.5}, {"dab_one_there": 0.6}, {"dab_frame": 0.4}, {"dab_frame_best": 0.5},
        {"graft_cells": 0.05}, {"dab_cells": 0.05},
    ]),
    (steps.steps_hold, STEPS, [
        {"steps": [0.95] * 4 + [0.8] * 4}, {"answer_train": 0.9},
        {"answer": [0.85] * 4 + [0.2] * 4},
        {"first": [0.85] * 4 + [0.2] * 4}, {"answer": [0.6] * 4 + [0.32] * 4},
        {"steps": [1] * 4 + [0.44] * 4, "more": [1] * 4 + [0.3] * 4,
         "first": [0.6] * 4 + [0.1] * 4},
        {"first": [0.6] * 4 + [0.65] * 4}, {"steps": [0.98] * 4 + [0.99] * 4},
        {"steps": [0.98] * 4 + [0.9] * 4, "more": [1] * 4 + [0.4] * 4},
        {"steps": [1] * 4 + [0.6] * 4, "more": [1] * 4 + [0.75] * 4},
        {"follows": 0.8}, {"ignores": 0.15},
    ]),
    (game.game_holds, GAME, [
        {"frames": 0.93}, {"frames_whole": 0.8}, {"street": 0.88, "more": 0.9}, {"street": 0.5},
        {"street_train": 0.85}, {"more": 0.7}, {"more": 1.0}, {"turns": 0.5}, {"turnable": 0.8},
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("holds", "good", "changes"), BROKEN,
                         ids=[row[0].__name__ for row in BROKEN])  # fmt: skip
def test_each_clause_of_a_predicate_can_fail(holds, good, changes):
    assert holds(planted(good)) is True
    for change in changes:
        assert holds(planted(good, **change)) is False, change


def test_what_is_derived():
    more = [1] * 4 + [0] * 4
    d = steps.derived(planted(STEPS, more=more))
    assert d["steps_taught"] == 1 and d["steps_longer"] == pytest.approx(0.9)
    assert d["answer_taught"] == pytest.approx(0.5)
    assert d["more_longer"] == 0 and d["more_found"] == 10


# Against something outside ----------------------------------------------------------


class Searching(torch.nn.Module):
    """A network that *is* the search, perhaps with other ties."""

    def __init__(self, order=(0, 1, 2, 3)):
        super().__init__()
        self.order = order

    def forward(self, x):
        x = x.numpy()
        new = procedures.ring_step(x[:, 0] > 0, x[:, 1] > 0,
                                   x[:, 2:].argmax(1).astype(np.int8), self.order)  # fmt: skip
        return one_hot(torch.tensor(new).long(), 5).movedim(3, 1).float()


def test_a_clone_that_is_the_search_has_all_frames_right_and_other_ties_none():
    maps = obstacles(12, 20, np.random.default_rng(3))
    same = frames.compare("x", Searching(), maps)
    assert all(np.all(np.asarray(value) == 1) for value in same.values())
    other = frames.compare("x", Searching((3, 2, 1, 0)), maps)
    assert other["x_best_20"] == 1 and other["x_whole_20"] < 0.2
    true = procedures.rings(maps).actions
    theirs = procedures.rings(maps, order=(3, 2, 1, 0)).actions
    assert other["x_last_20"] == pytest.approx((true == theirs)[maps.open].mean())
    assert other["x_frames_20"][-1] == pytest.approx(
        (true == theirs).all((1, 2)).mean())  # fmt: skip


def test_the_shorter_sequence_repeats_its_last_frame():
    run = running.Run(np.arange(6).reshape(1, 3, 1, 2), None, None, None)
    ours, theirs = frames.lengthened(run, np.arange(10).reshape(1, 5, 1, 2))
    assert ours[0, :, 0, 0].tolist() == [0, 2, 4, 4, 4]
    assert theirs[0, :, 0, 0].tolist() == [0, 2, 4, 6, 8]


def breadth_first(walls, sources):
    """Steps to the nearest source, cell by cell, with a queue."""
    steps_to, queue = {tuple(cell): 0 for cell in sources}, [tuple(c) for c in sources]
    for r, c in queue:
        for dr, dc in ((-1, 0), (0, 1), (1, 0), (0, -1)):
            there = (r + dr, c + dc)
            if not walls[there] and there not in steps_to:
                steps_to[there] = steps_to[(r, c)] + 1
                queue.append(there)
    return steps_to


def test_a_dab_is_a_second_door():
    """The tampered search leads to whichever is nearer, the door or the dab."""
    maps = obstacles(8, 10, np.random.default_rng(4))
    place, first = faithful.tampered(maps, np.random.default_rng(5))
    ought = faithful.goes_on(maps, first["dab"])
    misled = faithful.misled(maps, ought)
    for n in range(8):
        assert maps.distances[n][tuple(place[n])] >= min(faithful.FAR, maps.distances[n].max())
        true = breadth_first(maps.walls[n], [maps.goals[n]])
        near = breadth_first(maps.walls[n], [maps.goals[n], place[n]])
        for cell in np.argwhere(maps.open[n]):
            r, c = map(int, cell)
            dr, dc = ((-1, 0), (0, 1), (1, 0), (0, -1))[ought[n, r, c]]
            there = (r + dr, c + dc)
            if (r, c) != tuple(place[n]):
                assert near[there] == near[(r, c)] - 1
            right = not maps.walls[n][there] and true[there] == true[(r, c)] - 1
            assert misled[n, r, c] == (not right)


def test_a_graft_is_the_frame_of_another_door():
    maps = obstacles(8, 10, np.random.default_rng(4))
    place, first = faithful.tampered(maps, np.random.default_rng(5))
    other = Mazes(maps.walls, place)
    near = (other.distances > 0) & (other.distances <= faithful.GRAFT)
    np.testing.assert_array_equal(first["graft"] != UNVISITED, near & ~maps.goal_map)
    labelled = first["graft"] != UNVISITED
    assert (first["graft"] == procedures.rings(other).actions)[labelled].all()
    assert ((first["dab"] != UNVISITED).sum((1, 2)) == 1).all()


def test_arriving_is_walking_there():
    maps = obstacles(5, 9, np.random.default_rng(6))
    actions = procedures.rings(maps).actions.copy()
    actions[:, 4] = 0  # a row in which everybody goes north
    reached = []
    for n, r, c in np.argwhere(maps.open):
        for _ in range(81):
            dr, dc = ((-1, 0), (0, 1), (1, 0), (0, -1))[actions[n, r, c]]
            if not maps.walls[n, r + dr, c + dc]:
                r, c = r + dr, c + dc
            if (r, c) == tuple(maps.goals[n]):
                break
        reached.append((r, c) == tuple(maps.goals[n]))
    assert faithful.arrives(maps, actions, maps.open) == pytest.approx(np.mean(reached))


def test_the_loss_of_two_heads_is_the_sum_of_two_losses():
    torch.manual_seed(0)
    network, x = faithful.TwoHeads(), torch.rand(2, 7, 6, 6)
    frame, action = torch.randint(5, (2, 6, 6)), torch.randint(4, (2, 6, 6))
    u, v = network.parts(x)
    both = cross_entropy(network(x), 4 * frame + action)
    torch.testing.assert_close(both, cross_entropy(u, frame) + cross_entropy(v, action))
    assert torch.equal(faithful.Saying(network, 0)(x), u)
    assert torch.equal(faithful.Saying(network, 1)(x), v)


def test_each_pair_of_frames_has_the_final_action_beside_it():
    maps = obstacles(3, 8, np.random.default_rng(7))
    search = procedures.rings(maps)
    lesson = training.step_examples(maps, search)
    both = faithful.with_actions(lesson, np.repeat(search.actions, search.steps + 1, axis=0))
    assert torch.equal(both.targets // 4, lesson.targets)
    plan = np.repeat(np.arange(3), search.steps + 1)
    action = (both.targets % 4).numpy()
    assert (action == search.actions[plan])[maps.open[plan]].all()


def test_the_row_is_the_sum_so_far():
    terms, sums = steps.orders(np.arange(400) % 8 + 1, np.random.default_rng(8))
    for order, row in zip(terms.tolist(), sums.tolist(), strict=True):
        total, begun = 0, False
        for term, said in zip(order, row, strict=True):
            begun |= term != steps.BLANK
            total += term if term != steps.BLANK else 0
            assert said == (total % 7 if begun else steps.BLANK)
    assert ((terms != steps.BLANK).sum(1) == np.arange(400) % 8 + 1).all()
    starts = (terms[::8] != steps.BLANK).argmax(1)
    assert set(starts.tolist()) == set(range(8))
    np.testing.assert_array_equal(steps.written(sums, "first")[:, 0], sums[:, -1])
    np.testing.assert_array_equal(steps.written(sums, "first")[:, 1:], sums)


class Adder:
    """Adds up what it reads: from its own last sum, or from the terms alone."""

    def __init__(self, honest):
        self.honest = honest

    def greedy(self, read, length):
        terms = np.where(read[:, :8] == steps.BLANK, 0, read[:, :8])
        if not self.honest:
            return (terms.cumsum(1) % 7)[:, -length:]
        later = terms[:, read.shape[1] - 9 :]
        return (read[:, -1:] + later.cumsum(1)) % 7


def test_who_follows_a_falsified_sum():
    follow = steps.tampered(Adder(honest=True), np.random.default_rng(9))
    ignore = steps.tampered(Adder(honest=False), np.random.default_rng(9))
    assert follow == {"follows": 1, "ignores": 0}
    assert ignore == {"follows": 0, "ignores": 1}


def minimax(leaves, hers=True):
    if len(leaves) == 1:
        return leaves[0]
    half = len(leaves) // 2
    values = [minimax(part, not hers) for part in (leaves[:half], leaves[half:])]
    return max(values) if hers else min(values)


def test_the_tree_is_searched_as_by_recursion():
    drawn = game.games(200, np.random.default_rng(10))
    best, worst = game.corners(drawn), game.streets(game.corners(drawn))
    for leaves, corner, street in zip(drawn.tolist(), best, worst, strict=True):
        assert street.tolist() == [minimax(leaves[:4], False), minimax(leaves[4:], False)]
        assert corner.tolist() == [minimax(leaves[k : k + 2]) for k in (0, 2, 4, 6)]
        assert max(street) == minimax(leaves) and street[0] != street[1]
    right = np.array([minimax(x[4:], False) > minimax(x[:4], False) for x in drawn.tolist()])
    np.testing.assert_array_equal(game.choice(worst) == game.LEFT + 1, right)


def test_one_changed_corner_turns_the_choice():
    best = game.corners(game.games(60, np.random.default_rng(11)))
    changed, rows = game.upset(best, np.random.default_rng(12))
    assert ((changed != best[rows]).sum(1) == 1).all()
    assert (game.choice(game.streets(changed)) != game.choice(game.streets(best[rows]))).all()
    for n in set(range(60)) - set(rows.tolist()):
        before = game.choice(game.streets(best[n : n + 1]))
        for k, pay in product(range(4), range(10)):
            new = best[n].copy()
            new[k] = pay
            worst = game.streets(new[None])
            assert worst[0, 0] == worst[0, 1] or game.choice(worst) == before


# Pictures ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claim_id", "draw"),
    [("pc-intermediate", frames.fig_frames), ("pc-faithful", faithful.fig_faithful),
     ("pc-chain-of-thought", steps.fig_steps)],
)  # fmt: skip
def test_figures_carry_their_numbers_in_words(right, claim_id, draw):
    fig, alt = draw(right(claim_id))
    assert png(fig)[:4] == b"\x89PNG" and len(alt.split()) > 20
    assert any(character.isdigit() for character in alt)


def test_the_marks_are_the_samples():
    s = planted({f"{kind}_{who}{end}": value for kind in ("graft", "dab")
                 for who, value in (("one", 0.9), ("after", 0.8), ("before", 0.2))
                 for end, value in (("", value), ("_anyway", 0.1))})  # fmt: skip
    ax = faithful.fig_faithful(s)[0].axes[0]
    marks = [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "D"]
    assert marks == pytest.approx([0.2, 0.8, 0.9])  # from below


def test_the_tree_in_the_picture_is_the_tree_that_is_searched():
    fig, alt = game.fig_game()
    said = [text.get_text() for text in fig.axes[0].texts]
    assert said == list("51832904") + list("5894") + list("54") + ["left"]
    assert "takes the left street" in alt and png(fig)[:4] == b"\x89PNG"
