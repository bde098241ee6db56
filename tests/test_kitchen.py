"""The kitchen against people's games, a slow second copy of the rules, and a map."""

import zipfile

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from scipy.sparse.csgraph import shortest_path

import imitlib  # noqa: F401  (registers the environments)
from imitlib.chapters.ch02 import kitchen as kitchen_page
from imitlib.envs import kitchen as k
from imitlib.envs import kitchen_features as see
from imitlib.envs.kitchen_people import HumanPlay, load_human_play, mismatches
from imitlib.envs.kitchen_view import draw, pixels

N, S, E, W, STAY, ACT = range(6)


@pytest.fixture(scope="module")
def play():
    return load_human_play()


# The rules against the record -------------------------------------------------------


def test_every_recorded_transition_and_reward_is_reproduced(play):
    inside = play.game[1:] == play.game[:-1]
    assert (len(play), inside.sum(), len(np.unique(play.game))) == (79_074, 79_008, 66)
    given = kitchen_page.GIVEN
    assert given["kitchen-recorded-decisions"] == len(play)
    assert given["kitchen-recorded-games"] == len(np.unique(play.game))
    assert mismatches(play).sum() == 0


def test_games_begin_as_the_kitchen_starts(play):
    for layout in k.LAYOUTS:
        first, fresh = play.of(layout), k.Kitchen(layout).start()
        first = first.rows(first.t == 0)
        for name in ("position", "facing", "held", "objects"):
            assert (getattr(first, name) == getattr(fresh, name)).all()


@pytest.mark.parametrize("column", ["action", "reward", "facing", "held", "objects"])
def test_one_falsified_entry_is_noticed(play, column):
    some = play.of("cramped_room").rows(slice(0, 300))
    values = getattr(some, column).copy()
    values[150] = {"action": ACT, "held": 1, "objects": 2}.get(column, 3)
    falsified = HumanPlay(**{**vars(some), column: values})
    assert mismatches(some).sum() == 0 and 1 <= mismatches(falsified).sum() <= 2


# The rules against a slow copy of them, one game at a time ---------------------------


class SlowKitchen:
    """The rules again, with words for objects and a loop for everything."""

    ways = {N: (0, -1), S: (0, 1), E: (1, 0), W: (-1, 0)}

    def __init__(self, layout):
        rows = k.LAYOUTS[layout].strip("\n").split("\n")
        self.square = {(x, y): c for y, r in enumerate(rows) for x, c in enumerate(r)}
        self.place = [next(p for p, c in self.square.items() if c == d) for d in "12"]
        self.faces, self.hand = [N, N], [None, None]
        self.lying, self.served = {}, 0

    def act(self, player):
        (x, y), (dx, dy) = self.place[player], self.ways[self.faces[player]]
        there, hand = (x + dx, y + dy), self.hand[player]
        kind, thing = self.square[there], self.lying.get((x + dx, y + dy))
        if kind == "X" and hand and not thing:
            self.lying[there], self.hand[player] = hand, None
        elif kind == "X" and thing and not hand:
            self.hand[player] = self.lying.pop(there)
        elif kind in "OD" and not hand:
            self.hand[player] = {"O": "onion", "D": "dish"}[kind]
        elif kind == "P" and hand == "onion" and (not thing or thing[1] < 3):
            self.lying[there] = ["soup", (thing[1] if thing else 0) + 1, 0]
            self.hand[player] = None
        elif kind == "P" and hand == "dish" and thing and thing[1] == 3:
            if thing[2] >= 20:
                self.hand[player] = self.lying.pop(there)
        elif kind == "S" and isinstance(hand, list):
            self.hand[player] = None
            self.served += 1

    def step(self, actions):
        for player in (0, 1):
            if actions[player] == ACT:
                self.act(player)
        goal = list(self.place)
        for player in (0, 1):
            if actions[player] in self.ways:
                self.faces[player] = actions[player]
                (x, y), (dx, dy) = self.place[player], self.ways[actions[player]]
                if self.square[x + dx, y + dy] in " 12":
                    goal[player] = (x + dx, y + dy)
        if goal[0] != goal[1] and goal != self.place[::-1]:
            self.place = goal
        for where, thing in self.lying.items():
            if self.square[where] == "P" and thing[1] == 3:
                thing[2] += 1

    def code(self, thing):
        if isinstance(thing, list):
            return 1000 + 100 * thing[1] + thing[2]
        return {None: 0, "onion": 1, "dish": 2}[thing]


