"""Learning from reward alone, without a teacher: what imitation is measured against.

Three algorithms for a world with few states, where a step must be taken to be known.
`q_learning` estimates what each action is worth, and takes the best. `reinforce` never
asks that: it makes likelier whatever turned out well. `r_max` draws a map of what it
has tried, and plans. The bill of each is the number of steps, which `CountSteps` counts.
"""

from imitlib.rl.bookkeeping import CountSteps, Learned
from imitlib.rl.by_map import r_max
from imitlib.rl.by_policy import episode_gradient, reinforce
from imitlib.rl.by_value import q_learning

__all__ = ["CountSteps", "Learned", "episode_gradient", "q_learning", "r_max", "reinforce"]
