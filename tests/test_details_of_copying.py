"""Details of the rooms and experiments of chapters 03 to 05 that no other test looks at."""

import re

import numpy as np
import pytest
import torch

from imitlib.chapters.ch03 import delusion, inventing, school, scoring
from imitlib.chapters.ch04 import crowd, mimic, rule, till
from imitlib.chapters.ch05 import arms, cost, drawing, frames, steps
from imitlib.chapters.ch05 import exam as room
from imitlib.envs import order_book as shop
from imitlib.envs.maze_makers import corridors, obstacles
from imitlib.envs.mazes import read_plan
from imitlib.exercises import check
from imitlib.language import cloning, fit
from imitlib.pc import networks as N
from imitlib.pc import procedures as P
from imitlib.pc import running as R
from imitlib.pc import training as T
from test_claims_frames import Adder, Searching
from test_drawing import labels, opened
from test_pc import Fixed, close

U = P.UNVISITED


def rng(seed=0):
    return np.random.default_rng(seed)


# Language ---------------------------------------------------------------------------

TOKENS, ANSWER = np.array([[1, 2, 3]] * 4), np.array([[False, True, True]] * 4)


def test_a_fitted_network_has_the_sizes_that_were_asked_for():
    made = fit(TOKENS, ANSWER, n_tokens=5, context=7, width=12, heads=3, layers=4,
               updates=1, rng=rng()).network
    assert made.sizes == {"n_tokens": 5, "context": 7, "width": 12, "heads": 3, "layers": 4}
    assert len(made.blocks) == 4 and made.blocks[0].attention.heads == 3


def rates(patch, module):
    """The step size and the gradient's norm of each update, written down."""
    seen = []

    class Spy(module.Adam):
        def step(self):
            seen.append((self.lr, float(self.gradient.norm())))
            super().step()

    patch.setattr(module, "Adam", Spy)
    return seen


def test_the_step_size_falls_to_a_tenth_in_a_straight_line(monkeypatch):
    seen = rates(monkeypatch, cloning)
    fit(TOKENS, ANSWER, n_tokens=5, updates=10, lr=0.5, rng=rng())
    assert [lr for lr, _ in seen] == pytest.approx(0.5 * (1 - 0.09 * np.arange(10)))


# Procedural cloning -----------------------------------------------------------------


def test_the_step_size_falls_along_half_a_cosine_and_the_gradient_is_clipped(monkeypatch):
    seen, plans = rates(monkeypatch, T), obstacles(1, 8, rng())
    ex = T.step_examples(plans, P.sweeps(plans, tol=0.5))  # numbers: large gradients
    T.fit(lambda: Fixed(3 * torch.ones(1, 5, 8, 8)), ex, rng=rng(), updates=4, lr=0.1)
    lrs, norms = zip(*seen)
    assert lrs == pytest.approx([0.1 * (1 + np.cos(np.pi * k / 4)) / 2 for k in (1, 2, 3, 4)])
    assert norms == pytest.approx([1.0] * 4, rel=1e-4)


def test_blocks_have_a_shortcut_past_them():
    x = torch.rand(2, 2, 7, 7)
    res, rec = N.Residual(2, 4, layers=6), N.Recurrent(2, 4)
    for block in (*res.blocks, rec.block):
        for p in block.parameters():
            p.data.zero_()
    close(res(x), res.last(res.first(x).relu()))
    h = torch.rand(2, 32, 7, 7)
    close(rec.repeat(x, h, 1), rec.gate(torch.cat([h, x], 1)).relu())


@pytest.mark.parametrize(("skipped", "asked"), [(0, (1, 10)), (4, (1, 6)), (8, (1, 2))])
def test_a_rehearsal_may_skip_and_go_on_for_any_number_that_fits(skipped, asked):
    network, seen, give = N.Recurrent(2, 4, width=4, iterations=9, share=1.0), [], [skipped, 1]

    class Spy:
        def integers(self, *limits):
            seen.append(limits)
            return give.pop(0)

    network.rehearse(torch.rand(1, 2, 5, 5), Spy())
    assert seen == [(9,), asked]