@pytest.mark.parametrize("layout", k.LAYOUTS)
def test_rules_agree_with_the_slow_kitchen(layout):
    """Random play that likes to act, so that counters and pots fill up."""
    rng = np.random.default_rng(5)
    kitchen, games = k.Kitchen(layout), 6
    state = kitchen.start(games)
    slow = [SlowKitchen(layout) for _ in range(games)]
    served = np.zeros(games)
    for _ in range(700):
        actions = rng.choice(6, p=[0.14, 0.14, 0.14, 0.14, 0.04, 0.4], size=(games, 2))
        state, reward = kitchen.step(state, actions)
        served += reward / 5
        for g, one in enumerate(slow):
            one.step(actions[g].tolist())
            assert state.position[g].tolist() == [list(p) for p in one.place]
            assert state.facing[g].tolist() == one.faces
            assert state.held[g].tolist() == [one.code(h) for h in one.hand]
            objects = np.zeros((5, 9), int)
            for (x, y), thing in one.lying.items():
                objects[y, x] = one.code(thing)
            assert (state.objects[g] == objects).all()
            assert served[g] == one.served
    assert (state.objects > 0).sum() > 3 * games


def test_one_soup_by_hand():
    """Player 1 brings three onions, waits twenty steps, and serves: 5."""
    kitchen = k.Kitchen("cramped_room")
    state, got = kitchen.start(), []

    def do(*actions):
        nonlocal state
        for action in actions:
            state, reward = kitchen.step(state, np.array([[STAY, action]]))
            got.append(float(reward[0]))

    state, _ = kitchen.step(state, np.array([[E, STAY]]))  # the other steps aside
    do(W, N)  # to the square below the pot: (2, 1)
    do(*[W, W, ACT, E, N, ACT] * 3)  # the onion box is two squares to the west
    assert state.objects[0, 0, 2] == 1301  # the pot cooked in the step that filled it
    do(STAY)
    do(W, S, S, ACT, N, E, N)  # a dish from below (1, 2), and back to the pot
    do(*[STAY] * (1318 - state.objects[0, 0, 2]))
    do(ACT)
    assert state.held[0, 1] == k.DISH, "after 18 steps it is not done"
    do(ACT)
    assert state.held[0, 1] == k.DISH, "after 19 steps it is not done"
    do(ACT)
    assert state.held[0, 1] == 1320 and state.objects[0, 0, 2] == k.NOTHING
    do(E, S, S)  # the hatch is below (3, 2)
    assert sum(got) == 0
    do(ACT)
    assert got[-1] == 5 and state.held[0, 1] == k.NOTHING


def at(layout, positions, facing, held=(0, 0)):
    start = k.Kitchen(layout).start()
    return k.State(
        np.array([positions]), np.array([facing]), np.array([held]), start.objects
    )


def test_player_0_reaches_first():
    """Both face one counter with full hands: only player 0 can put something down."""
    kitchen = k.Kitchen("coordination_ring")
    both = at("coordination_ring", [(1, 2), (2, 1)], [E, S], (1, 2))
    after, _ = kitchen.step(both, np.array([[ACT, ACT]]))
    assert after.objects[0, 2, 2] == k.ONION
    assert after.held[0].tolist() == [k.NOTHING, k.DISH]
    given = at("coordination_ring", [(1, 2), (2, 1)], [E, S], (1, 0))
    after, _ = kitchen.step(given, np.array([[ACT, ACT]]))
    assert after.held[0].tolist() == [k.NOTHING, k.ONION], "handed over in one step"
    assert given.held.tolist() == [[1, 0]], "a state is never changed in place"


