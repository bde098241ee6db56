"""Demonstrations: what is refused, what comes back from a file, what is recorded."""

import io
import os
import subprocess
import sys
import zipfile

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, Dict, Discrete
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from imitlib import demonstrations
from imitlib.demonstrations import Demonstrations, chunk, from_csv, load, record, save

NUMBERS = st.floats(-1e9, 1e9, width=32)


@st.composite
def demos(draw, kinds=("choices", "commands")):
    lengths = draw(st.lists(st.integers(1, 6), min_size=1, max_size=5))
    n = sum(lengths)
    shape = draw(st.sampled_from([(), (1,), (3,), (2, 2)]))
    dtype = draw(st.sampled_from([np.float32, np.float64, np.int64, np.uint8]))
    elements = NUMBERS if np.dtype(dtype).kind == "f" else st.integers(0, 255)
    observations = draw(hnp.arrays(dtype, (n, *shape), elements=elements))
    if draw(st.sampled_from(kinds)) == "choices":
        actions = draw(hnp.arrays(np.int64, n, elements=st.integers(-2, 5)))
    else:
        k = draw(st.integers(1, 3))
        actions = draw(hnp.arrays(np.float64, (n, k), elements=NUMBERS))
    rewards = draw(st.none() | hnp.arrays(np.float64, n, elements=NUMBERS))
    episodes = np.repeat(np.arange(len(lengths)), lengths)
    return Demonstrations(observations, actions, episodes, rewards)


def same(a: Demonstrations, b: Demonstrations) -> bool:
    """To the last bit, the kind of number included."""
    for name in ("observations", "actions", "episodes", "rewards"):
        x, y = getattr(a, name), getattr(b, name)
        if (x is None) != (y is None):
            return False
        if x is not None and (x.dtype, x.shape, x.tobytes()) != (
                y.dtype, y.shape, y.tobytes()):
            return False
    return True


def street(n=6, k=None, rewards=True) -> Demonstrations:
    """n rows in three episodes."""
    rng = np.random.default_rng(n)
    actions = rng.integers(3, size=n) if k is None else rng.normal(size=(n, k))
    return Demonstrations(rng.normal(size=(n, 2)), actions, np.arange(n) * 3 // n,
                          rng.normal(size=n) if rewards else None)


# --- what is refused ---------------------------------------------------------------

GOOD = {"observations": [[1.0], [2.0], [3.0]], "actions": [0, 1, 0],
        "episodes": [0, 0, 1], "rewards": [1.0, 1.0, 1.0]}  # fmt: skip