def test_sweeps_are_taught_with_the_actions_of_their_own_plan():
    plans = obstacles(6, 8, rng())
    done = P.sweeps(plans)
    ex, plan = T.step_examples(plans, done), np.repeat(np.arange(6), done.steps + 1)
    scored = ex.scored.numpy()
    np.testing.assert_array_equal(scored, plans.open[plan] & (ex.values.numpy() > 0))
    assert (ex.targets.numpy() == done.actions[plan])[scored].all()
    last = np.cumsum(done.steps + 1) - 1  # the last frame comes with itself
    assert torch.equal(ex.values[last], ex.inputs[last, 2])


def test_the_accuracy_beside_numbers_is_that_of_the_labels():
    plans = obstacles(1, 8, rng())
    ex = T.step_examples(plans, P.sweeps(plans, tol=0.5))
    out = torch.randn(1, 5, 8, 8, generator=torch.Generator().manual_seed(0))
    got = T.fit(lambda: Fixed(out), ex, rng=rng(), updates=1, every=1, lr=1e-9).accuracy
    hit = out[:, 1:].argmax(1).expand_as(ex.targets) == ex.targets
    assert got == pytest.approx(hit[ex.scored].float().mean().item())


def test_a_search_is_taught_from_its_own_start():
    plans = obstacles(5, 9, rng())
    starts = plans.starts(1, rng(1))[:, 0]
    done = P.search(plans, starts)
    ex, plan = T.step_examples(plans, done, starts), np.repeat(np.arange(5), done.steps + 1)
    assert ex.inputs.shape[1] == 3 + 9
    np.testing.assert_array_equal(np.argwhere(ex.inputs[:, 2].numpy())[:, 1:], starts[plan])


def test_the_search_breaks_ties_in_the_order_that_is_asked_for():
    plan = read_plan("...\n...\n..G")  # (2, 2) is entered from the west or from the north
    first, other = (P.search(plan, [[1, 1]], order=o).frames[0, 2, 2, 2]
                    for o in ((0, 1, 2, 3), (3, 2, 1, 0)))
    assert (first, other) == (1, 2)


def test_an_answer_is_given_after_as_many_rounds_as_are_asked_for():
    plans, network = obstacles(3, 8, rng()), N.ValueIterationNetwork(2, 4)
    for k in (1, 5):
        want = network(T.planes(plans), k).argmax(1).numpy()
        np.testing.assert_array_equal(R.answer(network, plans, k), want)
    assert (R.answer(network, plans) == network(T.planes(plans), 20).argmax(1).numpy()).all()


class Creeping(torch.nn.Module):
    """Adds a number to each number, and says north."""

    def forward(self, x):
        return torch.cat([x[:, 2:3] + 0.01, torch.zeros(len(x), 4, *x.shape[2:])], 1)


def test_numbers_are_done_when_none_moves_by_the_tolerance():
    plans = obstacles(2, 8, rng())
    for tol, calls, done in ((0.02, 1, True), (0.005, 6, False)):
        run = R.free_run(Creeping(), plans, numbers=True, tol=tol, cap=6)
        assert (run.calls == calls).all() and (run.done == done).all()


# Rooms ------------------------------------------------------------------------------


def test_goals_of_corridors_are_drawn_evenly_among_the_free_cells():
    plans = corridors(1500, 7, rng(), loops=1)  # 3 x 3 crossings and 12 doors: 21 cells
    counts = plans.goal_map.sum(0)[~plans.walls[0]]
    assert len(counts) == 21 and counts.sum() == 1500
    assert abs(counts - 1500 / 21).max() < 45  # 71 each, give or take 8


def test_half_of_the_cells_is_enough():
    plans = obstacles(400, 10, rng(1), p=0.45)
    share = (plans.distances >= 0).sum((1, 2)) / (~plans.walls).sum((1, 2))
    assert share.min() >= 0.5 and (share < 0.6).mean() > 0.05


def test_the_usual_round_is_one_over_the_rank():
    book = shop.OrderBook.draw(50, rng())
    usual, one = (shop.sightings(book, 900, rng(1), *a) for a in ((), (1.0,)))
    assert (usual == one).all() and book.n_loaves == 10


# The plan that a reader draws -------------------------------------------------------


