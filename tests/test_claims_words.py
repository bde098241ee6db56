"""The claims of chapter 03 about talking, inventing and delusion, and what breaks them.

Every mutant is a wrong library that runs to its end with legal shapes; the predicate
that the right library satisfies on the same seed must turn false.
"""

import itertools
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

from imitlib import bc, claims, language
from imitlib.chapters.ch03 import delusion, inventing, talking
from imitlib.demonstrations import Demonstrations
from imitlib.envs import order_book as shop
from imitlib.envs import tightrope as rope
from imitlib.experiments import Samples
from stand_ins import Reader
from wrong_libraries import each, remembering

CLAIMS = {c.id: c for m in (talking, inventing, delusion) for c in m.CLAIMS}
SEEDS = (1,)
pytestmark = pytest.mark.slow
torch.set_num_threads(1)


@pytest.fixture(scope="module", autouse=True)
def smaller():
    """Less of everything than in the recorded samples: the mistakes are not subtle."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(talking, "CUSTOMERS", 500)
        patch.setattr(talking, "HELD_OUT", 500)
        patch.setattr(inventing, "WORLDS", ((0.5, 300), (1.5, 300)))
        patch.setattr(language, "fit", remembering(language.fit))
        study = talking.study
        patch.setattr(talking, "study", lambda *args, **how: Reader(study(*args, **how)))
        yield


def samples(claim_id):
    delusion.exactly.cache_clear()
    return claims.replay(CLAIMS[claim_id], SEEDS)


def keeping(make, name, kept):
    """The same function, whose first result stays in the drawer."""

    def made(*args, **options):
        model = make(*args, **options)
        kept.setdefault(name, model)
        return model

    return made


@pytest.fixture(scope="module")
def right(smaller):
    """What the right library gives, once; and the models, for mistakes beside them."""
    kept = {}
    with pytest.MonkeyPatch.context() as patch:
        for module, name in ((delusion, "cloned"), (delusion, "corrected"),
                             (talking, "study"), (talking, "distil")):  # fmt: skip

            patch.setattr(module, name, keeping(getattr(module, name), name, kept))
        return {claim_id: samples(claim_id) for claim_id in CLAIMS}, kept


@pytest.mark.parametrize("claim_id", CLAIMS)
def test_the_right_library_satisfies_the_predicate(right, claim_id):
    assert CLAIMS[claim_id].holds(right[0][claim_id])


# Wrong libraries --------------------------------------------------------------------


def with_models(patch, module, kept, *names):
    """Take models that are right from the drawer: the mistake is elsewhere."""
    for name in names:
        patch.setattr(module, name, lambda *args, model=kept[name], **options: model)


def the_pair_lacks_a_word(patch, kept):
    with_models(patch, talking, kept, "study", "distil")
    pairs = talking.pairs

    def wrong(tokens, answer):
        data = pairs(tokens, answer)
        return replace(data, observations=np.hstack([data.observations[:, 1:],
                                                     np.full((len(data), 1), -1.0)]))  # fmt: skip

    patch.setattr(talking, "pairs", lambda t, a: _kept_first(wrong(t, a), pairs(t, a)))


def _kept_first(cut, whole):
    """Rows that would be empty stay as they were."""
    empty = cut.observations[:, :1] < 0
    rows = np.where(empty, whole.observations, cut.observations)
    return replace(cut, observations=rows)


def the_loss_is_about_the_word_before(patch, kept):
    with_models(patch, talking, kept, "study", "distil")

    def wrong(network, tokens, answer, labels=None):
        z, m = network(tokens[:, :-1]), answer[:, 1:]
        return torch.nn.functional.cross_entropy(z[m], tokens[:, :-1][m])

    patch.setattr(language, "masked_loss", wrong)


def customers_always_forgive(patch, kept):
    with_models(patch, talking, kept, "study", "distil")
    step = rope.Tightrope.step
    patch.setattr(rope.Tightrope, "step",
                  lambda self, *args: step(replace(self, recovery="easy"), *args))  # fmt: skip


def the_talker_hears_only_the_first_call(patch, kept):
    with_models(patch, talking, kept, "study", "distil")
    call = talking.Talker.__call__

    def wrong(self, observations):
        if observations[0, 0] == 0:
            self.first = observations[:, 1]
        return call(self, np.stack([observations[:, 0], self.first], axis=1))

    patch.setattr(talking.Talker, "__call__", wrong)


def errors_are_counted_a_turn_late(patch, kept):
    with_models(patch, talking, kept, "study", "distil")
    hers = talking.hers

    def wrong(world, talks, rng):
        tokens, labels = hers(world, talks, rng)
        if talks == talking.HELD_OUT:
            tokens[:, 1::2] = np.roll(tokens[:, 1::2], 1, axis=1)
        return tokens, labels

    patch.setattr(talking, "hers", wrong)


def rollo_labels_himself(patch, kept):
    with_models(patch, talking, kept)
    patch.setattr(talking, "UPDATES", 160)
    first = []

    def study(world, pile, rng, updates=None, made=talking.study):
        if not first:  # the clone
            first.append(kept["study"])
            return first[0]
        return made(world, pile, rng, updates or talking.UPDATES)

    his = talking.his

    def wrong(*args):
        tokens, _ = his(*args)
        return tokens, tokens

    patch.setattr(talking, "study", study)
    patch.setattr(talking, "his", wrong)


# inventing


def notes_of_the_wrong_house(patch, kept):
    go_on = inventing.go_on

    def wrong(model, way, met, rng):
        other = shop.OrderBook(np.roll(way.book.loaf, 1), way.book.n_loaves)
        return go_on(model, shop.one_token(other), met, rng)

    patch.setattr(inventing, "go_on", wrong)


def the_longest_trained_is_taken_for_the_best(patch, kept):
    patch.setattr(inventing, "best",
                  lambda writers, *_: [w for w in writers if w[-1] == 1.0][-1])  # fmt: skip


def a_house_met_twice_is_met_once(patch, kept):
    patch.setattr(inventing, "once",
                  lambda met: float((np.bincount(met) >= 1).sum() / len(met)))  # fmt: skip


def heat_is_cold(patch, kept):
    written = inventing.written
    patch.setattr(inventing, "written", lambda a, b, t=1.0: written(a, b, 1 / t))


def everything_counts_as_calibrated(patch, kept):
    patch.setattr(inventing, "miscalibration", lambda *args: 0.0)


# delusion


def its_hand_is_no_evidence(patch, kept):
    beliefs = delusion.beliefs
    patch.setattr(delusion, "beliefs", lambda yes, no, evidence: beliefs(yes, no, False))


def its_hand_is_always_evidence(patch, kept):
    beliefs = delusion.beliefs
    patch.setattr(delusion, "beliefs", lambda yes, no, evidence: beliefs(yes, no, True))


def the_lamp_is_read_upside_down(patch, kept):
    beliefs = delusion.beliefs
    patch.setattr(delusion, "beliefs", lambda yes, no, evidence: beliefs(no, yes, evidence))


def greedy_shares_no_ties(patch, kept):
    choice = delusion.choice

    def wrong(belief, greedy):
        if not greedy:
            return choice(belief, False)
        return np.eye(len(belief))[belief.argmax()]

    patch.setattr(delusion, "choice", wrong)


def labels_are_a_turn_late(patch, kept):
    with_models(patch, delusion, kept, "corrected")
    study = delusion.study
    patch.setattr(delusion, "study",
                  lambda tokens, labels, *args, **options: study(
                      tokens, np.roll(labels, 1, axis=0), *args, **options))  # fmt: skip


def rollo_is_told_what_it_opened(patch, kept):
    with_models(patch, delusion, kept, "cloned")
    study = delusion.study

    def wrong(tokens, labels, *args, **options):
        return study(tokens, (tokens[:, 1:] - 1) // 2, *args, **options)

    patch.setattr(delusion, "study", wrong)


def hana_plays_the_rounds(patch, kept):
    """The corrected learner never meets a run of its own."""
    with_models(patch, delusion, kept, "cloned")
    partly = delusion.partly

    def wrong(model, rng, greedy=False):
        if patch.rounds < delusion.ROUNDS:
            patch.rounds += 1
            return lambda _, theta: delusion.hana(theta, rng)
        return partly(model, rng, greedy)

    patch.rounds = 0
    patch.setattr(delusion, "partly", wrong)


def decoding_is_swapped(patch, kept):
    with_models(patch, delusion, kept, "cloned", "corrected")
    partly = delusion.partly
    patch.setattr(delusion, "partly",
                  lambda model, rng, greedy=False: partly(model, rng, True))  # fmt: skip


def the_clone_may_look_into_the_boxes(patch, kept):
    with_models(patch, delusion, kept, "cloned", "corrected")

    def wrong(model, rng, greedy=False):
        return lambda tokens, theta: delusion.hana(theta, rng)

    patch.setattr(delusion, "partly", wrong)


def nothing_is_wrong(patch, kept):
    """Right models from the drawer: then it is the mistake that turns the predicate."""
    with_models(patch, talking, kept, "study", "distil")


def test_models_from_the_drawer_satisfy_the_predicate(monkeypatch, right):
    nothing_is_wrong(monkeypatch, right[1])
    assert CLAIMS["il-sft"].holds(samples("il-sft"))


MUTANTS = {
    "il-sft": [
        the_pair_lacks_a_word, the_loss_is_about_the_word_before, customers_always_forgive,
        the_talker_hears_only_the_first_call, errors_are_counted_a_turn_late,
        rollo_labels_himself,
    ],
    "ci-must-hallucinate": [
        notes_of_the_wrong_house, the_longest_trained_is_taken_for_the_best,
        a_house_met_twice_is_met_once, heat_is_cold, everything_counts_as_calibrated,
    ],
    "ci-delusion-exact": [
        its_hand_is_no_evidence, its_hand_is_always_evidence, the_lamp_is_read_upside_down,
        greedy_shares_no_ties,
    ],
    "ci-delusion": [
        labels_are_a_turn_late, rollo_is_told_what_it_opened, hana_plays_the_rounds,
        decoding_is_swapped, the_clone_may_look_into_the_boxes,
    ],
}  # fmt: skip


@each(MUTANTS)
def test_a_wrong_library_makes_the_predicate_false(monkeypatch, right, claim_id, mutant):
    mutant(monkeypatch, right[1])
    assert not CLAIMS[claim_id].holds(samples(claim_id))
    monkeypatch.undo()
    delusion.exactly.cache_clear()


# Every clause of a predicate can fail ------------------------------------------------


def planted(s, **changes):
    """The samples with some quantities changed by a function of (itself, samples)."""
    new = {name: np.asarray(f(s[name], s), float) for name, f in changes.items()}
    return Samples(s.seeds, dict(s.values) | new)


def steady(x, s):
    """As large at the end, and growing linearly."""
    return x[:, -1:] * np.array(talking.LENGTHS) / talking.TURNS


def square(x, s):
    return x[:, -1:] * (np.array(talking.LENGTHS) / talking.TURNS) ** 2


def level(value):
    return lambda x, s: np.full_like(x, value)


PLANTED = {
    "il-sft": [
        {"loss_apart": level(1e-4)},
        {"gradient_apart": level(1e-3)},
        {"cost_clone": steady},
        {"cost_sampled": steady},
        {"cost_easy": square},
        {"cost_distilled": square},
        {"predicted_clone": lambda x, s: 2 * x},
        {"predicted_sampled": lambda x, s: x / 2},
        {"predicted_easy": lambda x, s: 2 * x},
        {"predicted_distilled": lambda x, s: x / 2},
        {"cost_clone": lambda x, s: x / 5, "predicted_clone": lambda x, s: x / 5},
    ],
    "ci-must-hallucinate": [
        {"miscalibrated_best": lambda x, s: s["once"] - s["invents_best"] - 0.2},
        {"miscalibrated_tuned": lambda x, s: s["once"] - s["invents_tuned"] - 0.2},
        {"miscalibrated_over": level(0)},
        {"miscalibrated_cool": lambda x, s: s["once"] - s["invents_cool"] - 0.2},
        {"invents_tuned": lambda x, s: x[:, ::-1]},
        {"invents_best": lambda x, s: x[:, ::-1]},
        {"invents_tuned": lambda x, s: 2 * x},
        {"invents_tuned": lambda x, s: x / 2.5, "miscalibrated_tuned": level(1)},
        {"invents_best": lambda x, s: 2 * x},
        {"invents_best": lambda x, s: x / 4, "miscalibrated_best": level(1)},
        {"invents_over": level(0.1)},
        {"loss_over": lambda x, s: s["loss_best"] - 0.1},
        {"invents_cool": level(0.3)},
        {"loss_cool": lambda x, s: s["loss_best"] - 0.1},
        {"of_unseen_tuned": lambda x, s: s["invents_tuned"]},
    ],
    "ci-delusion-exact": [
        {"deluded_sampled": lambda x, s: x + 0.01},
        {"sober_greedy": lambda x, s: x + 0.01},
        {"last_deluded_sampled": level(0.5)},
        {"sure_deluded_sampled": level(0.9)},
        {"last_sober_sampled": level(0.8)},
        {"last_deluded_greedy": level(0.3)},
        {"last_sober_greedy": level(0.8)},
        {"sober_sampled": lambda x, s: np.minimum(x, 0.8)},
    ],
    "ci-delusion": [
        {"first_sampled_clone": level(0.3)},
        {"first_greedy_corrected": level(0.1)},
        {"last_sampled_clone": level(0.51), "sure_clone": level(0.95)},
        {"last_greedy_clone": level(0.4)},
        {"last_sampled_corrected": level(0.8), "sure_corrected": level(0.8)},
        {"last_greedy_corrected": level(0.85)},
        {"sure_clone": lambda x, s: s["last_sampled_clone"] + 0.2},
        {"sure_corrected": lambda x, s: s["last_sampled_corrected"] - 0.1},
        {"on_hers_clone": level(0.78), "on_hers_corrected": level(0.79)},
        {"on_hers_clone": lambda x, s: s["on_hers_corrected"] + 0.06},
    ],
}


@pytest.mark.parametrize(
    ("claim_id", "number"),
    [(c, i) for c, cases in PLANTED.items() for i in range(len(cases))],
)
def test_a_planted_sample_makes_the_predicate_false(right, claim_id, number):
    s, claim = right[0][claim_id], CLAIMS[claim_id]
    assert claim.holds(planted(s))
    assert not claim.holds(planted(s, **PLANTED[claim_id][number]))


# Against something outside the code --------------------------------------------------


@pytest.mark.parametrize("evidence", [True, False])
def test_three_turns_of_delusion_by_enumeration(evidence):
    """Bayes' rule on whole sequences, all 5 (5 · 2)^3 of them, against the recursion."""
    right = np.zeros(3)
    for theta in range(5):
        for played in itertools.product(itertools.product(range(5), (True, False)), repeat=3):
            chance = 1 / 5
            for t in range(3):
                likelihood = np.ones(5)
                for a, lamp in played[:t]:
                    for k in range(5):
                        likelihood[k] *= 0.9 if (a == k) == lamp else 0.1
                        if evidence:
                            likelihood[k] *= 0.92 if a == k else 0.02
                belief = likelihood / likelihood.sum()
                a, lamp = played[t]
                p_a = 0.92 * belief[a] + 0.02 * (1 - belief[a])
                p_lamp = 0.9 if (a == theta) == lamp else 0.1
                if a == theta and lamp:  # count each opening once
                    right[t] += chance * p_a * _rest(t)
                chance *= p_a * p_lamp
    np.testing.assert_allclose(right, delusion.exactly(evidence, False, 3)[0], atol=1e-12)