BAD = {
    "empty": ({"observations": np.empty((0, 2)), "actions": [], "episodes": []},
              r"observations has shape \(0, 2\).*at least one row"),
    "no columns": ({"observations": np.empty((3, 0))}, r"observations has shape \(3, 0\)"),
    "one number": ({"observations": 3.0}, r"observations has shape \(\)"),
    "nan seen": ({"observations": [[1], [np.nan], [3]]}, r"observations\[1, 0\] is nan"),
    "inf seen": ({"observations": [[1], [2], [-np.inf]]}, r"observations\[2, 0\] is -inf"),
    "words": ({"observations": ["a", "b", "c"]}, "observations has dtype <U1"),
    "objects": ({"observations": [{}, {}, {}]}, "observations has dtype object"),
    "complex": ({"observations": [1j, 2, 3]}, "observations has dtype complex"),
    "ragged": ({"observations": [[1], [2, 3], [4]]}, "observations is ragged"),
    "few actions": ({"actions": [0, 1]}, "actions has 2 rows and observations has 3"),
    "nan action": ({"actions": [[0.0], [np.nan], [1]]}, r"actions\[1, 0\] is nan"),
    "1-d floats": ({"actions": [0.0, 1, 0]}, r"actions has shape \(3,\) of float64"),
    "2-d ints": ({"actions": [[0], [1], [0]]}, r"actions has shape \(3, 1\) of int64"),
    "no commands": ({"actions": np.empty((3, 0))}, r"actions has shape \(3, 0\)"),
    "yes and no": ({"actions": [True, False, True]}, "actions .* of bool"),
    "few episodes": ({"episodes": [0, 0]}, "episodes has 2 rows and observations has 3"),
    "from one": ({"episodes": [1, 1, 2]}, r"episodes\[0\] is 1; .* must be 0"),
    "a gap": ({"episodes": [0, 2, 2]}, r"episodes\[1\] is 2 after 0"),
    "backwards": ({"episodes": [0, 1, 0]}, r"episodes\[2\] is 0 after 1"),
    "half": ({"episodes": [0, 0.5, 1]}, "episodes .* of float64.*integers"),
    "few rewards": ({"rewards": [1.0]}, "rewards has 1 rows and observations has 3"),
    "inf reward": ({"rewards": [1, 2, np.inf]}, r"rewards\[2\] is inf"),
    "2-d rewards": ({"rewards": np.ones((3, 1))}, r"rewards has shape \(3, 1\)"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_arrays_are_refused_by_name_and_row(case):
    Demonstrations(**GOOD)
    changes, message = BAD[case]
    with pytest.raises((ValueError, TypeError), match=message):
        Demonstrations(**GOOD | changes)


def test_arrays_get_the_promised_kinds():
    d = Demonstrations([[True], [False]], np.array([1, 0], np.uint8), [0, 0], [1, 2])
    assert d.observations.dtype == np.uint8 and d.observations.tolist() == [[1], [0]]
    assert (d.actions.dtype, d.episodes.dtype, d.rewards.dtype) == ("i8", "i8", "f8")
    kept = Demonstrations(np.ones((2, 3), np.float32), np.ones((2, 1), np.float32), [0, 1])
    assert kept.observations.dtype == np.float32 and kept.actions.dtype == np.float64
    with pytest.raises(AttributeError):
        d.actions = d.actions


# --- choosing episodes -------------------------------------------------------------


def episode_list(d: Demonstrations) -> list:
    """Each episode as plain lists: what choosing and joining must keep together."""
    out = [[] for _ in range(d.n_episodes)]
    for i, episode in enumerate(d.episodes):
        reward = None if d.rewards is None else float(d.rewards[i])
        out[episode].append((d.observations[i].tolist(), d.actions[i].tolist(), reward))
    return out


@given(demos(), st.data())
def test_take_and_first_keep_whole_episodes_in_order(d, data):
    all_of_them = episode_list(d)
    chosen = data.draw(st.sets(st.integers(0, d.n_episodes - 1), min_size=1))
    assert episode_list(d.take(list(chosen))) == [all_of_them[i] for i in sorted(chosen)]
    k = data.draw(st.integers(1, d.n_episodes))
    assert episode_list(d.first(k)) == all_of_them[:k]


@given(demos(), st.floats(0.01, 0.99), st.integers(0, 99))
def test_split_deals_out_whole_episodes(d, fraction, seed):
    if d.n_episodes == 1:
        with pytest.raises(ValueError, match="needs at least 2"):
            d.split(fraction, np.random.default_rng(seed))
        return
    train, held_out = d.split(fraction, np.random.default_rng(seed))
    assert sorted(map(repr, episode_list(train) + episode_list(held_out))) == sorted(
        map(repr, episode_list(d)))
    assert abs(train.n_episodes - fraction * d.n_episodes) <= 1
    again, _ = d.split(fraction, np.random.default_rng(seed))
    assert same(train, again)


@given(demos())
def test_join_puts_one_after_the_other(d):
    both = d.join(d.first(1))
    assert episode_list(both) == episode_list(d) + episode_list(d)[:1]
    unpaid = Demonstrations(d.observations, d.actions, d.episodes)
    assert unpaid.join(d).rewards is None and d.join(unpaid).rewards is None


@given(demos())
def test_returns_are_sums_by_episode(d):
    if d.rewards is None:
        with pytest.raises(ValueError, match="no rewards"):
            d.returns()
        return
    sums = [sum(reward for *_, reward in episode) for episode in episode_list(d)]
    np.testing.assert_allclose(d.returns(), sums, rtol=1e-12, atol=1e-6)


def test_choices_outside_are_refused():
    d, rng = street(), np.random.default_rng(0)
    for k in (0, 4, -1):
        with pytest.raises(ValueError, match=f"k is {k}; it must be 1 ... 3"):
            d.first(k)
    for chosen in ([], [3], [-1, 0]):
        with pytest.raises(ValueError, match="choose at least one of 0 ... 2"):
            d.take(chosen)
    for fraction in (0, 1, -0.1, np.nan):
        with pytest.raises(ValueError, match="fraction is"):
            d.split(fraction, rng)
    with pytest.raises(ValueError, match=r"other.actions has rows of shape \(2,\)"):
        d.join(street(k=2))
    with pytest.raises(ValueError, match=r"other.observations has rows of shape \(\)"):
        d.join(Demonstrations([1.0, 2], [0, 1], [0, 0]))


# --- chunks ------------------------------------------------------------------------


@given(demos(kinds=("commands",)), st.integers(1, 7))
def test_chunks_are_the_windows_found_by_hand(d, k):
    windows = []
    for episode in episode_list(d):
        rows = [(seen, [x for _, done, _ in episode[t : t + k] for x in done], None)
                for t, (seen, *_) in enumerate(episode) if t + k <= len(episode)]
        windows += [rows] if rows else []
    if windows:
        assert episode_list(chunk(d, k)) == windows
    else:
        with pytest.raises(ValueError, match=f"k is {k}; it must be 1 ..."):
            chunk(d, k)


def test_chunks_are_of_commands():
    with pytest.raises(TypeError, match="actions are integers"):
        chunk(street(), 2)
    with pytest.raises(ValueError, match="k is 0"):
        chunk(street(k=1), 0)


# --- recording ---------------------------------------------------------------------


class Corridor(gymnasium.Env):
    """Shows (step, start) in one buffer that it reuses; pays the number of the step."""

    observation_space = Box(-np.inf, np.inf, (2,))

    def __init__(self, length, action_space=None):
        self.length, self.executed, self.seen = length, [], np.zeros(2, np.float32)
        self.action_space = action_space or Discrete(100)

    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        self.seen[:] = 0, self.np_random.integers(1000)
        return self.seen, {}

    def step(self, action):
        self.executed.append(action)
        self.seen[0] += 1
        return self.seen, float(self.seen[0]), bool(self.seen[0] == self.length), False, {}


def step_number(observations):
    assert observations.ndim == 2  # a batch
    return observations[:, 0].astype(int)


def test_a_row_is_what_was_seen_before_and_what_was_done():
    d = record(Corridor(4), step_number, 3, np.random.default_rng(0))
    assert d.observations[:, 0].tolist() == [0, 1, 2, 3] * 3
    assert d.actions.tolist() == [0, 1, 2, 3] * 3 and d.actions.dtype == np.int64
    assert d.episodes.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert d.rewards.tolist() == [1, 2, 3, 4] * 3 and d.returns().tolist() == [10] * 3
    assert len(set(d.observations[::4, 1])) == 3, "each episode starts elsewhere"
    assert same(d, record(Corridor(4), step_number, 3, np.random.default_rng(0)))


def test_noise_is_executed_and_the_clean_action_recorded():
    env, given_to_noise = Corridor(5), []

    def noise(action, rng):
        given_to_noise.append(int(action))
        return action + rng.integers(1, 50)

    d = record(env, step_number, 2, np.random.default_rng(0), noise)
    assert d.actions.tolist() == given_to_noise == [0, 1, 2, 3, 4] * 2
    assert all(done > label for done, label in zip(env.executed, d.actions))


def test_max_steps_ends_an_endless_episode():
    d = record(Corridor(-1), step_number, 2, np.random.default_rng(0), max_steps=7)
    assert np.bincount(d.episodes).tolist() == [7, 7]
    for wrong in ({"episodes": 0}, {"episodes": 1, "max_steps": 0}):
        with pytest.raises(ValueError, match="must be at least 1"):
            record(Corridor(3), step_number, rng=np.random.default_rng(0), **wrong)


def test_commands_reach_the_environment_in_its_own_dtype():
    env = Corridor(3, Box(-1, 1, (2,), np.float32))
    d = record(env, lambda o: np.full((len(o), 2), 1 / 3), 1, np.random.default_rng(0))
    assert d.actions.dtype == np.float64 and (d.actions == 1 / 3).all()
    assert all(a.dtype == np.float32 for a in env.executed)


@pytest.mark.parametrize("space, action", [
    (Discrete(3), 3), (Discrete(3), -1), (Discrete(3), 1.0), (Discrete(3), [1]),
    (Box(-1, 1, (2,)), 0.5), (Box(-1, 1, (2,)), [0.5]), (Box(-1, 1, (2,)), [0, 1]),
])  # fmt: skip
def test_an_action_that_does_not_fit_is_refused(space, action):
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="the action of policy is .* takes"):
        record(Corridor(3, space), lambda o: np.array([action]), 1, rng)
    right = np.array([space.sample()])
    with pytest.raises(ValueError, match="the action of noise is .* takes"):
        record(Corridor(3, space), lambda o: right, 1, rng, lambda a, rng: action)


def test_cartpole_agrees_with_gymnasium_played_by_hand():
    env = gymnasium.make("CartPole-v1")
    d = record(env, lambda o: (o[:, 2] > 0).astype(int), 2, np.random.default_rng(5))
    seed = int(np.random.default_rng(5).integers(2**31))
    seen, _ = env.reset(seed=seed)
    for row, action in zip(d.observations[d.episodes == 0], d.actions):
        np.testing.assert_array_equal(row, seen)
        assert action == (seen[2] > 0)
        seen, *_ = env.step(action)


# --- files -------------------------------------------------------------------------


@given(demos())
def test_npz_gives_back_every_bit(tmp_path_factory, d):
    path = tmp_path_factory.mktemp("d") / "without an ending"
    save(path, d)
    assert same(load(path), d)


@settings(max_examples=300)
@given(where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), cut=st.booleans())
def test_a_damaged_npz_is_refused_or_whole(tmp_path_factory, where, bit, cut):
    path = tmp_path_factory.mktemp("d") / "d.npz"
    save(path, street())
    data = bytearray(path.read_bytes())
    place = int(where * len(data))
    if cut:
        del data[place:]
    else:
        data[place] ^= 1 << bit
    path.write_bytes(data)
    try:
        assert same(load(path), street())  # a bit that means nothing, such as the date
        assert not cut
    except ValueError as error:
        assert str(path) in str(error)


