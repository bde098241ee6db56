r"""How far apart two rewards are, once what cannot matter is taken out.

Three distances, all alike in form: bring each reward into a canonical form that is the
same for all rewards that differ by shaping, forget its scale, and measure the angle.

* `epic` (Gleave and others 2021) looks at the rewards alone and knows no world.
* `dard` (Wulfe and others 2022) asks only about next states that the world allows.
* `starc` (Skalse and others 2024) takes expectations over the world's transitions.

Each is 0 for r and a positive multiple of r with shaping, and 1 for r and -r.
"""

from __future__ import annotations

import numpy as np

from imitlib.mdp_given import real_numbers
from imitlib.planning.following import evaluate
from imitlib.rewards.shaping import minimum_norm

__all__ = ["dard", "epic", "epic_canonical", "starc", "starc_canonical", "dard_canonical"]


def epic_canonical(mdp, reward) -> np.ndarray:
    r"""EPIC's canonical form, (S, A, S), with uniform S, A and S'.

    .. math:: r(s, a, s') + E\big[\gamma r(s', A, S') - r(s, A, S') - \gamma r(S, A, S')\big]

    Of the world only its discount is used.
    """
    paid = _on_transitions(mdp, reward)
    mean = paid.mean(axis=(1, 2))  # of leaving s, anyhow and anywhere
    return paid + mdp.discount * mean - mean[:, None, None] - mdp.discount * mean.mean()


def dard_canonical(mdp, reward) -> np.ndarray:
    r"""DARD's canonical form, (S, A, S), with uniform A, S' after s, S'' after s'.

    .. math:: r(s, a, s') + E\big[\gamma r(s', A, S'') - r(s, A, S')
              - \gamma r(S', A, S'')\big]

    S'' follows s' also in the last term: only so does the potential of S'' cancel.
    """
    paid, reach = _on_transitions(mdp, reward), mdp.dense()
    after = reach.mean(axis=1)  # (S, S): where a uniform action leads
    leaving = (reach * paid).sum(axis=2).mean(axis=1)
    onward = after @ paid.mean(axis=1) @ after.T  # E r(S', A, S''), by s and s'
    return (paid + mdp.discount * leaving - leaving[:, None, None]
            - mdp.discount * onward[:, None, :])


def starc_canonical(mdp, reward, form: str = "minimal") -> np.ndarray:
    r"""STARC's canonical form, (S, A), of the expected reward of each action.

    "minimal" is the member of the family with the least norm; "levelled" is
    :math:`r(s, a) + \gamma E V(s') - V(s)` with V the value of choosing at random.
    """
    paid = mdp.with_reward(reward).reward
    if form == "minimal":
        return minimum_norm(mdp, paid)
    if form != "levelled":
        raise ValueError(f"form is {form!r}; legal: 'minimal', 'levelled'")
    values = evaluate(mdp, np.full(paid.shape, 1 / mdp.n_actions), reward=paid)
    return paid + mdp.discount * mdp.next_values(values) - values[:, None]


def epic(mdp, first, second, coverage=None) -> float:
    r"""EPIC distance, :math:`\sqrt{(1 - \rho)/2}` with ρ Pearson's correlation.

    Parameters
    ----------
    mdp : MDP
        For the discount and the shapes.
    first, second : (S, A), (S,) or (S, A, S) arrays
        Rewards; one that depends on less pays the same whatever comes next.
    coverage : (S, A, S) array, optional
        Weights of the transitions; uniform over all of them, possible or not, if not
        given.

    Raises
    ------
    ValueError
        If a reward is constant once it is canonical: it asks for nothing, and has no
        direction; if shapes or weights are not legal.
    """
    forms = (epic_canonical(mdp, r) for r in (first, second))
    return _pearson(*forms, _weights(coverage, (*mdp.reward.shape, mdp.n_states)))


def dard(mdp, first, second, coverage=None) -> float:
    """DARD distance: Pearson's, over the transitions that the world allows.

    Arguments and errors as of `epic`; the coverage is uniform over states and actions
    and follows the transitions, if not given.
    """
    coverage = mdp.dense() if coverage is None else coverage
    forms = (dard_canonical(mdp, r) for r in (first, second))
    return _pearson(*forms, _weights(coverage, (*mdp.reward.shape, mdp.n_states)))


def starc(mdp, first, second, form: str = "minimal") -> float:
    """STARC distance: half the distance of the canonical forms, scaled to length 1.

    Arguments and errors as of `epic`; `form` as of `starc_canonical`.
    """
    unit = []
    for name, reward in (("first", first), ("second", second)):
        canonical = starc_canonical(mdp, reward, form)
        length = np.linalg.norm(canonical)
        if length <= 1e-9 * max(np.abs(mdp.with_reward(reward).reward).max(), 1e-300):
            raise ValueError(f"{name} is nothing but shaping; under it every policy is as "
                             "good, and it has no direction")
        unit.append(canonical / length)
    return float(np.linalg.norm(unit[0] - unit[1]) / 2)


def _pearson(first, second, weights) -> float:
    scaled = []
    for name, form in (("first", first), ("second", second)):
        centred = form - (weights * form).sum()
        spread = np.sqrt((weights * centred**2).sum())
        if spread <= 1e-9 * max(np.abs(form).max(), 1e-300) or spread < 1e-12:
            raise ValueError(f"{name} is constant but for shaping where the coverage "
                             "looks; it asks for nothing, and has no direction")
        scaled.append(centred / spread)
    # half the distance of the two standardised forms: exact near 0, where 1 - ρ is not
    return float(np.sqrt((weights * (scaled[0] - scaled[1]) ** 2).sum()) / 2)


def _weights(coverage, shape):
    if coverage is None:
        return np.full(shape, 1 / np.prod(shape))
    coverage = real_numbers("coverage", coverage).astype(float)
    if coverage.shape != shape or (coverage < 0).any() or not coverage.any():
        raise ValueError(f"coverage has shape {coverage.shape}; it must be {shape}, with "
                         "weights of at least 0 that are not all 0")
    return coverage / coverage.sum()


def _on_transitions(mdp, reward):
    reward = real_numbers("reward", reward).astype(float)
    full = (*mdp.reward.shape, mdp.n_states)
    if reward.shape not in (full[:1], full[:2], full):
        raise ValueError(f"reward has shape {reward.shape}; legal are {full[:1]}, "
                         f"{full[:2]} and {full}")
    return np.broadcast_to(reward.reshape(reward.shape + (1,) * (3 - reward.ndim)), full)
