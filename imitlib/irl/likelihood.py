r"""How likely a reward makes what was shown, and the exact derivative, set up once.

The objective that `causal_entropy` maximises, for a world in either layout and without
a table larger than (S, A): a plan by Newton's method, begun where the last one ended,
and one linear solve for the gradient.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csc_matrix, identity
from scipy.sparse.linalg import bicgstab, splu

from imitlib import planning
from imitlib.irl.features import listed
from imitlib.mdp_given import real_numbers
from imitlib.planning.following import checked_horizon, checked_positive, following
from imitlib.planning.soft import softmax_in_place

__all__ = ["Likelihood", "count", "linear"]

DENSE, DIRECT = 100, 2000  # states: up to the first number the linear systems are solved
# as dense ones, up to the second as sparse ones, and beyond by iteration
MOST_STEPS = 100  # of Newton's method; eight are many
HUGE = 1e9  # steps: an end that is so far away is none


class Likelihood:
    """The likelihood as a function of w; each plan begins where the last one ended."""

    def __init__(self, mdp, demonstrations, features, *, occupancy, policy,
                 temperature, l2, horizon):  # fmt: skip
        self.mdp, self.horizon = mdp, horizon
        self.temperature = checked_positive("temperature", temperature)
        if not 0 <= l2 < np.inf:
            raise ValueError(f"l2 is {l2!r}; it must be 0 or more, and finite")
        self.l2 = float(l2)
        if horizon is not None:
            checked_horizon(horizon)
        self.k, self.reward, self.back = linear(mdp, features)
        # at discount 1 the story has ends
        self.over = mdp.absorbing & (mdp.discount == 1 and horizon is None)
        self.n = self._shown(demonstrations, occupancy, policy)
        self.n[..., self.over, :] = 0  # where nothing is chosen any more
        self.missing = self._missing()
        self.values = np.zeros(mdp.n_states)
        self.dense = mdp.dense() if mdp.n_states <= DENSE and horizon is None else None

    def _shown(self, demonstrations, occupancy, policy):
        """How often each action was shown in each state, (S, A) or (H, S, A)."""
        given = {"demonstrations": demonstrations, "occupancy": occupancy, "policy": policy}
        given = {name: value for name, value in given.items() if value is not None}
        if len(given) != 1:
            raise ValueError(f"given are {', '.join(given) or 'none'} of demonstrations, "
                             "occupancy and policy; give exactly one")
        shape = self.mdp.reward.shape if self.horizon is None else (
            self.horizon, *self.mdp.reward.shape)
        if demonstrations is not None:
            return count(self.mdp, demonstrations, self.horizon)
        if policy is not None:
            return self._acting(policy, shape)
        n = real_numbers("occupancy", occupancy).astype(float)
        if n.shape != shape:
            raise ValueError(f"occupancy has shape {n.shape}; it must be {shape}")
        if n.min() < 0 or not n.any():
            raise ValueError(f"occupancy runs from {n.min():g} to {n.max():g}; "
                             "it must be 0 or more, and somewhere more")
        return n

    def _acting(self, policy, shape):
        world = self.mdp.with_reward(np.zeros(self.mdp.reward.shape))
        if self.horizon is None:
            return planning.occupancy(world, policy)
        here = planning.state_distributions(world, policy, self.horizon)
        here *= (world.discount ** np.arange(self.horizon))[:, None]
        return here[:, :, None] * np.broadcast_to(policy, shape)

    def _missing(self):
        """The flow that n lacks in each state, (S,) or (H, S): what came, less what left."""
        n = self.n if self.horizon is not None else self.n[None]
        came = [self.mdp.discount * (self.mdp.matrix.T @ step.ravel()) for step in n]
        if self.horizon is None:
            return np.where(self.over, 0.0, came[0] - n[0].sum(axis=1))
        return np.stack([np.zeros(self.mdp.n_states), *came[:-1]]) - n.sum(axis=2)

    def __call__(self, w, dual=False):
        """(value, gradient)."""
        scaled = self.reward(w) / self.temperature
        log_policy = self.plan(scaled)
        policy = np.exp(log_policy)
        if dual:
            source = np.zeros_like(self.missing)
            source.reshape(-1, self.mdp.n_states)[0] = -np.where(
                self.over, 0, self.mdp.start)
            value = (self.n * scaled).sum() + (source * self.values).sum()
        else:
            source = self.missing
            value = (self.n * np.where(self.n > 0, log_policy, 0)).sum()
        done = self.n + self.flow(policy, source)[..., None] * policy
        done = done.reshape(-1, *self.mdp.reward.shape).sum(axis=0)
        gradient = self.back(done) / self.temperature
        return float(value - self.l2 / 2 * w @ w), gradient - self.l2 * w

    def plan(self, scaled):
        """The logarithm of the soft policy for a reward in units of the temperature."""
        mdp = self.mdp
        if self.horizon is not None:
            self.values = planning.soft_backward_induction(
                mdp, self.horizon, reward=scaled).values
            after = np.concatenate([self.values[1:], np.zeros((1, mdp.n_states))])
            q = scaled + mdp.discount * mdp.next_values(after)
            return q - self.values[..., None]
        if self.over.any():
            scaled = np.where(self.over[:, None], 0.0, scaled)
        values, before = self.values, np.inf
        for _ in range(MOST_STEPS):
            q = scaled + mdp.discount * mdp.next_values(values)
            policy = q.T.copy()  # q itself is wanted below
            better = softmax_in_place(policy)
            better[self.over] = 0
            change = np.abs(better - values).max()
            scale = max(1.0, np.abs(values).max())
            if not scale < HUGE * (1 + np.abs(scaled).max()):
                break
            if change <= 1e-13 * scale or (change <= 1e-10 * scale and change >= before):
                self.values = better
                q -= better[:, None]
                return q
            # Newton: V + (I - γ P_π)^-1 (T V - V), and quadratic convergence
            before = change
            try:
                values = values + self._linear(policy.T, better - values)
            except (RuntimeError, np.linalg.LinAlgError):  # exactly singular: nothing ends any more
                break
        self.values = np.zeros(mdp.n_states)
        raise ValueError("w makes it pay to wander about for ever; at discount 1 without "
                         "a horizon only rewards with finite plans are legal: begin (w0) "
                         "where each step costs enough")

    def flow(self, policy, source):
        """m with m = source + γ P_π' m, (S,): where a flow goes; or (H, S), by steps."""
        if self.horizon is None:
            return self._linear(policy, source, transposed=True)
        flow = source.copy()
        for t in range(1, self.horizon):
            came = self.mdp.matrix.T @ (policy[t - 1] * flow[t - 1][:, None]).ravel()
            flow[t] += self.mdp.discount * came
        return flow

    def _linear(self, policy, right, transposed=False):
        mdp, going = self.mdp, ~self.over
        out = np.zeros(len(right))
        if self.dense is not None:
            chain = (policy[:, None] @ self.dense)[:, 0][going][:, going]
            system = np.eye(len(chain)) - mdp.discount * chain
            out[going] = np.linalg.solve(system.T if transposed else system, right[going])
            return out
        chain = following(mdp, policy)
        if self.over.any():
            chain = chain[going][:, going]
        chain = chain.T.tocsr() if transposed else chain
        out[going] = _linear_solve(mdp.discount, chain, right[going])
        return out

    def checked(self, name, w):
        w = real_numbers(name, w).astype(float)
        if w.shape != (self.k,):
            raise ValueError(f"{name} has shape {w.shape}; it must be ({self.k},), "
                             "one weight for each feature")
        return w


