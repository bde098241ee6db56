"""Details of the rooms that larger tests would let pass, one at a time."""

import html
import json
import os
import re
from dataclasses import replace

import gymnasium
import numpy as np
import pytest
import torch

from imitlib import bc, claims, dagger, experts, figures
from imitlib.envs import detour
from imitlib.envs import kitchen as k
from imitlib.envs import kitchen_features as see
from imitlib.envs import tightrope as rope
from imitlib.envs.kitchen_people import load_human_play
from imitlib.envs.lane import GRID, Lane, Street
from imitlib.experiments import Interval, interval, over_seeds
from imitlib.exploring import explore
from test_bc import data, seeded, weights
from test_claims import coin, folder, planted
from test_kitchen import walks
from test_lane import STILL, STRAIGHT, lane_at, last_state


# lane
def test_the_map_shows_the_bends_ahead():
    lane = lane_at(Street(ahead=(0.0, 2.0, 5.0)), [0.0], [0.0])
    lane.metres[:] = 3.3
    lane.curvature(40.0)
    place = GRID * np.arange(lane.road.shape[1])
    expected = np.interp([3.3, 5.3, 8.3], place, lane.road[0])
    np.testing.assert_allclose(lane.observe()[0, 2:], expected)
    assert np.ptp(expected) > 1e-3


def test_the_wheel_has_stops():
    far, stop = (last_state(STRAIGHT, u, 0.5) for u in (1.2, STRAIGHT.max_steer))
    np.testing.assert_array_equal(far, stop)


def test_the_first_bend_is_as_wide_as_the_others():
    lane = Lane(replace(STILL, bend=0.05), 4000, np.random.default_rng(1))
    assert lane.road[:, 0].std() == pytest.approx(0.05, rel=0.05)


# tightrope
def test_beta_is_the_experts_share_of_the_walk():
    world = rope.Tightrope(np.array([[0, 1]]), np.array([0.5, 0.5]), 2)
    demos = rope.in_world(world, 20_000)(
        lambda seen: 1 - seen[:, 1], 0.3, np.random.default_rng(0)
    )
    assert (demos.rewards == 0).mean() == pytest.approx(0.3, abs=0.015)


def test_every_lean_is_sometimes_right():
    world = rope.build(
        1, rope.mostly_still(4000, 0.5), np.random.default_rng(0), n_leans=5
    )
    np.testing.assert_allclose(
        np.bincount(world.right[0], minlength=5) / 4001, 0.2, atol=0.03
    )


# detour
def test_a_wobble_turns_no_cart_beyond_45_degrees():
    moved = detour.Detour().move(
        np.zeros(1000), np.ones(1000), np.random.default_rng(0)
    )
    assert moved.max() == 0.5 and moved.min() < 0.5


def test_the_hole_has_both_its_ends():
    lost = [
        bool(detour.Detour().lost(m, np.zeros(1))[0]) for m in (3.5, 4, 4.5, 5, 5.5)
    ]
    assert lost == [False, True, True, True, False]


def test_she_swerves_somewhere_in_the_range():
    world = detour.Detour(swerve=(0.0, 2.0), wobble=0.0, start_spread=0.0)
    done = detour.demonstrate(world, 400, np.random.default_rng(0)).actions.reshape(
        400, -1
    )
    first = (done != 0).argmax(1) * world.step
    assert set(first) == {2.5, 3.0, 3.5, 4.0}


# kitchen
@pytest.fixture(scope="module")
def play():
    return load_human_play()


def squares(kitchen, objects, target):
    out = np.zeros((5, 9), bool)
    for (y, x), c in np.ndenumerate(kitchen.terrain):
        thing = objects[y, x]
        out[y, x] = {
            "onion": c == "O" or (c == "X" and thing == 1),
            "dish": c == "D" or (c == "X" and thing == 2),
            "pot with room": c == "P" and thing < 1300,
            "pot cooking": c == "P" and 1300 <= thing < 1320,
            "pot ready": c == "P" and thing >= 1320,
            "hatch": c == "S",
            "free counter": c == "X" and thing == 0,
        }[target]
    return out


@pytest.mark.parametrize("layout", k.LAYOUTS)
def test_all_seven_targets_in_words(play, layout):
    moments = play.of(layout)
    rows = np.random.default_rng(3).choice(len(moments), 60, replace=False)
    kitchen, state = k.Kitchen(layout), moments.state[rows]
    cells, apart = walks(kitchen)
    features = see.hand_features(kitchen, state)
    for g in range(60):
        for i, target in enumerate(see.TARGETS):
            there = squares(kitchen, state.objects[g], target)
            beside = [
                j
                for j, (y, x) in enumerate(cells)
                if any(there[y + dy, x + dx] for dx, dy in k.STEP[:4])
            ]
            for player in (0, 1):
                x, y = state.position[g, player]
                steps = min(apart[cells.index((y, x)), beside], default=np.inf)
                reach = steps <= see.FAR
                fx, fy = kitchen.faced(state)[g, player]
                want = [
                    float(reach),
                    min(steps, see.FAR) / see.FAR,
                    float(there[fy, fx]),
                ]
                assert features[
                    g, player, [i, 7 + i, 14 + i]
                ].tolist() == pytest.approx(want), target