SPRUNG = []


def spring(word):
    SPRUNG.append(word)


class Trap:
    """Runs code when it is unpickled."""

    def __reduce__(self):
        return spring, ("code has run",)


def test_a_pickle_is_refused_and_not_opened(tmp_path):
    path = tmp_path / "d.npz"
    np.savez(path, observations=np.array([Trap()], object), actions=[0])
    with pytest.raises(ValueError, match="d.npz is not a readable .npz file: Object arr"):
        load(path)
    assert not SPRUNG
    np.load(path, allow_pickle=True)["observations"]
    assert SPRUNG, "the trap works"


def test_an_npz_that_a_student_made_is_read(tmp_path):
    np.savez(tmp_path / "d.npz", observations=[[1.0], [2.0]], actions=[0, 1])
    d = load(tmp_path / "d.npz")
    assert d.episodes.tolist() == [0, 0] and d.rewards is None


NPZ = {
    "another array": ({"observations": [[1.0]], "actions": [0], "notes": [1]},
                      r"holds the arrays \['actions', 'notes', 'observations'\]"),
    "no actions": ({"observations": [[1.0]]}, "it must hold .*'actions'"),
    "a later format": ({"format": "imitlib-demonstrations-9", "actions": [0]},
                       "has format 'imitlib-demonstrations-9'"),
    "one of ours, less": ({"format": "imitlib-demonstrations-1", "actions": [0],
                           "observations": [[1.0]], "episodes": [0]},
                          "it must hold .*'rewards'"),
    "nan": ({"observations": [[np.nan]], "actions": [0]}, r"observations\[0, 0\] is nan"),
    "lengths": ({"observations": [[1.0]], "actions": [0, 1]}, "rows"),
    "no rows": ({"observations": np.empty((0, 2)), "actions": []}, "observations"),
    "words": ({"observations": ["a"], "actions": [0]}, "observations has dtype"),
    "actions of nothing": ({"observations": [[1.0]], "actions": 3}, "actions"),
}  # fmt: skip


