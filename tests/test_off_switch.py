"""The off-switch, people who err and people who explain, against integrals and brute force."""

from itertools import product

import numpy as np
import pytest
from scipy.integrate import quad

from imitlib.cirl import off_switch
from imitlib.cirl.assistance import OneShot, random_one_shot
from imitlib.cirl.belief import follow
from imitlib.cirl.off_switch import ACT, OFF, WAIT
from imitlib.cirl.plans import adapted
from imitlib.cirl.solvers import exhaustive
from imitlib.cirl.teachers import belief_after, erring, losses, watched
from imitlib.cirl.telling import errand, errand_value

# The off-switch -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mu", "beta", "gain"),
    [(0, 0, 0.39894), (0, 0.5, 0.303), (0, 1, 0.207), (0, 2, 0.118),
     (0.75, 0, 0.131), (0.75, 0.5, 0.042), (0.75, 1, -0.072), (0.75, 2, -0.195)],
)  # fmt: skip
def test_gains_worked_out_elsewhere(mu, beta, gain):
    assert off_switch.gain(mu, 1, beta) == pytest.approx(gain, abs=6e-4)


@pytest.mark.parametrize(("mu", "sigma", "beta"), [
    (0.3, 1.0, 0.5), (-0.7, 0.4, 2.0), (1.5, 2.0, 0.1), (-0.2, 1.3, 0.0), (0.0, 0.7, 0.01),
    (2.0, 0.05, 3.0),
])  # fmt: skip
def test_the_gain_is_its_integral(mu, sigma, beta):
    """From the definition: E[π(U) U] - max(μ, 0), by adaptive quadrature."""

    def integrand(u):
        density = np.exp(-0.5 * ((u - mu) / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))
        return (float(u > 0) if beta == 0 else 1 / (1 + np.exp(-u / beta))) * u * density

    cuts = [mu - 10 * sigma, *sorted({0.0, -0.1, 0.1, mu}), mu + 10 * sigma]
    cuts = [c for c in sorted(cuts) if abs(c - mu) <= 10 * sigma]
    whole = sum(quad(integrand, a, b, limit=200)[0] for a, b in zip(cuts, cuts[1:]))
    assert off_switch.gain(mu, sigma, beta) == pytest.approx(whole - max(mu, 0), abs=1e-9)


def test_only_the_size_of_mu_matters_and_certainty_only_loses():
    mu = np.linspace(0, 3, 7)
    for beta in (0, 0.5, 3):
        np.testing.assert_allclose(off_switch.gain(mu, 1, beta), off_switch.gain(-mu, 1, beta))
    lost = (1 - off_switch.allows(2.0, 1.0)) * 2.0
    assert off_switch.gain(2.0, 0.0, 1.0) == pytest.approx(-lost)
    assert off_switch.gain(2.0, 0.0, 0.0) == 0
    assert off_switch.gain(0.5, 1, 1e-2) == pytest.approx(off_switch.gain(0.5, 1, 0), abs=1e-4)


def test_the_boundary_is_where_waiting_turns_to_a_gain():
    for mu, beta in product((-2, -0.3, 0.1, 1), (0.05, 0.5, 2)):
        edge = np.sqrt(2 * beta * abs(mu))
        assert off_switch.boundary(mu, beta) == pytest.approx(edge)
        below, above = off_switch.choose(mu, [0.99 * edge, 1.01 * edge], beta)
        assert (below, above) == (ACT if mu > 0 else OFF, WAIT)
    assert off_switch.boundary(1, 0) == 0
    assert off_switch.choose(1, 0.3, 0) == WAIT
    assert off_switch.choose([1, -1], 0, 0).tolist() == [ACT, OFF]


def test_what_she_allows_and_what_choices_are_worth():
    np.testing.assert_allclose(off_switch.allows([-1, 0, 1], 0), [0, 0.5, 1])
    np.testing.assert_allclose(off_switch.allows([0, np.log(3)], 1), [0.5, 0.75])
    got = off_switch.worth([OFF, ACT, WAIT], -2.0, 1.0)
    np.testing.assert_allclose(got, [0, -2, -2 / (1 + np.exp(2))])