@pytest.mark.parametrize(
    ("places", "actions", "after"),
    [
        ([(1, 1), (2, 1)], (E, W), [(1, 1), (2, 1)]),  # they would swap
        ([(1, 1), (3, 1)], (E, W), [(1, 1), (3, 1)]),  # both want (2, 1)
        ([(1, 1), (2, 1)], (E, STAY), [(1, 1), (2, 1)]),  # into somebody
        ([(1, 1), (2, 1)], (E, E), [(2, 1), (3, 1)]),  # one follows the other
        ([(1, 1), (3, 2)], (N, S), [(1, 1), (3, 2)]),  # counters do not move
    ],
)
def test_who_may_step(places, actions, after):
    kitchen = k.Kitchen("cramped_room")
    moved, _ = kitchen.step(at("cramped_room", places, [S, N]), np.array([actions]))
    assert moved.position[0].tolist() == [list(p) for p in after]
    turned = [a if a < STAY else f for a, f in zip(actions, [S, N], strict=True)]
    assert moved.facing[0].tolist() == turned


# Gymnasium ---------------------------------------------------------------------------


@pytest.mark.parametrize("layout", k.LAYOUTS)
def test_gymnasium_accepts_it(layout):
    check_env(k.KitchenEnv(layout, render_mode="rgb_array"), skip_render_check=True)


def test_registered_environment_replays_a_recorded_game(play):
    game = play.rows(play.game == 8)
    env = gymnasium.make("imitlib/Kitchen-v0", horizon=len(game))
    seen, _ = env.reset(seed=0)
    kitchen, total = k.Kitchen("cramped_room"), 0.0
    for t in range(len(game)):
        if t % 100 == 0:
            assert (seen == see.board(kitchen, game.state[[t]])[0]).all()
        seen, reward, over, cut, _ = env.step(game.action[t].astype(int))
        total += reward
        assert not over and cut == (t == len(game) - 1)
    assert total / 5 == game.soups()[0] == 24


@pytest.mark.parametrize(
    ("error", "says", "call"),
    [
        (ValueError, "layout is 'cellar'", lambda: k.Kitchen("cellar")),
        (ValueError, "horizon is 0", lambda: k.KitchenEnv(horizon=0)),
        (
            ValueError,
            "render_mode is 'ascii'",
            lambda: k.KitchenEnv(render_mode="ascii"),
        ),
        (ValueError, r"shape \(2,\)", lambda: step([0, 1])),
        (ValueError, r"0\.\.6; legal: 0\.\.5", lambda: step([[0, 6]])),
        (ValueError, r"-1\.\.0", lambda: step([[0, -1]])),
        (TypeError, "float64", lambda: step([[0.0, 1.0]])),
    ],
)
def test_bad_input_is_refused(error, says, call):
    with pytest.raises(error, match=says):
        call()


def step(actions):
    kitchen = k.Kitchen()
    return kitchen.step(kitchen.start(), np.array(actions))


# The file ----------------------------------------------------------------------------


def columns(play):
    names = ("position", "facing", "held", "objects", "action", "reward")
    some = {"game": play.game, "layout": play.layout, "test": play.test, "t": play.t}
    some |= {name: getattr(play, name) for name in names}
    some = {name: column[:400].copy() for name, column in some.items()}
    return some | {
        "layout_names": np.array(list(k.LAYOUTS)),
        "layout_maps": np.array([m.strip("\n") for m in k.LAYOUTS.values()]),
    }


def test_a_file_of_ones_own_is_read(play, tmp_path):
    np.savez(tmp_path / "mine.npz", **columns(play))
    mine = load_human_play(tmp_path / "mine.npz")
    assert len(mine) == 400 and mismatches(mine).sum() == 0
    with pytest.raises(ValueError):
        mine.action[0] = 0


def put(name, index, value):
    def change(some):
        some[name] = some[name].copy()
        some[name][index] = value

    return change