def test_hands_neighbours_partner_and_pots_written_out():
    kitchen = k.Kitchen("cramped_room")
    state = k.State(
        np.array([[[1, 1], [2, 1]]]),
        np.array([[k.SOUTH, k.WEST]]),
        np.array([[k.ONION, 1320]]),
        kitchen.start().objects,
    )
    state.objects[0, 0, 2] = 1310
    row = see.hand_features(kitchen, state)[0, 0, 49:]
    assert row[:8].tolist() == [0, 1, 0, 0, 0, 0, 0, 1]  # my onion, the partner's soup
    assert row[8:16].tolist() == [
        0,
        1,
        0,
        0,
        0,
        0,
        0,
        1,
    ]  # I look south, the other west
    assert row[16:20].tolist() == [1, 0, 0, 1]  # counters north and west
    assert row[20:24].tolist() == [0, 0, 1, 0]  # the partner to the east
    assert row[24:26].tolist() == pytest.approx([1 / 12, 0])
    assert row[26:31].tolist() == [0, 0, 0, 1, 0.5]  # the pot is full, half cooked


def test_the_two_sides_of_the_split_share_no_game(play):
    for layout in k.LAYOUTS:
        fitted, judged = play.of(layout, False), play.of(layout, True)
        assert (
            judged.test.all()
            and not fitted.test.any()
            and len(fitted) > len(judged) > 0
        )
        assert len(fitted) + len(judged) == len(play.of(layout))
        assert not set(fitted.game) & set(judged.game)


# bc
def test_weight_decay_is_ridge_regression():
    demos = data(80, k=2)
    x, y = ((a - a.mean(0)) / a.std(0) for a in (demos.observations, demos.actions))
    ridge = np.linalg.solve(x.T @ x / 80 + 0.5 * np.eye(3), x.T @ y / 80)
    clone = bc.fit(
        demos, hidden=(), batch=80, updates=600, lr=0.05, weight_decay=0.5, rng=seeded()
    )
    np.testing.assert_allclose(clone.network[0].weight.detach().T, ridge, atol=1e-3)


def dropping():
    return torch.nn.Sequential(
        torch.nn.Linear(3, 9), torch.nn.Dropout(), torch.nn.Linear(9, 3)
    )


def test_watching_changes_nothing_with_dropout_either():
    network = dropping()
    alone, watched = (
        bc.fit(data(), network=network, updates=40, held_out=h, rng=seeded())
        for h in (None, data(seed=8))
    )
    assert torch.equal(weights(alone), weights(watched))


def test_a_clone_with_dropout_comes_back_at_rest(tmp_path):
    clone = bc.fit(data(), network=dropping(), updates=5, rng=seeded())
    clone.save(tmp_path / "c")
    back, seen = bc.Clone.load(tmp_path / "c", dropping().train()), data().observations
    np.testing.assert_array_equal(back.probabilities(seen), clone.probabilities(seen))


@pytest.mark.parametrize("head", ["gaussian", "mixture"])
def test_two_commands_are_drawn_apart(head):
    clone = bc.fit(data(k=2), head=head, components=1, updates=20, rng=seeded())
    assert head == "gaussian" or clone.head.components == 1
    drawn = clone.sample(np.repeat(data().observations[:1], 4000, 0), seeded())
    assert abs(np.corrcoef(drawn.T)[0, 1]) < 0.08


# experts, dagger
def test_the_formula_with_other_gains_and_another_wheelbase():
    steer = experts.lane_expert(Street(wheelbase=2.0), to_middle=0.1, to_straight=0.3)
    got = steer(np.array([[0.2, -0.1, 0.15]]))
    assert got[0, 0] == pytest.approx(np.arctan(0.3) - 0.02 + 0.03)


def test_every_episode_of_dagger_starts_elsewhere():
    collect = dagger.in_env(gymnasium.make("CartPole-v1"), experts.cartpole, 3)
    demos = collect(None, 1.0, np.random.default_rng(0))
    starts = demos.observations[np.searchsorted(demos.episodes, [0, 1, 2])]
    assert len(np.unique(starts, axis=0)) == 3