def _rest(t):
    """A prefix of t + 1 turns stands in the product 10^(2 - t) times."""
    return 1 / 10 ** (2 - t)


def test_runs_drawn_with_exact_beliefs_agree_with_the_recursion():
    """By simulation, from the tokens alone: no counting of states."""
    rng = np.random.default_rng(0)

    def choose(tokens, theta):
        acts = []
        for row in tokens:
            boxes, lamps = (row[1:] - 1) // 2, (row[1:] - 1) % 2
            log = np.zeros(5)
            for a, lamp in zip(boxes, lamps, strict=True):
                log[a] += np.log(0.92 / 0.02) + (1 if lamp else -1) * np.log(9)
            p = np.exp(log - log.max())
            p = 0.02 + 0.9 * p / p.sum()
            acts.append(rng.choice(5, p=p / p.sum()))
        return np.array(acts)

    theta, opened, _ = delusion.play(choose, 3000, rng)
    got = (opened == theta[:, None]).mean(axis=0)
    expected = delusion.exactly(True, False, delusion.TURNS)[0]
    np.testing.assert_allclose(got, expected, atol=4 * np.sqrt(0.25 / 3000))


def test_hana_opens_the_right_box_as_often_as_is_said():
    theta = np.random.default_rng(1).integers(5, size=40_000)
    right = (delusion.hana(theta, np.random.default_rng(2)) == theta).mean()
    assert delusion.HER_RIGHT == pytest.approx(0.92) == pytest.approx(right, abs=0.01)


