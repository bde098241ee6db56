"""Planning: what to do in a world that is known, read in this order.

`following` evaluates a policy that is given; `optimal` finds the best one; `soft` finds
the one that is best where open options are paid for; `horizon` does the last
two when the end is a fixed number of steps away.
"""

from imitlib.planning.following import (
    evaluate,
    expected_return,
    occupancy,
    state_distributions,
)
from imitlib.planning.horizon import backward_induction, soft_backward_induction
from imitlib.planning.optimal import (
    Plan,
    modified_policy_iteration,
    q_values,
    value_iteration,
)
from imitlib.planning.soft import soft_policy_iteration, soft_value_iteration

__all__ = [
    "Plan", "backward_induction", "evaluate", "expected_return",
    "modified_policy_iteration", "occupancy", "q_values", "soft_backward_induction",
    "soft_policy_iteration", "soft_value_iteration", "state_distributions",
    "value_iteration",
]  # fmt: skip