def test_learning_is_bayes_rule_on_a_grid():
    u = np.linspace(-12, 12, 40_001)
    seen = [0.4, 1.9, -0.3]
    log = -0.5 * ((u - 0.5) / 1.5) ** 2 - sum(0.5 * ((y - u) / 2) ** 2 for y in seen)
    p = np.exp(log - log.max())
    p /= p.sum()
    mean = (p * u).sum()
    spread = np.sqrt((p * (u - mean) ** 2).sum())
    np.testing.assert_allclose(off_switch.learn(0.5, 1.5, 2, np.mean(seen), 3), (mean, spread),
                               rtol=1e-8)  # fmt: skip
    belief = (0.5, 1.5)
    for y in seen:
        belief = off_switch.learn(*belief, 2, y, 1)
    np.testing.assert_allclose(belief, (mean, spread), rtol=1e-8)
    assert off_switch.learn(0.5, 1.5, 2, 99, 0) == (0.5, 1.5)


@pytest.mark.parametrize(("n", "beta"), [(0, 0.5), (0, 3.0), (1, 0.5), (6, 0.5), (6, 0.0)])
def test_the_share_that_waits_comes_out_when_played(n, beta):
    rng = np.random.default_rng(n)
    true = 0.3 + rng.normal(size=20_000)
    seen = true + 2 / np.sqrt(max(n, 1)) * rng.normal(size=true.shape)
    choice = off_switch.choose(*off_switch.learn(0.3, 1, 2, seen, n), beta)
    share = off_switch.share_waiting(0.3, 1, beta, 2, n)
    assert (choice == WAIT).mean() == pytest.approx(share, abs=0.015)


@pytest.mark.parametrize(("call", "words"), [
    (lambda: off_switch.gain(0, -1, 1), "sigma holds -1.0; it must be finite and 0 or more"),
    (lambda: off_switch.gain(0, 1, np.nan), "beta holds nan"),
    (lambda: off_switch.gain(0, 1, 1e-4), "beta is 0.0001 times sigma"),
    (lambda: off_switch.learn(0, 1, 0, 0, 1), "noise holds 0.0; it must be finite and above 0"),
    (lambda: off_switch.learn(0, 1, 1, 0, 1.5), "n is 1.5; it must be a whole number"),
    (lambda: off_switch.worth(3, 0, 1), "choice holds 3; legal"),
])  # fmt: skip
def test_bad_input_to_the_off_switch(call, words):
    with pytest.raises(ValueError, match=words):
        call()


# People who err -------------------------------------------------------------------------


@pytest.fixture
def game():
    return random_one_shot(np.random.default_rng(3), 3, 4, 5)


def test_odds_are_as_written(game):
    lean = np.array([0, 1.0, 0, -2.0])
    rule = erring(game, 0.7, lean)
    np.testing.assert_allclose(rule.sum(axis=1), 1)
    for goal in range(3):
        for m in range(4):
            odds = np.log(rule[goal, m] / rule[goal, 0])
            told = game.hers[goal, m] + lean[m] - game.hers[goal, 0] - lean[0]
            assert odds == pytest.approx(told / 0.7)
    np.testing.assert_allclose(erring(game, 0.7, 5.0), erring(game, 0.7))
    assert (erring(game, 1e-4).argmax(axis=1) == game.literal_human()).all()
    assert erring(game, 1e-4).max(axis=1) == pytest.approx(1)


def test_what_was_watched_is_counted(game):
    rule, chance = erring(game, 1.0), np.random.default_rng(0).random((3, 2, 7))
    counts = watched(rule, chance)
    assert counts.shape == (3, 2, 8, 4) and (counts[:, :, 0] == 0).all()
    for goal, r, n in product(range(3), range(2), range(8)):
        moves = [next(m for m in range(4) if x < rule[goal, : m + 1].sum() or m == 3)
                 for x in chance[goal, r, :n]]  # fmt: skip
        assert counts[goal, r, n].tolist() == np.bincount(moves, minlength=4).tolist()
    many = watched(rule, np.random.default_rng(1).random((3, 1, 20_000)))[:, 0, -1] / 20_000
    np.testing.assert_allclose(many, rule, atol=0.015)