def linear(mdp, features):
    """A linear reward without its table: (k, w -> (S, A), (S, A) -> (k,)).

    The third is the transpose of the second: what a flow over (s, a) meets of each
    feature. `features` as for `causal_entropy_irl`.
    """
    shape = mdp.reward.shape
    if features is None or isinstance(features, str) and features == "states":
        return (shape[0], lambda w: np.repeat(w[:, None], shape[1], axis=1),
                lambda flow: flow.sum(axis=1))
    if isinstance(features, str) and features == "pairs":
        return shape[0] * shape[1], lambda w: w.reshape(shape), lambda flow: flow.ravel()
    if isinstance(features, str):
        raise ValueError(f"features is {features!r}; the legal words are 'states' and "
                         "'pairs'")
    phi = real_numbers("features", features).astype(float, copy=False)
    if phi.ndim not in (2, 3) or phi.shape[:-1] != shape[: phi.ndim - 1] or 0 in phi.shape:
        raise ValueError(f"features has shape {phi.shape}; it must be ({shape[0]}, k) or "
                         f"{shape[:2]} and k")
    flat = phi.reshape(-1, phi.shape[-1])
    if phi.ndim == 2:
        return (phi.shape[-1], lambda w: np.repeat((phi @ w)[:, None], shape[1], axis=1),
                lambda flow: flow.sum(axis=1) @ phi)
    return phi.shape[-1], lambda w: phi @ w, lambda flow: flow.ravel() @ flat


def count(mdp, demonstrations, horizon=None) -> np.ndarray:
    """How often each action was shown, per episode: (S, A), or (H, S, A) by step.

    Demonstrations and errors are those of `listed`; with a horizon no episode may have
    more than H steps.
    """
    states, actions, times, episodes = listed(mdp, demonstrations)
    shape, place = mdp.reward.shape, states * mdp.n_actions + actions
    if horizon is not None:
        if times.max() >= horizon:
            raise ValueError(f"demonstrations has an episode of {times.max() + 1} steps; "
                             f"with horizon {horizon} it may have that many at most")
        place = place + times * mdp.reward.size
        shape = (horizon, *shape)
    n = np.bincount(place, minlength=int(np.prod(shape))).astype(float)
    return n.reshape(shape) / episodes


def _linear_solve(discount, chain, right):
    """x with (I - discount * chain) x = right; large systems by BiCGSTAB."""
    if len(right) > DIRECT and discount < 1 and right.any():
        system = identity(len(right), format="csr") - discount * chain
        x, failed = bicgstab(system, right, rtol=1e-13, maxiter=5000)
        error = np.abs(system @ x - right).max()
        if not failed and error <= 1e-11 * np.abs(right).max():
            return x
    return splu(csc_matrix(identity(len(right)) - discount * chain)).solve(right)
