"""The claims about one walk to learn from, and the mistakes that break them."""

from functools import cache

import numpy as np
import pytest

from imitlib import planning
from imitlib.chapters.ch09 import long_walks, showing
from imitlib.cirl.showing import Walks
from imitlib.experiments import over_seeds
from wrong_libraries import along, each, must_refute, planted

CLAIMS = {c.id: c for c in (*showing.CLAIMS, *long_walks.CLAIMS)}
SEEDS = {"cirl-apprenticeship": (13, 21), "cirl-apprenticeship-long": (1,)}
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def smaller():
    """Fewer fields than the recorded samples have; mistakes are not subtle."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(showing, "WORLDS", 25)
        patch.setattr(showing, "COLD_WORLDS", 6)
        patch.setattr(long_walks, "SIDE", 9)
        patch.setattr(long_walks, "STEPS", 6)
        patch.setattr(long_walks, "WORLDS", 20)
        yield


def measured(claim_id):
    return over_seeds(CLAIMS[claim_id].measure, SEEDS[claim_id], progress=False)


@pytest.fixture(scope="module")
def right(smaller):
    """What the right library measures, each claim once, when it is asked for."""
    return cache(measured)


@pytest.mark.parametrize("claim_id", CLAIMS)
def test_the_right_library_satisfies_the_predicate(right, claim_id):
    assert CLAIMS[claim_id].holds(right(claim_id)) is True


# Wrong libraries --------------------------------------------------------------------


def rollo_does_not_look(monkeypatch):
    before = Walks.read
    monkeypatch.setattr(Walks, "read", lambda self, shown, l2, start=None: before(
        self, 0 * shown + self.features.mean(axis=0), l2))  # fmt: skip


def regret_is_counted_by_what_rollo_believes(monkeypatch):
    """What it loses by its own lights, by acting as one who knows would."""

    def losses(mdp, features, theta, believed, steps):
        def paid(of):
            return (of @ features.T)[..., mdp.transitions]

        knowing = planning.backward_induction(mdp, steps, reward=paid(theta)).policy
        hoped = planning.backward_induction(mdp, steps, reward=paid(believed)).values[0]
        worth = np.zeros_like(hoped)
        for policy in knowing[::-1]:
            worth = ((paid(believed) + worth[:, mdp.transitions]) * policy).sum(axis=-1)
        return hoped - worth

    monkeypatch.setattr(showing, "losses", losses)


def she_shows_her_best_walk_anyway(monkeypatch):
    for module in (showing, long_walks):
        monkeypatch.setattr(module, "response", lambda hers, his, weight=1.0: (
            int(hers.argmin()), his(np.array([hers.argmin()]))[0]))  # fmt: skip


def her_own_walk_is_free(monkeypatch):
    before = showing.response
    monkeypatch.setattr(showing, "response", lambda hers, his, weight=1.0: before(hers, his, 0))


def the_heuristic_flees_what_it_should_match(monkeypatch):
    def heuristic(self, theta, etas):
        worth = self.features @ theta
        far = ((self.features - self.chances(theta)[1] @ self.features) ** 2).sum(axis=1)
        return np.array([(worth + eta * far).argmax() for eta in etas])

    monkeypatch.setattr(Walks, "heuristic", heuristic)


def the_heuristic_is_her_best_walk(monkeypatch):
    before = Walks.heuristic
    monkeypatch.setattr(Walks, "heuristic", lambda self, theta, etas: before(
        self, theta, np.zeros(len(etas))))  # fmt: skip


def the_estimate_has_no_normaliser(monkeypatch):
    """θ·φ is raised as far as the prior allows, whatever other walks would have met."""
    monkeypatch.setattr(Walks, "read", lambda self, shown, l2, start=None: shown / l2)


def rollo_reads_her_as_ever(monkeypatch):
    monkeypatch.setattr(showing, "replace", lambda walks, temperature: walks)


MUTANTS = {
    "cirl-apprenticeship": [
        rollo_reads_her_as_ever,
        rollo_does_not_look, regret_is_counted_by_what_rollo_believes,
        she_shows_her_best_walk_anyway, her_own_walk_is_free,
        the_heuristic_flees_what_it_should_match, the_heuristic_is_her_best_walk,
        the_estimate_has_no_normaliser,
    ],
    "cirl-apprenticeship-long": [
        she_shows_her_best_walk_anyway, the_heuristic_is_her_best_walk,
    ],
}  # fmt: skip


@each(MUTANTS)
def test_a_wrong_library_makes_the_predicate_false(monkeypatch, right, claim_id, mutant):
    fine = right(claim_id)
    mutant(monkeypatch)
    must_refute(CLAIMS[claim_id], fine, measured(claim_id))


# Every clause counts ----------------------------------------------------------------

ETA = [0.0] * len(showing.ETAS)
EACH = {
    "expert": 0.1, "expert_mean": 0.1, "response_both": -0.03, "response_both_mean": -0.03,
    "lesson_his": -0.08, "for_both_both": -0.004, "for_it_his": -0.015, "nearest_both": 0.15,
    "wrong_by_eta": along(ETA, 3, -0.05), "apart_by_eta": along(ETA, 3, -0.02),
    "his_by_eta_anywhere": along(ETA, 4, -0.04), "both_by_eta_anywhere": along(ETA, 4, 0.3),
    "his_by_eta": [0.0, -0.01, 0.0, 0.0, -0.03, 0.09], "at_random": 1.4, "at_prior": 1.3,
    "best_by_eta": [0.9, 0.7, 0.5, 0.2, 0.1, 0], "expert_by_temperature": [0.1, 0.05, 0.01],
    "saved_by_temperature": [0.03, 0.01, 0.002],
    "expert_anywhere_by_temperature": [0.12, 0.1, 0.09],
    "saved_anywhere_by_temperature": [0.012, 0.01, 0.015],
}  # fmt: skip
SHOWING = {f"{n}_{k}": v for k in showing.FEATURES for n, v in EACH.items()} | {
    "violations": 0, "expert_anywhere_3": 0.12, "expert_anywhere_10": 0.4}  # fmt: skip
LONG_EACH = {
    "expert": 0.1, "response_both": -0.04, "both_by_eta": [-0.001, 0.4, 0.9],
    "wrong_by_eta": [-0.01, -0.1, -0.15],
}  # fmt: skip
LONG = {f"{n}_{k}": v for k in showing.FEATURES for n, v in LONG_EACH.items()} | {"violations": 0}
BROKEN = [
    (showing.showing_holds, SHOWING, [
        {"violations": 1}, {"his_by_eta_10": along(ETA, 5, 0.02)},
        {"his_by_eta_3": [0, 0, 0, 0, -0.019, 0]}, {"his_by_eta_10": [0, -0.021, 0, 0, 0, 0.09]},
        {"expert_anywhere_3": 0.21}, {"expert_anywhere_10": 0.19},
        *({f"{name}_{k}": value} for k in showing.FEATURES for name, value in {
            "response_both": -0.015, "response_both_mean": -0.019, "lesson_his": -0.029,
            "for_both_both": -0.02, "for_it_his": -0.045, "nearest_both": 0.04,
            "wrong_by_eta": along(ETA, 3, -0.01), "apart_by_eta": along(ETA, 3, 0.001),
            "his_by_eta_anywhere": along(ETA, 4, -0.005),
            "both_by_eta_anywhere": along(ETA, 4, 0.09),
            "at_random": 0.99, "at_prior": 0.99, "best_by_eta": [0.79, 0.7, 0.5, 0.2, 0.1, 0],
            "saved_by_temperature": [0.03, 0.031, 0.002],
            "saved_anywhere_by_temperature": [0.012, 0.01, 0.005],
            "expert_by_temperature": [0.1, 0.11, 0.01],
            "expert_anywhere_by_temperature": [0.12, 0.1, 0.05],
        }.items()),
        *({f"{name}_by_temperature_{k}": value} for k in showing.FEATURES for name, value in (
            ("saved", [0.03, 0.01, 0.008]), ("expert", [0.1, 0.05, 0.03]))),
    ]),
    (long_walks.long_holds, LONG, [
        {"violations": 1},
        *({f"{name}_{k}": value} for k in showing.FEATURES for name, value in {
            "response_both": -0.019, "both_by_eta": [-0.03, 0.4, 0.9],
            "wrong_by_eta": [-0.01, -0.1, -0.04],
        }.items()),
        *({f"both_by_eta_{k}": [-0.001, 0.4, 0.2]} for k in showing.FEATURES),
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("holds", "good", "changes"), BROKEN,
                         ids=[row[0].__name__ for row in BROKEN])  # fmt: skip
def test_each_clause_of_a_predicate_can_fail(holds, good, changes):
    assert holds(planted(good)) is True
    for change in changes:
        assert holds(planted(good, **change)) is False, change


def test_what_is_derived():
    alone = {"response_his_3": -0.05, "response_his_10": -0.04,
             "response_both_anywhere_3": -0.03, "response_both_anywhere_10": -0.04}  # fmt: skip
    got = showing.showing_derived(planted(SHOWING | alone))
    there = {
        "response_saves": 0.03, "response_share": 0.3, "lesson_saves": 0.08,
        "for_it_saves": 0.015, "nearer": 0.05, "less_apart": 0.02, "largest_costs_it": 0.09,
        "anywhere_saves": 0.04, "anywhere_costs": 0.3, "belief_loses_more": 0,
        "told": 1 - 0.1 / 1.4,
    }  # fmt: skip
    for k, costs in ((3, 0.02), (10, 0.01)):
        for name, value in (there | {"response_costs": costs}).items():
            assert got[f"{name}_{k}"] == pytest.approx(value), name
        for name, value in (("for_it", (0.3, 0.1)), ("anywhere", (1 / 3, 0.1)),
                            ("response_anywhere", (0.25, 0.1))):  # fmt: skip
            for end in ("", ".low", ".high"):
                assert got[f"{name}_share_{k}{end}"] == pytest.approx(value[k == 10])
    assert len(got) == 2 * (len(there) + 1 + 9)
    long = long_walks.long_derived(planted(LONG, expert_10=0.16))
    assert long == pytest.approx(
        {"saves_3": 0.04, "saves_10": 0.04, "share_3": 0.4, "share_10": 0.25})


def test_a_share_that_is_the_same_on_every_seed_is_sure():
    """However much the whole varies; else it is as unsure as the rest that is left."""
    whole = np.array([1.0, 2, 3, 4])
    assert showing.share("x", whole / 5, whole) == pytest.approx(dict.fromkeys(
        ("x", "x.low", "x.high"), 0.2))
    got = showing.share("x", whole / 5 + [0.1, -0.1, -0.1, 0.1], whole)
    half = 3.182446 * 0.1 * np.sqrt(4 / 3) / 2.5 / 2  # three degrees of freedom
    assert got == pytest.approx({"x": 0.2, "x.low": 0.2 - half, "x.high": 0.2 + half}, abs=1e-6)


@pytest.mark.parametrize("better", ["nothing", *range(len(long_walks.ETAS))])
def test_whatever_beats_the_best_response_is_counted(monkeypatch, better):
    """Her best walk itself, or one of the heuristic, in one field of two."""
    names = ("response", *range(len(long_walks.ETAS)))
    added = {("", name): np.array([[0.0, -0.1], [0.2, 0.3]]) for name in names}
    added["", "response"] = np.array([[0.0, -0.1], [0.0, 0.05 if better == "nothing" else -0.1]])
    if better != "nothing":
        added["", better][1] = [-0.3, -0.15]
    added |= {("wrong", name): np.zeros((2, 1)) for name in names}
    monkeypatch.setattr(long_walks, "long_world", lambda rng, k: None)
    monkeypatch.setattr(long_walks, "paired", lambda rows: ({"": 0.2, "wrong": 0.0}, added))
    assert long_walks.measure_long(0)["violations"] == len(showing.FEATURES)


def test_differences_are_taken_world_by_world():
    rows = [{("", "expert"): np.array([a, a + 1]), ("", 0): np.array([3.0, 1])} for a in (1.0, 4)]
    expert, added = showing.paired(rows)
    assert expert == {"": 2.5} and (added["", "expert"] == 0).all()
    assert added["", 0].tolist() == [[2, -1], [-1, -4]]


def test_the_figure_carries_its_numbers_in_words(right):
    from imitlib.figures import png

    s = right("cirl-apprenticeship")
    fig, alt = showing.fig_showing(s)
    assert png(fig)[:4] == b"\x89PNG"
    for k in showing.FEATURES:
        assert showing.signed(s.mean(f"response_both_{k}")) in alt
        assert showing.signed(s[f"both_by_eta_{k}"][:, 2].mean()) in alt
    marks = fig.axes[0].lines[4]  # of each column: the seeds, and their mean
    np.testing.assert_allclose(marks.get_ydata(), s["response_both_3"])