def searcher(through=False):
    """The search itself as a network of one layer; perhaps one that sees no houses."""
    net = N.Local(7, 5)
    with torch.no_grad():
        for p in net.parameters():
            p.zero_()
        for a, (r, c) in enumerate(((0, 1), (1, 2), (2, 1), (1, 0))):
            net[0].weight[a, 1:6, 1, 1] = -5
            net[0].weight[a, 1:6, r, c] = 1  # goal, or a label, over there
            net[0].weight[a, 0, 1, 1] = 0 if through else -5
            net[0].weight[4 + a, 2 + a, 1, 1] = 1  # the label that is here
            net[2].weight[a, [a, 4 + a], 0, 0] = torch.tensor([4.0 - a, 5.0])
        net[2].bias[4] = 0.5
    return net


def loaf_street():
    text = drawing.PLANS["Loaf Street"].strip()
    plan = read_plan(text.replace("R", "."))
    at = text.replace("\n", "").index("R")
    return plan, P.rings(plan).frames[0], int(plan.distances[0][divmod(at, 10)])


def test_the_hand_made_network_is_the_search():
    plan, true, _ = loaf_street()
    assert (R.free_run(searcher(), plan).frames[0, : len(true)] == true).all()


def test_the_board_begins_where_the_page_left_it_and_marks_what_is_new(chrome):
    page, (_, true, _) = opened(chrome, searcher()), loaf_street()
    np.testing.assert_array_equal(labels(page), true[4, 1:-1, 1:-1])
    fresh = page.eval_on_selector_all(".fresh", "all => all.map(b => Number(b.dataset.cell))")
    assert fresh == np.flatnonzero(true[4] != true[3]).tolist()
    assert f"After 4 steps {(true[4] != U).sum()} cells have an arrow" in page.inner_text(".said")


def test_at_the_end_rollo_walks_by_the_arrows_that_are_drawn(chrome):
    page, (_, true, far) = opened(chrome, searcher(), reduced_motion="reduce"), loaf_street()
    for _ in range(2):  # the second run begins anew
        page.click(".run")
        said = page.inner_text(".said")
        assert f"Rollo walks {far} steps to the door" in said and f"After {len(true)} steps" in said
        assert len(page.query_selector_all(".way")) == far + 1
    signs = page.eval_on_selector_all(".board button", "all => all.map(b => b.innerText)")
    last = true[-1, 1:-1, 1:-1].ravel()
    assert [s.strip("★◆") for s in signs] == ["" if a == U else "↑→↓←"[a] for a in last]


def test_rollo_does_not_walk_through_houses(chrome):
    page = opened(chrome, searcher(through=True), reduced_motion="reduce")
    page.click(".run")
    assert "the arrows do not lead Rollo to the door" in page.inner_text(".said")


def test_rollo_and_the_door_are_moved_and_not_into_houses(chrome):
    page = opened(chrome, searcher())
    where = lambda: [page.eval_on_selector_all(  # noqa: E731
        ".board button", f"all => all.filter(b => b.innerText.includes('{sign}'))"
        ".map(b => b.dataset.cell)") for sign in "◆★"]
    house = next(b for b in page.query_selector_all(".board .wall")).get_attribute("data-cell")
    for value, cell, want in (("rollo", "12", ["12"]), ("rollo", house, ["12"]),
                              ("door", house, ["12"]), ("house", "12", ["12"])):
        page.check(f"input[value={value}]")
        page.click(f'[data-cell="{cell}"]')
        assert where() == [want, ["78"]]


# Exercises --------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "wrong"), [
    ("03.1", lambda h, k, form: bool(h > 1 - h) if form else bool(h / (k + 1) > 1 - h)),
    ("03.1", lambda h, k, form: bool(h > 1 - h) if form else bool(h / (k - 1) > 1 - h)),
    ("04.3", lambda h, q: 0.0 if h >= 0.5 else 1.0 if q <= 1 - h else (1 - h) * q + h * (1 - q)),
])  # fmt: skip
def test_a_wrong_answer_does_not_pass(number, wrong):
    assert not check(number, wrong).passed


# Elicit -----------------------------------------------------------------------------


def test_every_situation_is_met_and_every_sees_the_clone_as_it_is_now():
    from imitlib import bc, elicit
    from imitlib.demonstrations import Demonstrations

    x, met, seen = np.eye(50), set(), []
    demos = Demonstrations(x, np.arange(50) % 2, np.zeros(50, int))
    clone = bc.fit(demos, hidden=(), updates=2, rng=rng())
    last = elicit.reinforce(
        clone, x, lambda rows, said: met.update(rows.tolist()) or said == 0, updates=60,
        batch=10, lr=0.05, rng=rng(1), every=lambda _, now: seen.append(now.probabilities(x)))
    assert met == set(range(50))
    assert abs(seen[0] - clone.probabilities(x)).max() == 0 < abs(seen[1] - seen[0]).max()
    np.testing.assert_array_equal(seen[-1], last.probabilities(x))