# minari
def test_rewards_with_holes_are_refused(tmp_path):
    from imitlib import demonstrations

    h5py = pytest.importorskip("h5py")
    from test_demonstrations import street

    demonstrations.to_minari(street(), "s-v0", tmp_path)
    (path,) = tmp_path.glob("s-v0/**/*.hdf5")
    with h5py.File(path, "a") as file:
        file["episode_1/rewards"][0] = np.nan
    with pytest.raises(ValueError, match="rewards.* is nan"):
        demonstrations.from_minari("s-v0", tmp_path)


# claims
def test_a_curve_that_drifts_is_found_and_a_tolerance_is_what_it_says(folder):
    claims.sweep(planted(), progress=False)
    bent = planted(measure=lambda s: coin(s) | {"curve": [1.0, 2.1 + s]})
    assert "planted.curve" in claims.differences(bent, claims.replay(bent))[0]

    def off(s):
        return coin(s) | {"heads": coin(s)["heads"] + 1e-3}

    tight = planted(measure=off, rtol={"heads": ("abs", 5e-4)})
    assert "planted.heads" in claims.differences(tight, claims.replay(tight))[0]


def test_greatest(folder):
    claims.sweep(planted(), progress=False)
    assert claims.quantities(planted())["heads.max"] == pytest.approx(
        max(coin(s)["heads"] for s in range(1000, 1010))
    )


def test_an_exact_claim_needs_no_record(folder):
    exact = planted(exact=True, measure=lambda seed: {"heads": 0.75})
    claims.sweep(exact, progress=False)
    assert not list(folder.iterdir()) and not claims.due(exact)
    row = claims.row(exact)
    assert (row["state"], row["value"], row["seeds"], row["interval"]) == (
        "true",
        0.75,
        "exact",
        None,
    )


def test_the_commands_sweep_and_replay(folder, monkeypatch, capsys):
    shelf = [planted()]
    monkeypatch.setattr(claims, "all_claims", lambda chapter=None: shelf)
    assert claims.main([]) == 1  # due
    assert claims.main(["--sweep"]) == 0 and (folder / "planted.json").exists()
    assert claims.main(["--replay"]) == 0
    monkeypatch.setattr(claims, "fingerprint", lambda f: "later")
    assert claims.main([]) == 1
    shelf[0] = planted(measure=lambda s: coin(s + 1))
    assert (
        claims.main(["--replay", "planted"]) == 1
        and "planted.heads" in capsys.readouterr().out
    )


# experiments
def test_level_and_words_of_an_interval():
    from scipy import stats

    x = np.random.default_rng(0).normal(size=13)
    low, high = stats.t.interval(0.5, 12, loc=x.mean(), scale=stats.sem(x))
    got = interval(x, level=0.5)
    np.testing.assert_allclose([got.low, got.high], [low, high])
    assert f"{Interval(2, 1, 3, 5):.1f}" == "2.0 [1.0, 3.0]"


def who(seed):
    return {"pid": os.getpid()}


def test_two_jobs_are_other_processes():
    assert (
        over_seeds(who, [1, 2], n_jobs=2, progress=False)["pid"] != os.getpid()
    ).all()


# figures
def test_a_bar_at_the_mean_and_a_band_between_its_edges():
    _, ax = figures.axes()
    figures.dots(ax, 3, [1.0, 2.0, 6.0], "learner")
    assert ax.lines[0].get_ydata().tolist() == [1, 2, 6] and ax.lines[
        1
    ].get_ydata().tolist() == [3, 3]
    figures.line(ax, [1, 2], [4, 5], "person", band=([3, 4], [6, 9]))
    box = ax.collections[0].get_datalim(ax.transData)
    assert (box.y0, box.y1) == (3, 9)


def test_the_sliders_name_their_values_in_order(monkeypatch):
    monkeypatch.setenv("IMITLIB_STATIC", "1")

    def frame(slope):
        return figures.axes()[0], f"A line of slope {slope}, drawn."

    page = explore(frame, slope=[1.0, 2.0, 3.5])._repr_html_()
    labels = json.loads(html.unescape(re.search(r'data-labels="([^"]*)"', page)[1]))
    assert labels == ["1", "2", "3.5"]