def test_the_notes_seen_once_by_counting():
    met = np.random.default_rng(0).integers(30, size=40)
    assert inventing.once(met) == sum(n == 1 for n in Counter(met.tolist()).values()) / 40


def test_what_is_written_is_what_is_drawn():
    """Shares of invented and of unseen notes from chances, and from 6,000 notes drawn."""
    rng = np.random.default_rng(0)
    book = shop.OrderBook.draw(inventing.HOUSES, rng, inventing.LOAVES)
    way = shop.one_token(book)
    met = rng.choice(inventing.HOUSES, size=300, p=inventing.chance_of_meeting(1.0, rng))
    model = None
    for _ in range(4):
        model = inventing.go_on(model, way, met, rng)
    for temperature in (1.0, 1.5):
        g = inventing.written(*inventing.opinions(model, way), temperature)
        assert g.sum() == pytest.approx(1)
        start = np.full((6000, 1), way.index[shop.NOTE])
        drawn = model.sample(start, 2, rng, temperature)
        first, loaves = len(way.words) - inventing.HOUSES, 10 + np.arange(inventing.LOAVES)
        notes = (drawn[:, 0] >= first) & np.isin(drawn[:, 1], loaves)
        house, loaf = drawn[notes, 0] - first, drawn[notes, 1] - 10
        invented = (book.loaf[house] != loaf).mean()
        told = 1 - g[np.arange(inventing.HOUSES), book.loaf].sum()
        assert told == pytest.approx(invented, abs=0.06)


