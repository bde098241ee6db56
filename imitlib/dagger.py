r"""DAgger: the learner drives, the expert says what she would have done.

Behavioral cloning learns where the expert goes. DAgger (dataset aggregation; Ross,
Gordon and Bagnell 2011, Algorithm 3.1) learns where the *learner* goes. In round i a
mixture drives,

.. math:: \pi_i = \beta_i\, \pi^* + (1 - \beta_i)\, \hat\pi_i , \qquad \beta_1 = 1,

every observation it meets is labelled with the expert's action, all rounds go on one
pile, and the next policy is fitted to the whole pile:

.. math:: D \leftarrow D \cup \{(o, \pi^*(s)) : o \text{ met by } \pi_i\}, \qquad
          \hat\pi_{i+1} = \arg\min_\pi L_D(\pi) .

Two functions say what the world is and what learning is, so the same six lines serve
a lane of a hundred carts and any Gymnasium environment.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imitlib.demonstrations import Demonstrations
from imitlib.envs import lane

__all__ = ["DaggerResult", "betas", "dagger", "in_env", "in_lane"]


@dataclass(frozen=True, eq=False)
class DaggerResult:
    """Every round of DAgger.

    Attributes
    ----------
    clones : tuple of policies, one per round
        ``clones[0]`` is plain behavioral cloning of round 1's data.
    rounds : tuple of Demonstrations
        What each round added to the pile.
    data : Demonstrations
        The whole pile, which the last clone was fitted to.
    betas : tuple of float
        The expert's share of the driving in each round.
    """

    clones: tuple
    rounds: tuple[Demonstrations, ...]
    data: Demonstrations
    betas: tuple[float, ...]

    @property
    def clone(self):
        """The last round's policy."""
        return self.clones[-1]


def betas(rounds: int, decay: float = 0.0) -> np.ndarray:
    r"""The schedule :math:`\beta_i = p^{\,i-1}`, shape (rounds,).

    With p = 0 the expert drives in the first round only, the parameter-free choice
    of Ross, Gordon and Bagnell (2011, section 3.1).

    >>> betas(4, 0.5)
    array([1.   , 0.5  , 0.25 , 0.125])
    """
    if rounds < 1 or not 0 <= decay <= 1:
        raise ValueError(
            f"rounds is {rounds} and decay {decay}; legal: at least 1 round, "
            "a decay in [0, 1]"
        )
    return float(decay) ** np.arange(rounds)


def dagger(collect, fit, *, betas, rng: np.random.Generator) -> DaggerResult:
    """Dataset aggregation, from the first demonstration to the last clone.

    Parameters
    ----------
    collect : callable
        ``collect(policy, beta, rng) -> Demonstrations``: drive with the mixture, label
        with the expert; see `in_lane` and `in_env`. In round 1 the policy is None.
    fit : callable
        ``fit(demonstrations, rng) -> policy``, such as
        ``lambda demos, rng: bc.fit(demos, rng=rng)``. Each round starts afresh.
    betas : sequence of float
        One per round; the first is 1, since there is no policy yet.
    """
    betas = tuple(float(beta) for beta in betas)
    if not betas or betas[0] != 1 or not all(0 <= beta <= 1 for beta in betas):
        raise ValueError(f"betas is {betas}; it starts with 1 and stays in [0, 1]")
    policy, pile, rounds, clones = None, None, [], []
    for beta in betas:
        new = collect(policy, beta, rng)
        pile = new if pile is None else pile.join(new)
        policy = fit(pile, rng)
        rounds.append(new)
        clones.append(policy)
    return DaggerResult(tuple(clones), tuple(rounds), pile, betas)


def in_lane(street, expert, carts: int, steps: int):
    """How DAgger collects in the lane: `carts` at once, `steps` each.

    A cart that hits the kerb is put back in the middle of the lane and begins a new
    episode, so every round brings exactly ``carts * steps`` labels.
    """

    def collect(policy, beta, rng):
        drive = lane.drive(street, policy, expert, carts, steps, rng, beta=beta)
        return drive.demonstrations()

    return collect


def in_env(env, expert, episodes: int):
    """How DAgger collects in a Gymnasium environment: so many episodes a round.

    Parameters
    ----------
    env : gymnasium.Env
    expert : callable
        Policy on observations, (B, ...) -> actions (B, ...).
    """
    if episodes < 1:
        raise ValueError(f"episodes is {episodes}; each round needs at least 1")

    def collect(policy, beta, rng):
        rows = []
        for episode in range(episodes):
            seen, _ = env.reset(seed=int(rng.integers(2**31)))
            over = False
            while not over:
                seen = np.array(seen)
                label = action = np.asarray(expert(seen[None]))[0]
                if rng.random() >= beta:
                    action = np.asarray(policy(seen[None]))[0]
                after, reward, ended, cut, _ = env.step(action)
                rows.append((seen, label, episode, float(reward)))
                seen, over = after, ended or cut
        return Demonstrations(*(np.array(column) for column in zip(*rows, strict=True)))

    return collect
