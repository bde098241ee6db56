"""The claims about street plans, and the mistakes that break them.

Every mutant is a wrong library that runs to its end with legal shapes; the predicate
that the right library satisfies on the same seed must turn false. Only the claim about
the price and the spoiled lessons is taught in earnest (and what was learned from the
same examples with the same luck is remembered); for the others `stand_ins` take the
place of networks.
"""

from dataclasses import replace
from functools import cache

import joblib
import numpy as np
import pytest
import torch

from imitlib import claims
from imitlib.chapters.ch05 import (
    arms,
    cost,
    exercises,
    on_paper,
    pictures,
    price,
    seeing,
)
from imitlib.chapters.ch05 import exam as room
from imitlib.envs import maze_makers
from imitlib.envs.mazes import Mazes, read_plan, walk
from imitlib.pc import procedures, running, training
from stand_ins import FOR_ROUNDS, RINGS, taught_at_once
from wrong_libraries import each, must_refute, planted

CLAIMS = {c.id: c for m in (arms, seeing, price, cost) for c in m.CLAIMS}
SEED = 4  # none of the recorded ones
pytestmark = pytest.mark.slow


def remembering(learn):
    """The same teacher, who remembers what each lesson gave."""
    known = {}

    def wrapper(make, examples, rng, updates, lr=2e-3):
        parts = (examples.inputs, examples.targets, examples.scored, examples.values)
        key = (str(make()), updates, lr, rng.bit_generator.state["state"]["state"],
               *(part.numpy().tobytes() for part in parts if part is not None))  # fmt: skip
        if key not in known:
            known[key] = learn(make, examples, rng, updates, lr)
        return known[key]

    return wrapper


def runs_remembered(run):
    """The same run of the same network on the same plans is made once.

    Another network has another number, and so has another inside of the run.
    """
    known = {}

    def wrapper(network, maps, **options):
        inside = running.planes, running._ask
        plans = maps.walls.tobytes(), maps.goals.tobytes(), joblib.hash(options)
        key = (*map(id, (network, *inside)), *plans)
        if key not in known:  # what has a number is held, so that it stays its own
            known[key] = run(network, maps, **options), network, inside
        return known[key][0]

    return wrapper


@pytest.fixture(scope="module", autouse=True)
def smaller():
    """Shorter lessons and exams than the recorded samples: the mistakes are not subtle."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "PLANS", {10: 30, 20: 15})
        patch.setattr(room, "TAUGHT", 40)
        patch.setattr(cost, "PLANS", {10: 10, 20: 15})
        patch.setattr(arms, "FARTHER_PLANS", 1)
        patch.setattr(price, "FRAMED", (1, 8, 32))
        patch.setattr(price, "ANSWERED", (8, 250))
        patch.setattr(cost, "UPDATES", {"one": 300, "six": 250})
        patch.setattr(running, "free_run", runs_remembered(running.free_run))
        yield


IN_EARNEST, RUN = remembering(room.learn), running.free_run


def measured(claim_id):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "learn", IN_EARNEST if claim_id == "pc-cost" else taught_at_once)
        return claims.replay(CLAIMS[claim_id], (SEED,))


@pytest.fixture(scope="module")
def right(smaller):
    """What the right library measures, each claim once, when it is asked for."""
    return cache(measured)


@pytest.mark.parametrize("claim_id", CLAIMS)
def test_the_right_library_satisfies_the_predicate(right, claim_id):
    assert CLAIMS[claim_id].holds(right(claim_id)) is True


# Wrong libraries --------------------------------------------------------------------


def frames_stand_still(patch):
    examples = training.step_examples

    def wrong(mazes, procedure, starts=None):
        lesson = examples(mazes, procedure, starts)
        if procedure.frames.dtype.kind == "f":
            return lesson
        return replace(lesson, targets=lesson.inputs[:, 2:].argmax(1))

    patch.setattr(training, "step_examples", wrong)


def frames_are_one_ring_late(patch):
    examples = training.step_examples

    def wrong(mazes, procedure, starts=None):
        frames = np.repeat(procedure.frames[:, :1], procedure.frames.shape[1], axis=1)
        frames[:, 2:] = procedure.frames[:, 1:-1]
        return examples(mazes, replace(procedure, frames=frames), starts)

    patch.setattr(training, "step_examples", wrong)


def the_goal_is_not_shown(patch):
    planes = training.planes

    def wrong(mazes, *args):
        x = planes(mazes, *args)
        x[:, 1] = 0
        return x

    patch.setattr(training, "planes", wrong)
    patch.setattr(running, "planes", wrong)


def labels_are_turned(patch):
    rings = procedures.rings

    def wrong(mazes, **options):
        right = rings(mazes, **options)
        turn = np.where(right.frames < 4, (right.frames + 1) % 4, right.frames)
        turn = turn.astype(np.int8)
        return procedures.Procedure(turn, right.steps, turn[:, -1])

    patch.setattr(procedures, "rings", wrong)


def few_calls_are_made(patch):
    run = running.free_run
    patch.setattr(running, "free_run",
                  lambda *a, cap=None, **o: run(*a, cap=min(cap or 8, 8), **o))  # fmt: skip


def everything_is_in_view(patch):
    patch.setattr(Mazes, "in_view", lambda self, radius: np.ones(self.walls.shape, bool))


def only_the_next_cell_is_in_view(patch):
    view = Mazes.in_view
    patch.setattr(Mazes, "in_view", lambda self, radius: view(self, 1))


def the_exam_is_the_lesson(patch):
    obstacles = maze_makers.obstacles

    def wrong(n, size, rng, p=0.3):
        return obstacles(max(n, 700), size, np.random.default_rng(size), p)[:n]

    patch.setattr(room, "obstacles", wrong)
    patch.setattr(arms, "obstacles", wrong)


def starts_stand_beside_the_goal(patch):
    starts = Mazes.starts

    def wrong(self, k, rng):
        near = np.where((self.distances > 0) & (self.distances <= 2), self.distances, -1)
        close = Mazes(self.walls, self.goals)
        close.__dict__["distances"] = near
        return starts(close, k, rng)

    patch.setattr(Mazes, "starts", wrong)


def as_many_labels_are_as_many_plans(patch):
    obstacles = arms.obstacles
    patch.setattr(arms, "obstacles",
                  lambda n, size, rng: obstacles(min(n, room.TAUGHT), size, rng))  # fmt: skip


def whoever_ends_a_walk_has_arrived(patch):
    def wrong(mazes, actions, starts, *, cap=None, rng=None):
        got = walk(mazes, actions, starts, cap=cap, rng=rng)
        return replace(got, reached=got.steps > 0)

    patch.setattr(running, "walk", wrong)


def clones_are_told_the_way(patch):
    """Whoever is asked once answers with the search's own labels."""
    patch.setattr(running, "answer", lambda network, mazes, iterations=None:
                  procedures.rings(mazes).actions)  # fmt: skip