@pytest.mark.parametrize(
    ("says", "change"),
    [
        ("lacks action", lambda some: some.pop("action")),
        ("game is empty", lambda some: some.update(game=np.zeros(0, int))),
        (r"held has shape \(399, 2\)", lambda some: some.update(held=some["held"][1:])),
        ("dtype float64", lambda some: some.update(reward=np.full(400, np.nan))),
        (r"action ranges over 0\.\.9", put("action", (7, 1), 9)),
        (r"position ranges over -1\.\.", put("position", (7, 1, 0), -1)),
        ("position leaves the floor", put("position", (7, 1), 0)),
        ("position leaves the floor", put("position", (7, 1, 1), 8)),
        ("held holds the code 7;", put("held", (7, 0), 7)),
        ("objects holds the code 1150;", put("objects", (7, 0, 2), 1150)),
        ("out of order", put("t", 7, 9)),
        ("out of order", put("game", 7, 3)),
        ("layout_maps differ", put("layout_maps", 0, "XPX")),
        ("not a readable", put("layout_names", slice(None), "x" * 3)),
    ],
)
def test_a_wrong_file_is_refused_with_the_reason(play, tmp_path, says, change):
    some = columns(play)
    change(some)
    if says == "not a readable":
        some["held"] = some["held"].astype(object)  # would need pickle
    np.savez(tmp_path / "wrong.npz", **some)
    with pytest.raises(ValueError, match=says):
        load_human_play(tmp_path / "wrong.npz")