@pytest.mark.parametrize("case", NPZ)
def test_an_npz_of_another_kind_is_refused(tmp_path, case):
    arrays, message = NPZ[case]
    np.savez(tmp_path / "d.npz", **arrays)
    with pytest.raises(ValueError, match=message) as refusal:
        load(tmp_path / "d.npz")
    assert "d.npz" in str(refusal.value)


def test_what_is_not_an_npz_is_refused(tmp_path):
    path = tmp_path / "d.npz"
    with pytest.raises(FileNotFoundError, match="d.npz"):
        load(path)
    one_array, other_zip = io.BytesIO(), io.BytesIO()
    np.save(one_array, np.ones(3))
    with zipfile.ZipFile(other_zip, "w") as file:
        file.writestr("observations", "1, 2, 3")
        file.writestr("actions", "0, 1")
    for content in (b"", b"hello", b"PK\x03\x04" + b"\0" * 99, one_array.getvalue(),
                    other_zip.getvalue()):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="d.npz"):
            load(path)


# --- tables ------------------------------------------------------------------------

TABLE = "\ufeffday, x ,y,turn,gas\n1,0.5,1e-1,2,0.0\n1,-1,2,0,.5\n\n2,3,4,1.0,1\n"


def write(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


def test_a_table_is_read(tmp_path):
    path = write(tmp_path / "d.csv", TABLE)
    d = from_csv(path, ["y", "x"], "turn", episode="day")
    expected = Demonstrations([[0.1, 0.5], [2, -1], [4, 3]], [2, 0, 1], [0, 0, 1])
    assert same(d, expected)
    d = from_csv(path, ["x"], "gas")
    assert same(d, Demonstrations([[0.5], [-1], [3]], [[0], [0.5], [1]], [0, 0, 0]))


@given(demos())
def test_a_table_that_numpy_wrote_comes_back(tmp_path_factory, d):
    path = tmp_path_factory.mktemp("d") / "d.csv"
    seen = d.observations.reshape(len(d), -1).astype(float)
    done = d.actions.reshape(len(d), -1)[:, 0]
    names = [f"o{i}" for i in range(seen.shape[1])]
    np.savetxt(path, np.column_stack([seen, done, d.episodes]), delimiter=",",
               fmt="%.17g", header=",".join([*names, "a", "e"]), comments="")
    whole = (done == done.round()).all()
    done = done.astype(np.int64) if whole else done[:, None]
    assert same(from_csv(path, names, "a", "e"), Demonstrations(seen, done, d.episodes))


TABLES = {
    "empty": ("", "line 1: the column 'x' must appear once"),
    "a header alone": ("x,y,a\n", "is empty"),
    "no such column": ("x,b\n1,2\n", "line 1: the column 'a' must appear once.*'b'"),
    "twice": ("x,a,a\n1,2,3\n", "line 1: the column 'a' must appear once"),
    "a word": ("x,a\n1,2\nleft,3\n", "line 3, column 'x': 'left' is not a finite"),
    "a hole": ("x,a\n1,2\n1,\n", "line 3, column 'a': '' is not a finite"),
    "nan": ("x,a\n1,2\nnan,3\n", "line 3, column 'x': 'nan' is not a finite"),
    "too big": ("x,a\n1e999,2\n", "line 2, column 'x': '1e999' is not a finite"),
    "short": ("x,a\n1,2\n1\n", "line 3 has 1 cells; the header has 2"),
    "long": ("x,a\n1,2,3\n", "line 2 has 3 cells; the header has 2"),
    "after a blank line": ("x,a\n\n1,2\n1,z\n", "line 4, column 'a'"),
    "an open quote": ('x,a\n1,2\n"1,2\n', "not comma-separated text"),
    "semicolons": ("x;a\n1;2\n", "line 1: the column 'x' must appear once"),
    "an episode torn": ("x,a,e\n1,2,7\n1,2,8\n1,2,7\n", None),
}


@pytest.mark.parametrize("case", TABLES)
def test_a_damaged_table_is_refused_by_line(tmp_path, case):
    text, message = TABLES[case]
    path = write(tmp_path / "d.csv", text)
    with pytest.raises(ValueError, match=message or "line 4: episode '7' comes back") as r:
        from_csv(path, ["x"], "a", None if message else "e")
    assert "d.csv" in str(r.value)


def test_a_table_in_no_encoding_is_refused(tmp_path):
    path = write(tmp_path / "d.csv", "x,a\n1,2\n", "utf-16")
    with pytest.raises(ValueError, match="d.csv is not comma-separated text"):
        from_csv(path, ["x"], "a")
    (tmp_path / "e.csv").write_bytes(b"x,a\n1,2\n1,\x00\n")
    with pytest.raises(ValueError, match="e.csv"):
        from_csv(tmp_path / "e.csv", ["x"], "a")
    for wrong in ("x", []):
        with pytest.raises(ValueError, match="give a list of columns"):
            from_csv(path, wrong, "a")
    with pytest.raises(FileNotFoundError):
        from_csv(tmp_path / "none.csv", ["x"], "a")


# --- Minari ------------------------------------------------------------------------

asks_for_authors = pytest.mark.filterwarnings("ignore::UserWarning:minari")


@settings(max_examples=15)
@given(demos())
def test_minari_gives_back_every_bit(tmp_path_factory, d):
    pytest.importorskip("minari")
    folder = tmp_path_factory.mktemp("minari")
    before = os.environ.get("MINARI_DATASETS_PATH")
    written = demonstrations.to_minari(d, "loaf-street/rollo-v0", folder)
    assert same(demonstrations.from_minari("loaf-street/rollo-v0", folder), d)
    assert same(demonstrations.from_minari(written, folder), d)
    assert os.environ.get("MINARI_DATASETS_PATH") == before


def test_minari_keeps_pictures_exactly(tmp_path):
    pytest.importorskip("minari")
    rng = np.random.default_rng(0)
    pictures = rng.integers(256, size=(6, 40, 40, 3), dtype=np.uint8)
    d = Demonstrations(pictures, [0, 1, 0, 1, 0, 1], [0, 0, 0, 1, 1, 1])
    assert (pictures.min(), pictures.max()) == (0, 255)
    demonstrations.to_minari(d, "pictures-v0", tmp_path)
    assert same(demonstrations.from_minari("pictures-v0", tmp_path), d)


@pytest.mark.parametrize("harm", ["torn", "emptied", "an episode gone", "rows gone"])
def test_a_damaged_minari_is_refused(tmp_path, harm):
    pytest.importorskip("minari")
    h5py = pytest.importorskip("h5py")
    demonstrations.to_minari(street(), "street-v0", tmp_path)
    (path,) = tmp_path.glob("street-v0/**/*.hdf5")
    if harm == "torn":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif harm == "emptied":
        path.write_bytes(b"")
    else:
        with h5py.File(path, "a") as file:
            if harm == "an episode gone":
                del file["episode_1"]
            else:
                rewards = file["episode_1/rewards"][:-1]
                del file["episode_1/rewards"]
                file["episode_1/rewards"] = rewards
    with pytest.raises(ValueError, match="dataset"):
        demonstrations.from_minari("street-v0", tmp_path)


def test_minari_reads_what_was_written_and_says_nothing(tmp_path, monkeypatch, recwarn):
    minari = pytest.importorskip("minari")
    d = street(9, k=2)
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    demonstrations.to_minari(d, "street/rollo-v0")
    assert not recwarn.list
    for i, episode in enumerate(minari.load_dataset("street/rollo-v0")):
        mine = d.take([i])
        np.testing.assert_array_equal(episode.observations[:-1], mine.observations)
        np.testing.assert_array_equal(episode.actions, mine.actions)
        np.testing.assert_array_equal(episode.rewards, mine.rewards)
        assert episode.truncations.tolist() == [False] * (len(mine) - 1) + [True]
    with pytest.raises(ValueError, match=r"'nobody-v0'; .*\['street/rollo-v0'\]"):
        demonstrations.from_minari("nobody-v0")


@asks_for_authors
def test_the_last_observation_of_minari_is_left_out(tmp_path, monkeypatch):
    minari = pytest.importorskip("minari")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    buffers = [minari.data_collector.EpisodeBuffer(
        observations=np.arange(n + 1.0)[:, None] + 10 * n, actions=np.arange(n) % 2,
        rewards=np.ones(n), terminations=np.arange(n) == n - 1,
        truncations=np.zeros(n, bool)) for n in (3, 1)]
    minari.create_dataset_from_buffers(
        "other-v0", buffers, action_space=Discrete(2),
        observation_space=Box(-np.inf, np.inf, (1,), np.float64))
    d = demonstrations.from_minari("other-v0")
    assert d.observations[:, 0].tolist() == [30, 31, 32, 10]
    assert d.actions.tolist() == [0, 1, 0, 0] and d.episodes.tolist() == [0, 0, 0, 1]
    assert d.returns().tolist() == [3, 1]


@asks_for_authors
def test_a_minari_of_dictionaries_is_refused(tmp_path, monkeypatch):
    minari = pytest.importorskip("minari")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    box = Box(-np.inf, np.inf, (1,), np.float64)
    buffer = minari.data_collector.EpisodeBuffer(
        observations={"a": np.zeros((2, 1))}, actions=np.zeros((1, 1)),
        rewards=[0.0], terminations=[True], truncations=[False])
    minari.create_dataset_from_buffers("d-v0", [buffer], action_space=box,
                                       observation_space=Dict({"a": box}))
    with pytest.raises(TypeError, match="the observations of dataset are dict"):
        demonstrations.from_minari("d-v0")


def test_without_minari_one_line_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "minari", None)
    for use in (lambda: demonstrations.to_minari(street(), "a-v0"),
                lambda: demonstrations.from_minari("a-v0")):
        with pytest.raises(ImportError, match="Minari is not installed: pip install"):
            use()


def test_demonstrations_load_no_torch_and_no_minari():
    code = ("import sys, imitlib.demonstrations, imitlib.counting; "
            "assert not {'torch', 'minari'} & set(sys.modules)")
    subprocess.run([sys.executable, "-c", code], check=True)