def eight_plans_are_all_plans(patch):
    patch.setattr(arms, "FEW", room.TAUGHT)


def noise_is_no_noise(patch):
    patch.setattr(procedures, "noisy", lambda procedure, rate, rng: procedure)


def the_cap_is_no_cap(patch):
    run = running.free_run
    patch.setattr(running, "free_run", lambda *a, cap=None, **o: run(*a, **o))


def a_call_is_not_counted(patch):
    run = running.free_run

    def wrong(*args, **options):
        got = run(*args, **options)
        return replace(got, calls=got.calls - 1)

    patch.setattr(running, "free_run", wrong)


def layers_cost_one_each(patch):
    patch.setattr(cost, "macs", lambda network, inputs, shape, iterations=None: 1)


def ties_point_away(patch):
    rings = procedures.rings

    def wrong(mazes, *, ties="fixed", **options):
        got = rings(mazes, ties=ties, **options)
        if ties == "fixed":
            return got
        frames = np.where(got.frames < 4, (got.frames + 2) % 4, got.frames)
        return replace(got, frames=frames.astype(np.int8))

    patch.setattr(procedures, "rings", wrong)


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
    patch.setattr(room, "TAUGHT", FOR_ROUNDS)


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


MUTANTS = {
    "pc-generalizes": [
        frames_stand_still, frames_are_one_ring_late, the_goal_is_not_shown,
        labels_are_turned, few_calls_are_made, everything_is_in_view,
        only_the_next_cell_is_in_view, the_exam_is_the_lesson,
        starts_stand_beside_the_goal, as_many_labels_are_as_many_plans,
        whoever_ends_a_walk_has_arrived, clones_are_told_the_way,
    ],
    "pc-generalizes-arms": [
        few_calls_are_made, clones_are_told_the_way, eight_plans_are_all_plans,
        everything_is_in_view, frames_stand_still,
    ],
    "pc-generalizes-seeing": [
        rounds_are_not_passed_on, the_first_number_of_rounds_will_do,
        as_many_plans_as_plans, the_few_are_as_many, labels_are_drawn, labels_point_back,
        the_least_likely_is_said, nobody_repeats, everything_is_in_view,
        starts_stand_beside_the_goal, whoever_ends_a_walk_has_arrived,
    ],
    "pc-label-price": [frames_stand_still, few_calls_are_made, the_goal_is_not_shown,
                       everything_is_in_view],
    "pc-cost": [
        noise_is_no_noise, the_cap_is_no_cap, a_call_is_not_counted,
        layers_cost_one_each, ties_point_away,
    ],
}  # fmt: skip