def test_miscalibration_in_closed_form():
    truth = np.array([[0.5, 0.0], [0.3, 0.0], [0.2, 0.0]])
    assert inventing.miscalibration(truth, truth) == 0
    knows = np.array([[0.625, 0], [0.375, 0], [0, 0]])  # never the third: what it misses
    bins = [(0.625, 0.5), (0.375 + 0, 0.3 + 0.2)]  # what has no mass is in the last bin
    expected = sum(abs(a - b) for a, b in bins) / 2
    assert inventing.miscalibration(knows, truth, bins=1000) == pytest.approx(expected)
    even = np.full((3, 2), 1 / 6)  # says no more than it knows, in one bin
    assert inventing.miscalibration(even, truth, bins=1) == pytest.approx(0)


def test_a_talk_is_chapter_twos_walk():
    """A model that is Hana's table word by word costs nothing, and hers are the labels."""
    rng = np.random.default_rng(0)
    world = rope.build(6, rope.mostly_still(5, 0.5), rng, recovery="expert")

    class Table:
        def next_probabilities(self, tokens):
            felt = tokens[:, -1] - world.n_actions
            seen = np.stack([np.zeros_like(felt), felt], axis=1)
            return np.eye(talking.n_tokens(world))[world.expert(seen)]

    assert not rope.walk(world, talking.Talker(world, Table()), 50, rng).any()

    class Wrong(Table):
        def next_probabilities(self, tokens):
            p = super().next_probabilities(tokens)[:, : world.n_leans]
            return np.pad(np.roll(p, 1, axis=1) + 1e-9, ((0, 0), (0, 8)))

    tokens, labels = talking.his(world, 20, rng, Wrong())
    felt = tokens[:, ::2] - world.n_actions
    hers = [world.expert(np.stack([np.full(20, t), felt[:, t]], 1)) for t in range(6)]
    np.testing.assert_array_equal(labels[:, 1::2], np.stack(hers, axis=1))
    assert (tokens[:, ::2] == labels[:, ::2]).all()
    assert (labels[:, 3::2] == world.climb).all() and (tokens != labels)[:, 1::2].all()