def test_silent_cells_are_walked_at_random_if_there_is_luck():
    plans = obstacles(10, 8, rng())
    starts, silent = plans.starts(20, rng(1)), np.full(plans.walls.shape, U)
    assert R.success(plans, silent, starts).overall == 0
    assert R.success(plans, silent, starts, rng=rng(2)).overall > 0.3


# Chapters ---------------------------------------------------------------------------


def test_walls_do_not_count_among_the_right_cells():
    maps = obstacles(12, 20, rng(3))
    got = frames.compare("x", Searching((3, 2, 1, 0)), maps)["x_cells_20"]
    true, theirs = (P.rings(maps, order=o).frames for o in ((0, 1, 2, 3), (3, 2, 1, 0)))
    want = [(true[:, t] == theirs[:, t])[~maps.walls].mean() for t in frames.LOOKED_AT]
    assert got == pytest.approx(want) and want[-1] < 0.95


def test_total_variation_of_two_that_never_agree_is_one():
    assert mimic.total_variation([1, 0, 0], [0, 0.5, 0.5]) == pytest.approx(1)
    assert mimic.total_variation(mimic.outcomes(0)[2], mimic.HANA) == pytest.approx(0.95)


def test_hana_is_wrong_in_two_fifths_whatever_the_share_of_bias():
    for share in rule.SHARES:
        asked, cue, says, right = rule.hana(share, 0.85, rng(), 200_000)
        wrong = says != right[asked]
        always = np.array([wrong[asked == q].all() for q in range(rule.QUESTIONS)])
        assert wrong.mean() == pytest.approx(rule.ERROR, abs=0.01)
        assert wrong[always[asked]].sum() / wrong.sum() == pytest.approx(share, abs=0.02)


def test_an_expert_with_habits_has_them_in_two_fifths_of_the_states():
    mdp = crowd.loaf_street()
    best = crowd.optimal(mdp).argmax(1)
    shared = rng(1).random(mdp.n_states) < crowd.HABIT, crowd._wrong(best, rng(2))
    all_common, none = (crowd.with_habits(mdp, best, shared, np.full(mdp.n_states, c), rng(3))
                        for c in (True, False))
    for policy in (all_common, none):
        assert policy.sum(1) == pytest.approx(1)
        off = policy[np.arange(len(best)), best] < 0.5
        assert off.mean() == pytest.approx(crowd.HABIT, abs=0.05)
        assert policy.max(1)[off] == pytest.approx(crowd.SLIP)
    rows = np.flatnonzero(shared[0])
    assert (all_common.argmax(1)[rows] == shared[1][rows]).all()
    assert (none.argmax(1)[rows] != shared[1][rows]).mean() > 0.5


def test_the_second_choice_is_the_likeliest_but_hers():
    class Sure:
        def probabilities(self, x):
            p = np.full((till.SUMS, till.HOURS), 0.001)
            p[np.arange(till.SUMS), till.READY] = 0.3
            p[np.arange(till.SUMS), till.SAYS] = 0.6
            return p

    assert till.second_choice(Sure()) == 1


def test_the_reader_of_words_holds_their_vectors():
    book = shop.OrderBook.draw(6, rng(), 3)
    way, seen = shop.one_token(book), np.ones(6, int)
    reader = school.read_notes(book, seen, rng(), updates=2)
    model = school.clone(reader, way, [0, 1, 2], np.array([0, 3, 2]), rng(), updates=3)
    marked = scoring.follow_marks(reader, way, np.arange(3), lambda rows: book.loaf[rows], 1,
                                  rng(), updates=3)
    for now in (model, marked):
        old, new = reader.network.state_dict(), now.network.state_dict()
        assert torch.equal(old["token.weight"], new["token.weight"])
        assert not torch.equal(old["out.weight"], new["out.weight"])