@each(MUTANTS)
def test_a_wrong_library_makes_the_predicate_false(monkeypatch, right, claim_id, mutant):
    fine = right(claim_id)
    mutant(monkeypatch)
    must_refute(CLAIMS[claim_id], fine, measured(claim_id))


# Every clause counts ----------------------------------------------------------------


def of(names, **ends):
    return {f"{name}_{end}": value for name in names for end, value in ends.items()}


STAR = {
    **of(["clone"], train=1, far=0.02, view=0.5, **{"10": 0.75, "20": 0.2}),
    **of(["matched"], train=1, far=0.12, view=0.7, **{"10": 0.93, "20": 0.3}),
    **of(["same"], far=0.97, **{"10": 0.99}),
    **of(["local"], far=1.0, **{"30": 1.0}),
    "random_far": 0.15, "in_view": 0.36,
}  # fmt: skip
ARMS = {
    **of(arms.ONCE, view=0.5, far=0.05, train=1.0),
    **of(["few_same"], view=0.6, far=0.5), **of(["few_local"], view=0.9, far=0.9),
    "turned_10": 0.9, "walks_10": 0.75, "few_10": 0.36,
}  # fmt: skip
SEEING = {
    "rounds_train": 1, "rounds_few_train": 1, "rounds_far": 0.7, "rounds_few_far": 0.2,
    "rounds_10": 1, "rounds_few_by_rounds": [0.2, 0.15, 0.1, 0.05], "values_far": 0.3,
}  # fmt: skip
PRICE = {
    "one": [0.5, 0.6, 0.8, 0.95, 1, 1], "six": [0, 0.1, 0.2, 0.5, 0.8, 0.9],
    "rounds": [0.2, 0.45], "pictures": [13, 26, 52, 104, 208, 416],
}  # fmt: skip
COST = {
    "one_clean_20": 1, "one_noisy_20": 0.6, "cap_20": 0.4, "sweeps_20": 0.2,
    "one_queue_20": 1, "one_chance_20": 1, "calls": 32, "longest": 31,
    "six_over_clone": 32, "one_over_clone": 1.4, "rounds_over_clone": 6,
    "one_over_looks": 25_000,
}  # fmt: skip
BROKEN = [
    (arms.generalizes, STAR, [
        {"clone_train": 0.98}, {"matched_train": 0.98}, {"random_far": 0.01},
        {"matched_view": 0.5}, {"matched_far": 0.36, "matched_view": 0.9},
        {"same_far": 0.8}, {"local_far": 0.9}, {"local_30": 0.9}, {"clone_10": 0.84},
        {"clone_10": 0.5, "matched_10": 0.7, "same_10": 0.95}, {"in_view": 0.15},
        {"in_view": 0.6},
    ]),
    (arms.arms_hold, ARMS, [
        {"walks_far": 0.21, "walks_view": 0.9}, {"map_view": 0.09}, {"helped_train": 0.9},
        {"turned_10": 0.76}, {"few_10": 0.6}, {"few_local_far": 0.65},
        {"few_same_far": 0.09}, {"few_far": 0.24, "few_view": 0.6},
    ]),
    (seeing.seeing_holds, SEEING, [
        {"rounds_train": 0.98}, {"rounds_few_train": 0.98}, {"rounds_far": 0.48},
        {"rounds_few_far": 0.41}, {"rounds_far": 0.55, "rounds_few_far": 0.35},
        {"rounds_10": 0.9}, {"rounds_few_by_rounds": [0.2, 0.2, 0.2, 0.18]},
        {"values_far": 0.8},
    ]),
    (price.price_holds, PRICE, [
        {"one": [0.5, 0.6, 0.65, 0.68, 1, 1]}, {"rounds": [0.2, 0.8]},
        {"rounds": [0.2, 0.72], "one": [0.5, 0.6, 0.8, 0.99, 1, 1]},
        {"rounds": [0.42, 0.45]}, {"one": [0.85, 0.9, 0.95, 0.95, 1, 1]},
        {"six": [0.45, 0.5, 0.6, 0.7, 0.8, 0.9]}, {"six": [0, 0.1, 0.2, 0.5, 0.6, 0.64]},
    ]),
    (cost.cost_holds, COST, [
        {"one_clean_20": 0.94}, {"one_noisy_20": 0.85}, {"cap_20": 0.75},
        {"sweeps_20": 0.75}, {"one_queue_20": 0.85}, {"one_chance_20": 0.85},
        {"calls": 33}, {"six_over_clone": 15}, {"one_over_clone": 0.9},
        {"one_over_clone": 4}, {"rounds_over_clone": 40}, {"one_over_looks": 900},
    ]),
]  # fmt: skip