# predicates: every clause can fail
RUIN = {
    "il-no-interaction": [
        "expert_taxi-99",
        "clone_one*.89",
        "clone_nine*.89",
        "clone_taxi*.89",
        "clone_once_nine*.89",
        "once_nine+1000",
        "tried_one*0+4000",
        "tried_nine*0+40000",
        "tried_taxi*0+60000",
        "mapped_one*0+1000",
        "mapped_nine*0+6000",
        "mapped_taxi*0+6000",
        "tried_one/4",
        "mapped_one/3",
        "mapped_nine/3",
        "mapped_nine*0+280",
        "tried_taxi/6",
        "mapped_taxi+1000",
    ],
    "il-avoids-misspec": [
        "asked_stated-1",
        "asked_nearer-20",
        "asked_warm-5",
        "true_stated+11",
        "true_nearer+31",
        "true_warm+15",
        "true_clone-.1",
        "true_stated_planner+.1",
        "hasty_stated+.1",
        "hasty_nearer+.1",
        "hasty_warm+.1",
        "hasty_true-.1",
        "gardens_stated-1",
        "arrives_nearer+1",
        "arrives_warm+1",
        "true_true-1",
    ],
    "bc-compounding": [
        "slope_clone_none*0+1.7",
        "slope_clone_ladder*0+2.1",
        "slope_dagger_none*0+1.7",
        "slope_clone_easy*0+1.2",
        "slope_dagger_ladder*0+.8",
        "error*0",
        "error_dagger*0",
        "surprise_clone_easy+.5",
        "costs*1.5",
        "ratio*0+29",
        "cost_expert+1",
    ],
    "bc-causal-confusion": [
        "heldout_both-.1",
        "nll_both+1",
        "closed_both+.3",
        "heldout_logistic-.1",
        "closed_logistic+.3",
        "closed_dagger*0+.7",
        "sampled_both+.05",
    ],
    "bc-horizon-free": [
        "slope_per_step*0+1.7",
        "slope_shared*0+1.2",
        "slope_shared_end*0+.3",
        "slope_walks*0-1.2",
        "share_shared*9",
        "share_shared/100",
    ],
    "bc-low-error-still-crashes": [
        "error_clone*0+.7",
        "explained_clone*0+.98",
        "error_noise*0+.1",
        "off_clone[:, ::-1]",
        "off_clone/3",
        "crash_more*0+.4",
        "crash_dagger*0+.2",
        "crash_noise*0+.2",
        "crash_expert*0+.02",
    ],
    "bc-supervised": [
        "cartpole*.9",
        "mountain_car*1.1",
        "lane*.9",
        "lane*0+600",
        "cartpole_random*0+400",
    ],
    "bc-multimodal": [
        "lost_person+.01",
        "lost_squared*.5",
        "lost_sampled+.2",
        "lost_sampled*3+.1",
        "lost_told+.2",
        "left_sampled*0+.9",
    ],
    "bc-real-people": [
        "acc_hand+.05",
        "soups_greedy_split+1",
        "stay_history*.7",
        "soups_board+10",
        "soups_hand*0",
        "nll_history+1",
        "nll_hand+1",
        "soups_history+9",
        "soups_longer*0",
        "acc_longer+.02",
        "nll_longer-.1",
        "soups_decided*.5",
    ],
    "bc-real-people-elsewhere": [
        "soups_greedy_board_ring+1",
        "soups_greedy_longer_forced+1",
        "soups_decided_ring+40",
        "soups_board_forced+9",
        "soups_longer_forced+9",
    ],
}


@pytest.mark.parametrize(
    ("claim_id", "ruin"), [(c, r) for c, rs in RUIN.items() for r in rs]
)
def test_each_clause_can_fail(claim_id, ruin):
    claim = claims.find(claim_id)
    s = claims.recorded(claim)
    name, how = re.match(r"(\w+)(.*)", ruin).groups()
    values = dict(s.values) | {name: eval("x" + how, {"x": s[name]})}
    assert claim.holds(s) and not claim.holds(replace(s, values=values))


def test_every_claim_is_ruined():
    """Here, or beside its mutants."""
    import test_claims_adversarial as adversarial
    import test_claims_assistance as assistance
    import test_claims_chef as chef
    import test_claims_cirl as cirl
    import test_claims_cure as cure
    import test_claims_entropy as entropy
    import test_claims_frames as frames
    import test_claims_ill_posed as ill_posed
    import test_claims_inferring as inferring
    import test_claims_mazes as mazes
    import test_claims_orders as orders
    import test_claims_pairs as pairs
    import test_claims_people as people
    import test_claims_showing as showing
    import test_claims_underachieving as underachieving
    import test_claims_words as words
    import test_three_doors as three_doors

    ruined = {*RUIN, *words.PLANTED, *underachieving.CLAUSES, *adversarial.PLANTED,
              *entropy.BREAKS, *ill_posed.PLANTED, *inferring.BREAKS}  # fmt: skip
    ruined |= {claim_id for claim_id, _ in orders.PLANTED}
    predicates = {row[0] for m in (mazes, frames, cure, people, pairs, cirl,
                                  assistance, chef, showing, three_doors)
                  for row in m.BROKEN}  # fmt: skip
    measured = [c for c in claims.all_claims() if c.measure]
    assert [c.id for c in measured
            if c.id not in ruined and c.holds not in predicates] == []