def test_a_damaged_file_is_refused(play, tmp_path):
    path = tmp_path / "damaged.npz"
    with pytest.raises(FileNotFoundError):
        load_human_play(path)
    np.savez_compressed(path, **columns(play))
    whole = path.read_bytes()
    flipped = bytearray(whole)
    with zipfile.ZipFile(path) as archive:
        start = archive.getinfo("objects.npy").header_offset
    flipped[start + 80] ^= 255
    for content in (b"", b"not a zip", whole[: len(whole) // 2], bytes(flipped)):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="not a readable"):
            load_human_play(path)
    np.save(tmp_path / "one.npy", np.zeros(3))
    with pytest.raises(ValueError, match="not a readable"):
        load_human_play(tmp_path / "one.npy")


# What a player sees ------------------------------------------------------------------


@pytest.fixture(scope="module", params=k.LAYOUTS)
def some(request, play):
    """Two hundred moments of one layout, spread over its games."""
    moments = play.of(request.param)
    rows = np.random.default_rng(3).choice(len(moments), 200, replace=False)
    return k.Kitchen(request.param), moments.state[rows]


def test_the_board_can_be_read_back(some):
    kitchen, state = some
    h, w = kitchen.height, kitchen.width
    seen = see.board(kitchen, state)
    assert seen.shape[-1] == 9 * h * w + 16 and seen.min() >= 0 and seen.max() <= 1
    for player in (0, 1):
        square = state.position[:, player, 1] * w + state.position[:, player, 0]
        own, other = seen[:, player], seen[:, 1 - player]
        assert (own[:, : h * w].argmax(1) == square).all()
        assert (own[:, h * w : h * w + 4].argmax(1) == state.facing[:, player]).all()
        hand = own[:, h * w + 4 : h * w + 8].argmax(1)
        assert (hand == np.minimum(state.held[:, player], 3)).all()
        d = h * w + 8
        assert (own[:, d : 2 * d] == other[:, :d]).all(), "the partner comes second"
    things = seen[:, 0, 2 * d :].reshape(-1, h, w, 7)
    objects = state.objects[:, :h, :w]
    assert (things[..., 0] == (objects == k.ONION)).all()
    assert (things[..., 1] == (objects == k.DISH)).all()
    assert (things[..., :6].any(-1) == (objects > 0)).all()
    cooked = np.clip((objects - 1300) / 20, 0, 1)
    assert np.allclose(things[..., 6], cooked)


def test_players_who_swap_see_each_others_view(some):
    kitchen, state = some
    swapped = k.State(
        state.position[:, ::-1],
        state.facing[:, ::-1],
        state.held[:, ::-1],
        state.objects,
    )
    for view in (see.board, see.hand_features):
        assert (view(kitchen, swapped) == view(kitchen, state)[:, ::-1]).all()


def walks(kitchen):
    """Shortest walks between floor squares, by SciPy: (cells, cells)."""
    cells = [tuple(c) for c in np.argwhere(kitchen.floor)]
    apart = np.array([[abs(a - c) + abs(b - d) for c, d in cells] for a, b in cells])
    return cells, shortest_path(apart == 1, unweighted=True)


def test_distances_and_ways_are_those_of_the_map(some):
    """Each shortening move really shortens, each other move does not."""
    kitchen, state = some
    cells, apart = walks(kitchen)
    features = see.hand_features(kitchen, state)
    boxes = np.argwhere(kitchen.terrain == "D")
    target = see.TARGETS.index("dish")
    loose = (state.objects == k.DISH).any(axis=(1, 2))
    for g in np.flatnonzero(~loose)[:60]:
        for player in (0, 1):
            x, y = state.position[g, player]

            def far(x, y):
                beside = [
                    apart[cells.index((y, x)), i]
                    for i, (b, a) in enumerate(cells)
                    for q, p in boxes
                    if abs(a - p) + abs(b - q) == 1
                ]
                return min(beside, default=np.inf)

            steps, row = far(x, y), features[g, player]
            assert row[target] == np.isfinite(steps)
            assert row[7 + target] == pytest.approx(min(steps, see.FAR) / see.FAR)
            moves = row[21 + 4 * target : 25 + 4 * target]
            if 0 < steps < np.inf and len(boxes) == 1:
                for move, (dx, dy) in enumerate(k.STEP[:4]):
                    onto = (y + dy, x + dx) in cells
                    nearer = onto and far(x + dx, y + dy) == steps - 1
                    assert moves[move] == nearer
            if steps == 0:
                dx, dy = k.STEP[moves.argmax()]
                assert kitchen.terrain[y + dy, x + dx] == "D" and moves.sum() == 1
            ahead = kitchen.faced(state)[g, player]
            assert row[14 + target] == (kitchen.terrain[ahead[1], ahead[0]] == "D")


def test_history_is_the_last_actions_of_this_game(play):
    rows = play.rows(slice(1190, 1230))  # a game ends in here
    shown = see.history(rows.action, rows.t == 0, length=3).reshape(40, 2, 3, 6)
    begins = int(np.flatnonzero(rows.t == 0)[0])
    for i in range(40):
        earliest = begins if i >= begins else 0
        for lag in (1, 2, 3):
            expected = np.zeros((2, 6))
            if i - lag >= earliest:
                expected[[0, 1], rows.action[i - lag]] = 1
            assert (shown[i, :, lag - 1] == expected).all()


# The picture -------------------------------------------------------------------------


def test_every_difference_can_be_seen_in_grey():
    kitchen = k.Kitchen("cramped_room")
    start = kitchen.start()

    def image(**changes):
        now = k.State(
            **{**vars(start), **{n: np.array([v]) for n, v in changes.items()}}
        )
        return pixels(draw(kitchen, now)).mean(axis=-1)

    def pot(thing):
        objects = start.objects[0].copy()
        objects[0, 2] = thing
        return {"objects": objects}

    images = [
        image(),
        image(position=[(1, 2), (2, 1)]),
        image(position=[(3, 1), (1, 2)]),  # the two change places
        image(facing=[S, N]),
        *[image(held=[thing, 0]) for thing in (1, 2, 1320)],
        *[image(**pot(thing)) for thing in (1100, 1200, 1305, 1315, 1320)],
    ]
    for i, one in enumerate(images):
        for other in images[:i]:
            assert (np.abs(one - other) > 40).sum() > 50
    frame = k.KitchenEnv(render_mode="rgb_array").render()
    assert frame.dtype == np.uint8 and frame.shape[2] == 3 and frame.std() > 20