@pytest.fixture
def as_recorded(monkeypatch):
    """The lists of the price as long as the recorded ones."""
    monkeypatch.setattr(price, "FRAMED", (1, 2, 4, 8, 16, 32))
    monkeypatch.setattr(price, "ANSWERED", (64, 256))


@pytest.mark.parametrize(("holds", "good", "changes"), BROKEN,
                         ids=[row[0].__name__ for row in BROKEN])  # fmt: skip
def test_each_clause_of_a_predicate_can_fail(as_recorded, holds, good, changes):
    assert holds(planted(good)) is True
    for change in changes:
        assert holds(planted(good, **change)) is False, change


def test_what_is_derived(as_recorded):
    got = price.worth(planted(PRICE))
    assert got == {"enough_one": 1, "enough_six": 8, "replaced_one": 256,
                   "replaced_six": 32}  # fmt: skip
    gaps = arms.gained(planted(STAR, same_20=0.9))
    assert gaps["labels_10"] == pytest.approx(0.18)
    assert gaps["procedure_10"] == pytest.approx(0.06)
    assert gaps["labels_20"] == pytest.approx(0.1)
    assert gaps["procedure_20"] == pytest.approx(0.6)


# Against something outside ----------------------------------------------------------


def test_the_cells_of_walks_by_walking():
    rng = np.random.default_rng(5)
    maps = maze_makers.obstacles(6, 9, rng)
    actions = procedures.rings(maps).actions
    seen = arms.walked(maps, actions, 3, np.random.default_rng(6))
    starts = maps.starts(3, np.random.default_rng(6))
    for n in range(6):
        cells = set()
        for start in starts[n]:
            r, c = start
            while (r, c) != tuple(maps.goals[n]):
                cells.add((int(r), int(c)))
                dr, dc = ((-1, 0), (0, 1), (1, 0), (0, -1))[actions[n, r, c]]
                r, c = r + dr, c + dc
        assert {tuple(cell) for cell in np.argwhere(seen[n]).tolist()} == cells


def test_eight_of_each_plan_are_as_hard_and_different():
    maps = maze_makers.obstacles(3, 8, np.random.default_rng(2))
    every = arms.all_ways_round(maps)
    assert len(every) == 24
    assert len({every.text(n) for n in range(24)}) == 24
    for n in range(24):
        assert every.distances[n].max() == maps.distances[n % 3].max()


def test_the_distance_is_taught_beside_the_action():
    plan = read_plan(on_paper.HAND)
    lesson = arms.with_distance(plan, training.action_examples(plan, procedures.rings(plan)))
    assert lesson.values[0, 3, 3] == 1
    assert lesson.values[0, 1, 1] == pytest.approx(0.9**4)
    assert lesson.values[0, 2, 2] == 0
    network = arms.Actions(lambda x: x)
    assert torch.equal(network(torch.arange(6.0).reshape(1, 6, 1, 1)).flatten(),
                       torch.arange(1.0, 6.0))  # fmt: skip


def test_the_price_of_an_answer_by_hand():
    plan = read_plan(on_paper.HAND)
    maps = Mazes(np.pad(plan.walls, ((0, 0), (0, 1), (0, 1)), constant_values=True),
                 plan.goals)  # fmt: skip
    got = cost.price(maps, {"one": 5.0, "six": 5.0})
    cells = 36
    one = 5 * cells * (9 * 7 * 24 + 24 * 5)
    six = 5 * cells * 9 * (7 * 32 + 4 * 32 * 32 + 32 * 5)
    clone = cells * 9 * (2 * 32 + 4 * 32 * 32 + 32 * 4)
    assert got["one_over_clone"] == pytest.approx(one / clone)
    assert got["six_over_clone"] == pytest.approx(six / clone)
    assert got["looks"] == 4 * 8 and got["longest"] == 4
    assert got["one_over_looks"] == pytest.approx(one / 32)


def test_marks_tell_starts_apart():
    maps = maze_makers.obstacles(5, 20, np.random.default_rng(4))
    exam = room.Exam({20: maps}, {20: maps.starts(30, np.random.default_rng(5))})
    way = procedures.rings(maps).actions
    near = np.where(maps.in_view(6), way, 4)  # silent where the goal is not in view
    got = room.marks("x", exam, lambda plans: near)
    assert got["x_far"] == 0 and got["x_view"] > 0.5
    assert room.marks("x", exam, lambda plans: way) == {"x_20": 1, "x_view": 1, "x_far": 1}