def test_its_confidence_is_the_probability_of_what_it_said():
    book = shop.OrderBook.draw(6, rng(), 3)
    for way in (shop.one_token(book), shop.form_first(book)):
        reader = school.pretrain(way, way.notes(np.ones(6, int)), rng(), updates=20)
        model = school.clone(reader, way, np.arange(6), book.loaf, rng(), updates=60)
        said, sure = school.ask(model, way, np.arange(6))
        table = school.probabilities(model, way, np.arange(6))
        assert (said >= 0).all() and sure == pytest.approx(table[np.arange(6), said])
        assert (sure < 0.999).any()


def test_halves_share_nobody_and_leave_nobody_out():
    a, b = school.halves(np.arange(11), rng())
    assert sorted([*a, *b]) == list(range(11)) and len(a) == 5
    assert a.tolist() != list(range(5))


def test_the_loss_of_notes_is_in_nats():
    n, k = inventing.HOUSES, inventing.LOAVES
    book = shop.OrderBook.draw(n, rng(), k)
    even = np.full((n, k), 1 / (n * k))
    assert inventing.loss(even, book, np.arange(9)) == pytest.approx(np.log(n * k))


@pytest.mark.parametrize("evidence", [True, False])
def test_how_sure_it_is_of_its_favourite_after_one_turn(evidence):
    """After one opening and one lamp: by hand, from the ten that there are."""
    sure = delusion.exactly(evidence, False, 2)[1]
    expected = 0
    for theta, a, lamp in np.ndindex(5, 5, 2):
        p = np.where((np.arange(5) == a) == lamp, 0.9, 0.1)
        p = p * (np.where(np.arange(5) == a, 0.92, 0.02) if evidence else 1)
        chance = 1 / 25 * (0.9 if (a == theta) == lamp else 0.1)
        expected += chance * (p / p.sum()).max()
    assert sure == pytest.approx([0.2, expected])


def test_rollo_is_told_what_hana_would_open_and_she_errs_as_she_does(monkeypatch):
    lessons = []
    monkeypatch.setattr(delusion, "study", lambda tokens, labels, *a, **o: lessons.append(labels))
    theta = []
    play = delusion.play
    monkeypatch.setattr(delusion, "play", lambda *a: theta.append(play(*a)) or theta[-1])
    delusion.corrected(rng())
    right = [(lesson == t[0][:, None]).mean() for lesson, t in zip(lessons, theta)]
    assert right == pytest.approx([delusion.HER_RIGHT] * delusion.ROUNDS, abs=0.01)


def test_a_falsified_sum_has_a_term_still_to_come():
    class Spy(Adder):
        def greedy(self, read, length):
            assert (read[:, steps.TAMPERED_PLACE + 1] != steps.BLANK).all() and length == 4
            assert (read[:, steps.TAMPERED_PLACE] != steps.BLANK).all()
            return super().greedy(read, length)

    steps.tampered(Spy(honest=True), rng(9))


def test_a_walker_who_knows_nothing_walks_all_the_same():
    exam = room.set_exam(rng(), {10: 10, 20: 5})
    got = arms.random_walker(exam, rng(1))
    assert got["random_10"] > 0.2 and 0 < got["random_far"] < got["random_view"]


def test_the_four_records_of_a_search_are_four():
    maps = obstacles(10, 10, rng())
    ways = cost.written_otherwise(maps, rng(1))
    assert list(ways) == ["clean", "queue", "chance", "noisy"]
    queue = P.rings(maps, ties="queue").frames
    assert (ways["clean"].frames == P.rings(maps).frames).all()
    assert (ways["queue"].frames == queue).all() and (queue != ways["clean"].frames).any()
    assert (ways["chance"].actions != ways["clean"].actions).any()
    written = ways["clean"].frames != U
    wrong = (ways["noisy"].frames != ways["clean"].frames)[written].mean()
    assert wrong == pytest.approx(cost.NOISE, abs=0.02)


def test_the_values_have_as_many_plans_as_the_rounds(monkeypatch):
    from imitlib.chapters.ch05 import seeing

    sizes = {}

    def learn(make, lesson, *a):
        sizes[type(make()).__name__, len(lesson)] = lesson
        return T.Fit(make(), np.array([[1, 0, 1.0]]), True)

    monkeypatch.setattr(room, "learn", learn)
    monkeypatch.setattr(seeing, "best_round", lambda *a: {})
    seeing.measure_seeing(1)
    values, n = sorted(sizes)[2]
    assert values == "ValueIterationNetwork" and n == max(size for _, size in sizes) > 500