def test_the_distilled_model_has_as_many_labels_as_the_clone(monkeypatch):
    sizes = []
    made = talking.study

    def spy(world, pile, rng, updates=1):
        sizes.append(len(pile[0]))
        return made(world, pile, rng, updates=1)

    monkeypatch.setattr(talking, "study", spy)
    rng = np.random.default_rng(0)
    world = rope.build(4, rope.mostly_still(3, 0.5), rng, recovery="expert")
    talking.distil(world, rng)
    assert sizes == [16, 32, 48, 64] and talking.TALKS == 64


def test_who_reads_on_says_what_the_model_says():
    """After each word of a text, after some more, and of another text."""
    rng = np.random.default_rng(0)
    with torch.random.fork_rng(devices=[]):
        network = language.Transformer(7, 12, width=8, layers=2).eval()
    model = language.LanguageModel(network, 6, np.empty(0))
    reader = Reader(model)
    for text in rng.integers(7, size=(2, 5, 12)):
        for n in (1, 2, 3, 7, 12, 12, 4):
            said, right = (m.next_probabilities(text[:, :n]) for m in (reader, model))
            np.testing.assert_allclose(said, right, atol=1e-6)


def test_a_lesson_is_remembered_and_no_other_is():
    """The pupil, and the dice after it; other words, dice, numbers or parts are learned."""
    lessons = []

    def fit(tokens, answer, **options):
        lessons.append(options)
        return language.cloning.fit(tokens, answer, **options)

    text, learn = np.arange(12).reshape(4, 3) % 5, np.tile([False, True, True], (4, 1))
    remembered = remembering(fit, (language.Transformer, "forward"))
    after = []
    for _ in range(2):
        rng = np.random.default_rng(0)
        pupil = remembered(text, learn, n_tokens=5, updates=2, rng=rng)
        after.append((pupil.network.out.weight.tolist(), rng.random()))
    assert len(lessons) == 1 and after[0] == after[1]
    rng = np.random.default_rng(0)
    own = language.cloning.fit(text, learn, n_tokens=5, updates=2, rng=rng)
    assert after[0] == (own.network.out.weight.tolist(), rng.random())
    other = [(text[::-1], 0, 2, None), (text, 1, 2, None), (text, 0, 3, None), (text, 0, 2, own)]
    for n, (words, seed, updates, start) in enumerate(other, 2):
        for _ in range(2):
            rng = np.random.default_rng(seed)
            remembered(words, learn, n_tokens=5, updates=updates, start=start, rng=rng)
        assert len(lessons) == n
    with pytest.MonkeyPatch.context() as patch:
        forward = language.Transformer.forward
        patch.setattr(language.Transformer, "forward", lambda *args: -forward(*args))
        remembered(text, learn, n_tokens=5, updates=2, start=own, rng=np.random.default_rng(0))
    assert len(lessons) == 6


def test_the_last_word_reads_as_far_as_a_row_goes():
    with torch.random.fork_rng(devices=[]):
        network = language.Transformer(7, 5, 8, 2).eval()
    tokens = np.array([[3, 1, 4, 1, 5]])
    data = talking.pairs(tokens, np.array([[False, True, False, True, True]]))
    assert isinstance(data, Demonstrations)
    assert data.observations.tolist() == [[3, -1, -1, -1, -1], [3, 1, 4, -1, -1], [3, 1, 4, 1, -1]]
    z = network(torch.from_numpy(tokens))[0].log_softmax(1)
    expected = -(z[0, 1] + z[2, 1] + z[3, 5]).item() / 3
    assert bc.nll(talking.as_clone(network), data) == pytest.approx(expected, abs=1e-6)