def test_a_run_is_remembered_and_no_other_is(monkeypatch):
    """Neither that of another network, nor on other plans, nor otherwise, nor inside."""
    runs, maps = [], maze_makers.obstacles(2, 6, np.random.default_rng(3))
    with torch.random.fork_rng(devices=[]):
        networks = [room.seeing_one().eval() for _ in range(2)]

    def run(network, maps, **options):
        runs.append(options)
        return RUN(network, maps, **options)

    remembered = runs_remembered(run)
    same, again = (remembered(networks[0], maps, cap=3) for _ in range(2))
    np.testing.assert_array_equal(same.frames, RUN(networks[0], maps, cap=3).frames)
    assert again is same and len(runs) == 1
    remembered(networks[1], maps, cap=3)
    remembered(networks[0], maps, cap=2)
    remembered(networks[0], maps[:1], cap=3)
    remembered(networks[0], maps, cap=3, first=same.frames[:, 1])
    the_goal_is_not_shown(monkeypatch)
    remembered(networks[0], maps, cap=3)
    the_least_likely_is_said(monkeypatch)
    remembered(networks[0], maps, cap=3)
    assert len(runs) == 7


def test_the_best_number_of_rounds_is_the_best():
    class Knows(torch.nn.Module):
        """Says the way after 24 rounds, and nonsense otherwise."""

        def forward(self, x, iterations):
            maps = Mazes(x[:, 0].bool().numpy(), x[:, 1].nonzero()[:, 1:].numpy())
            way = torch.tensor(np.where(maps.open, procedures.rings(maps).actions, 0))
            way = way if iterations == 24 else torch.zeros_like(way)
            return torch.nn.functional.one_hot(way.long(), 4).movedim(3, 1).float()

    maps = maze_makers.obstacles(4, 20, np.random.default_rng(4))
    exam = room.Exam({20: maps}, {20: maps.starts(9, np.random.default_rng(5))})
    got = seeing.best_round("x", exam, Knows())
    assert got["x_far"] == 1 and got["x_by_rounds"][1] == 1
    assert max(got["x_by_rounds"][k] for k in (0, 2, 3)) < 0.6


# On paper, and pictures -------------------------------------------------------------


def test_four_rings_by_hand():
    plan, search = on_paper.by_hand()
    assert search.steps[0] == 4
    assert on_paper.frame_text(plan, search.frames[0, 2]).splitlines() == [
        "#####", "#..↓#", "#.#↓#", "#→→G#", "#####"]  # fmt: skip
    assert on_paper.frame_text(plan, search.frames[0, 4]).splitlines() == [
        "#####", "#→→↓#", "#↓#↓#", "#→→G#", "#####"]  # fmt: skip


def test_the_exercise_is_the_library_s_ring():
    for walls, goal, labels in exercises._ring_cases():
        got = exercises.ring(walls, goal, labels)
        theirs = procedures.ring_step(walls[None], goal[None], labels[None])[0]
        np.testing.assert_array_equal(got, theirs)


@pytest.mark.parametrize(
    ("claim_id", "draw"),
    [("pc-generalizes", arms.fig_generalizes), ("pc-generalizes-arms", arms.fig_arms),
     ("pc-cost", cost.fig_cost), ("pc-label-price", price.fig_price)],
)  # fmt: skip
def test_figures_carry_their_numbers_in_words(right, claim_id, draw):
    from imitlib.figures import png

    fig, alt = draw(right(claim_id))
    assert png(fig)[:4] == b"\x89PNG" and len(alt.split()) > 20
    assert any(character.isdigit() for character in alt)


def test_the_rows_are_the_samples():
    rows = [("a", "learner", [0.4, 0.6], [0.1, 0.3]), ("b", "expert", [1, 1], [0.9, 0.9])]
    fig, words = pictures.fig_rows(rows)
    assert words == "a: 0.50 in view, 0.20 out of view; b: 0.95 in view".replace(
        "0.95 in view", "1.00 in view, 0.90 out of view")  # fmt: skip
    marks = [line.get_xdata()[0] for line in fig.axes[0].lines if line.get_marker() == "D"]
    assert marks == pytest.approx([0.9, 0.2])  # from below


@pytest.mark.parametrize("draw", [on_paper.fig_idea, on_paper.fig_view])
def test_pictures_on_paper_have_words(draw):
    fig, alt = draw()
    assert len(fig.axes) in (2, 3) and len(alt.split()) > 20