def test_beliefs_are_those_of_bayes_rule(game):
    rules = np.array([erring(game, t) for t in (0.5, 2.0)])
    prior, moves = np.array([0.5, 0.3, 0.2]), [0, 2, 2, 3, 1]
    counts = np.bincount(moves, minlength=4)
    for rule in rules:
        one_by_one = follow(prior, [rule] * 5, moves)
        np.testing.assert_allclose(belief_after(counts, rule, prior), one_by_one)
    joint = prior * rules[:, :, moves].prod(axis=-1)
    np.testing.assert_allclose(belief_after(counts, rules, prior), joint.sum(0) / joint.sum())
    np.testing.assert_allclose(belief_after(0 * counts, rules, prior), prior)
    long = belief_after(500 * np.array([counts, counts]), rules, prior)
    assert long.shape == (2, 3) and np.isfinite(long).all()


def test_losses_are_true_ones(game):
    belief = np.random.default_rng(0).dirichlet(np.ones(3), size=(3, 2))
    got = losses(game, belief)
    for goal, r in product(range(3), range(2)):
        worths = [sum(belief[goal, r] * game.his[:, a]) for a in range(5)]
        act = int(np.argmax(worths))
        assert got[goal, r] == pytest.approx(max(game.his[goal]) - game.his[goal, act])
    assert (losses(game, np.eye(3)) == 0).all()


@pytest.mark.parametrize(("call", "words"), [
    (lambda g: erring(g, 0), "temperature is 0; it must be finite and above 0"),
    (lambda g: erring(g, 1, [1, 2]), r"leaning has shape \(2,\); .* 4 moves"),
    (lambda g: watched(erring(g, 1), np.zeros((2, 1, 1))), r"chance has shape \(2, 1, 1\)"),
    (lambda g: belief_after(np.zeros(4), np.ones((2, 4)), g.prior), "rules has shape"),
])  # fmt: skip
def test_bad_input_to_those_who_err(game, call, words):
    with pytest.raises(ValueError, match=words):
        call(game)


# An errand with words -------------------------------------------------------------------


@pytest.mark.parametrize("shown", [("what",), ("what", "why")])
def test_the_errand_solved_is_the_errand_by_hand(shown):
    rng = np.random.default_rng(0)
    for _ in range(6):
        chances, price = {"why": rng.uniform(0, 0.4)}, rng.uniform(0.01, 1)
        usual, stake = rng.uniform(0.5, 0.95), rng.uniform(0.5, 2.5)
        game = errand(chances, price, usual, stake, shown)
        value = errand_value(chances, price, usual, stake, shown)
        assert exhaustive(game).value == pytest.approx(value, abs=1e-12)
        assert adapted(game).value == pytest.approx(value, abs=1e-12)


def test_the_errand_as_a_table_of_one_signal_and_one_act():
    """The same as OneShot: his act is a plan for both questions, hers one of four."""
    chance, price, usual, stake = 0.3, 0.1, 0.8, 1.5
    goals = list(product((0, 1), repeat=2))
    hers = [[(deed == what) - price * word for deed, word in goals] for what, _ in goals]
    his = [[0.7 * 2 * (a == what) + chance * stake * (b == why) for a, b in goals]
           for what, why in goals]  # fmt: skip
    prior = [0.5 * (usual, 1 - usual)[why] for _, why in goals]
    game = errand({"why": chance}, price, usual, stake)
    assert exhaustive(game).value == pytest.approx(OneShot(hers, his, prior).optimum())


def test_how_and_why_together():
    both = {"how": 0.2, "why": 0.2}
    assert adapted(errand(both)).value == pytest.approx(errand_value(both, 0.2, 0.7, 2.0))
    lost = 2 * 0.2 * 2 * 0.3  # a mute Hana: he guesses the usual how and why
    assert adapted(errand(both, mute=True)).value == pytest.approx(1 + 0.6 * 2 + 0.8 - lost)
    more = adapted(errand(both, 0.4)).value - errand_value(both, 0.4, 0.7, 2.0)
    assert more > 0.03  # one word for either of the unusual cases: a code of their own


@pytest.mark.parametrize(("given", "words"), [
    ({"chances": {"why": 0.7, "how": 0.4}}, "chances is .*sum to at most 1"),
    ({"chances": {"why": -0.1}}, "chances is"),
    ({"usual": 0.4}, r"usual is 0.4; it must be in \[0.5, 1\]"),
    ({"shown": ("who",)}, r"shown is \('who',\); legal: what, how, why"),
])  # fmt: skip
def test_bad_input_to_the_errand(given, words):
    with pytest.raises(ValueError, match=words):
        errand(**given)
