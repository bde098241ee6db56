r"""Chapter 03: a talk is a rope, a reply is a lean, and fine-tuning is cloning.

Customers call, and each call has one right reply. After a wrong one the customer says
"hm?", which in Hana's talks never happens; "sorry" would set it right, and Hana, who
never errs, never says it. That is chapter 02's tightrope in words, so what it
says of a clone's cost can be asked of a language model: from the error rate on Hana's
talks alone,

.. math:: J(T) = \sum_{t \le T} 1 - (1 - \varepsilon)^t
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import nn

from imitlib import bc, language
from imitlib.claims import Claim
from imitlib.counting import draw
from imitlib.demonstrations import Demonstrations
from imitlib.envs import tightrope as rope
from imitlib.figures import ROLES, axes, line
from imitlib.heads import Categorical

SEEDS = tuple(range(1000, 1010))
TURNS, RARE_CALLS, RARE_CHANCE, REPLIES = 32, 60, 0.06, 4
LENGTHS = (4, 8, 16, 32)
TALKS, HELD_OUT, CUSTOMERS = 64, 1500, 1500
ROUNDS, UPDATES, BATCH, WIDTH, RATE = 4, 320, 16, 32, 0.01


# A talk as tokens: the replies and "sorry", then the calls and "hm?" -------------------


def n_tokens(world) -> int:
    """Replies, "sorry", calls, "hm?", and an end that never comes."""
    return world.n_actions + world.n_gusts + 2


def sentences(world, felt, said) -> np.ndarray:
    """Calls (B, T) and replies (B, T) in turn, (B, 2T) tokens."""
    both = np.stack([world.n_actions + felt, said], axis=2)
    return both.reshape(len(felt), -1)


def replies(tokens) -> np.ndarray:
    """Which tokens are replies: every second one."""
    return np.broadcast_to(np.arange(tokens.shape[1]) % 2 == 1, tokens.shape).copy()


class Talker:
    """A language model as a policy of the rope: it has read all that was said before.

    Greedy, or drawn with `rng`. After a walk, `tokens` is what was called and said.
    """

    def __init__(self, world, model, rng=None):
        self.world, self.model, self.rng, self.tokens = world, model, rng, None

    def __call__(self, observations):
        clock, felt = observations.T
        call = (self.world.n_actions + felt)[:, None]
        self.tokens = call if clock[0] == 0 else np.hstack([self.tokens, call])
        p = self.model.next_probabilities(self.tokens)[:, : self.world.n_actions]
        p = p / p.sum(axis=1, keepdims=True)
        said = p.argmax(axis=1) if self.rng is None else draw(p, self.rng)
        self.tokens = np.hstack([self.tokens, said[:, None]])
        return said


def hers(world, talks, rng):
    """So many of Hana's talks: tokens (B, 2T), and her replies as labels at their places."""
    demos = rope.demonstrate(world, talks, rng)
    felt = demos.observations[:, 1].reshape(talks, world.horizon)
    tokens = sentences(world, felt, demos.actions.reshape(felt.shape))
    return tokens, tokens


def his(world, talks, rng, model):
    """So many talks of Rollo's, and what Hana would have replied at each place."""
    talker = Talker(world, model)
    demos = rope.demonstrate(world, talks, rng, talker)
    labels = talker.tokens.copy()
    labels[:, 1::2] = demos.actions.reshape(talks, world.horizon)
    return talker.tokens, labels


def study(world, pile, rng, updates=UPDATES):
    """A new language model, cloned on (tokens, labels)."""
    tokens, labels = pile
    return language.fit(
        tokens, replies(tokens), labels=labels, n_tokens=n_tokens(world),
        end=n_tokens(world) - 1, width=WIDTH, updates=updates, batch=BATCH, lr=RATE,
        rng=rng,
    )  # fmt: skip


def distil(world, rng):
    """On-policy distillation: Rollo talks, Hana labels, all of it on one pile. DAgger.

    As many labelled replies as the clone is given.
    """
    pile = hers(world, TALKS // ROUNDS, rng)
    for i in range(1, ROUNDS):
        model = study(world, pile, rng, updates=UPDATES * i // ROUNDS)
        new = his(world, TALKS // ROUNDS, rng, model)
        pile = tuple(np.vstack(both) for both in zip(pile, new, strict=True))
    return study(world, pile, rng)


# The same loss, from chapter 02's side -----------------------------------------------


class LastWord(nn.Module):
    """A network as `bc` knows them: one row of numbers in, (B, V) out.

    A row is all that was said, filled up behind with -1.
    """

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, rows):
        tokens = rows.round().long()
        last = (tokens >= 0).sum(dim=1) - 1
        z = self.network(tokens.clamp(min=0))
        return z[torch.arange(len(rows)), last]


def pairs(tokens, answer) -> Demonstrations:
    """(what was said before, the next token), each marked token a row of its own."""
    row, place = np.nonzero(answer)
    before = np.full((len(row), tokens.shape[1]), -1.0)
    for i, (r, t) in enumerate(zip(row, place, strict=True)):
        before[i, :t] = tokens[r, :t]
    return Demonstrations(before, tokens[row, place], row)


def as_clone(network) -> bc.Clone:
    """A language model's network as a clone of chapter 02, inputs taken as they are."""
    V, T = network.sizes["n_tokens"], network.sizes["context"]
    untouched = np.stack([np.zeros(T), np.ones(T)])
    empty = np.empty(0)
    return bc.Clone(LastWord(network), Categorical(V), untouched, None, empty, empty)


def gradient(network, loss) -> np.ndarray:
    """Of a loss, in all of the network's numbers."""
    parts = torch.autograd.grad(loss, list(network.parameters()))
    return torch.cat([g.flatten() for g in parts]).numpy()


def disagreement(network, tokens, answer) -> tuple[float, float]:
    """How far the two chapters' losses are apart, and their gradients (relatively)."""
    x, m = torch.from_numpy(tokens), torch.from_numpy(answer)
    ours = language.masked_loss(network, x, m)
    clone, data = as_clone(network), pairs(tokens, answer)
    theirs = bc.nll(clone, data)
    rows = torch.from_numpy(data.observations).float()
    z = clone.network(rows)
    again = -clone.head.log_likelihood(z, clone.head.targets(data.actions)).mean()
    a, b = gradient(network, ours), gradient(network, again)
    apart = np.linalg.norm(a - b) / np.linalg.norm(a)
    return abs(ours.item() - theirs), float(apart)


# The experiment ----------------------------------------------------------------------


def errors(world, model, talks, rng):
    """Greedy and drawn replies that are wrong, on Hana's talks (teacher-forced)."""
    tokens, _ = hers(world, talks, rng)
    with torch.inference_mode():  # what it would say after each of her calls
        z = model.network(torch.from_numpy(tokens[:, :-1]))[:, ::2, : world.n_actions]
        p = z.double().softmax(2).numpy()
    right = tokens[:, 1::2]
    chance = np.take_along_axis(p, right[:, :, None], axis=2)
    return float((p.argmax(2) != right).mean()), float(1 - chance.mean())


def measure_talking(seed: int) -> dict:
    """Loss against loss, and cost in free talk against cost predicted from her talks."""
    rng = np.random.default_rng(seed)
    still = rope.mostly_still(RARE_CALLS, RARE_CHANCE)
    no_way = rope.build(TURNS, still, rng, n_leans=REPLIES)
    sorry, easy = (replace(no_way, recovery=way) for way in ("expert", "easy"))
    clone = study(no_way, hers(no_way, TALKS, rng), rng)
    distilled = distil(sorry, rng)
    out = {}
    checked = hers(no_way, 6, rng)[0]
    made_up = rng.integers(n_tokens(no_way), size=(6, 2 * TURNS))
    some = rng.random(made_up.shape) < 0.5
    some[:, 0], some[:, 1] = False, True
    cases = [(checked, replies(checked)), (made_up, some)]
    apart = [disagreement(m.network, *c) for m in (clone, distilled) for c in cases]
    out["loss_apart"], out["gradient_apart"] = np.max(apart, axis=0).tolist()
    arms = (
        ("clone", clone, sorry, False, None),
        ("easy", clone, easy, True, None),
        ("distilled", distilled, sorry, True, None),
        ("sampled", clone, sorry, False, rng),
    )
    wrong = {model: errors(no_way, model, HELD_OUT, rng) for model in (clone, distilled)}
    for name, model, world, recovers, luck in arms:
        error = wrong[model][luck is not None]
        walked = rope.walk(world, Talker(world, model, luck), CUSTOMERS, rng)
        cost = np.cumsum(walked.mean(axis=1))
        at = np.array(LENGTHS) - 1
        predicted = rope.expected_cost(error, TURNS, recovers=recovers)
        out[f"error_{name}"] = error
        out[f"cost_{name}"] = cost[at].tolist()
        out[f"predicted_{name}"] = predicted[at].tolist()
    return out


ARMS = ("clone", "sampled", "easy", "distilled")


def growth(s) -> dict:
    """Of the mean costs over seeds: slopes, measured over predicted, and the ratio."""
    out = {}
    for name in ARMS:
        cost, foretold = (s[f"{q}_{name}"].mean(axis=0) for q in ("cost", "predicted"))
        out[f"slope_{name}"] = slope(LENGTHS, cost)
        out[f"surprise_{name}"] = float(cost[-1] / max(foretold[-1], 1e-12))
    ends = [s[f"cost_{name}"][:, -1].mean() for name in ("clone", "distilled")]
    return out | {"ratio": float(ends[0] / max(ends[1], 1e-12))}


def slope(x, y) -> float:
    """The power that fits best on logarithmic axes; nan where nothing grows."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    return float(np.polyfit(np.log(x), np.log(y), 1)[0]) if (y > 0).all() else float("nan")


def talking_holds(s) -> bool:
    """See the claim's predicate."""
    d = growth(s)
    return bool(
        (s["loss_apart"] < 1e-5).all()
        and (s["gradient_apart"] < 1e-4).all()
        and all(1.6 < d[f"slope_{name}"] < 2.1 for name in ("clone", "sampled"))
        and all(0.7 < d[f"slope_{name}"] < 1.3 for name in ("easy", "distilled"))
        and all(0.7 < d[f"surprise_{name}"] < 1.3 for name in ARMS)
        and d["ratio"] > 3
    )


# Figure ------------------------------------------------------------------------------


def fig_talking(s):
    """Cost against length: lines predicted from Hana's talks, marks measured in free talk."""
    fig, ax = axes("turns of the talk, T", "mean number of turns after a wrong word")
    d = growth(s)
    for name, role, label, nudge in (
        ("clone", "learner", "clone, never\nheard \"sorry\"", 0),
        ("distilled", "person", "distilled: says\n\"sorry\"", 10),
        ("easy", "robot", "clone, kind\ncustomers", -12),
    ):
        foretold, cost = s[f"predicted_{name}"].mean(axis=0), s[f"cost_{name}"]
        line(ax, LENGTHS, foretold, role, label, marker=False, nudge=nudge)
        look = ROLES[role]
        ax.plot(LENGTHS, cost.mean(axis=0), look.marker, color=look.color, ms=6, alpha=0.8)
        ax.fill_between(LENGTHS, cost.min(axis=0), cost.max(axis=0), color=look.color,
                        alpha=0.18, lw=0)  # fmt: skip
    ax.set_xscale("log", base=2)
    ax.set_yscale("log")
    ax.set_xticks(LENGTHS, [str(t) for t in LENGTHS])
    ax.minorticks_off()
    alt = (
        f"Turns spent after a wrong word against the length of the talk, {LENGTHS[0]} to "
        f"{LENGTHS[-1]} turns, both axes logarithmic. The transformer cloned on Hana's talks "
        f"rises with slope {d['slope_clone']:.2f}; with customers who forgive, the same one "
        f"rises with slope {d['slope_easy']:.2f}; the one taught on its own talks with "
        f"{d['slope_distilled']:.2f}. Marks lie near lines predicted from Hana's talks."
    )
    return fig, alt


# The ledger --------------------------------------------------------------------------

GIVEN = {
    "talking-turns": TURNS,
    "talking-talks": TALKS,
    "talking-rare-calls": RARE_CALLS,
    "talking-rounds": ROUNDS,
}

CLAIMS = [
    Claim(
        id="il-sft",
        chapter="03",
        statement="Fine-tuning a language model on demonstrations is behavioral cloning: the "
        "same loss, and the same growth of what an error costs. Trained on its own talks with "
        "the expert's labels (on-policy distillation), the same model learns the word that "
        "sets an error right.",
        predicate="the language loss and chapter 02's on (prefix, token) pairs differ by "
        "less than 1e-5, their gradients by less than 1e-4 of their length, for every "
        "model on talks and on made-up ones; slope of log mean cost in log length (4 to 32 turns) "
        "between 1.6 and 2.1 for the clone, greedy and sampled, between 0.7 and 1.3 with "
        "customers who forgive, and for the distilled one; each mean cost at 32 turns within "
        "30 % of what the error rate on Hana's talks predicts; clone / distilled > 3",
        holds=talking_holds,
        measure=measure_talking,
        derive=growth,
        headline="slope_clone",
        status="reproduced",
        source="[A]",
        papers=("ross2010efficient", "ross2011reduction", "lin2020autoregressive",
                "agarwal2024onpolicy"),
        literature="Lin et al. (2020) take distillation of a text generator for imitation "
        "learning, and Agarwal et al. (2024) train a student language model on sequences that it "
        "wrote itself, with the teacher's opinion of them, so that it meets in training what "
        "it meets in use. Ross and Bagnell (2010) and Ross, Gordon and Bagnell (2011) have the "
        "two laws of growth.",
        seeds=SEEDS,
        rtol={"loss_apart": ("abs", 1e-5), "gradient_apart": ("abs", 1e-4)}
        | {f"error_{n}": ("abs", 0.001) for n in ARMS}
        | {f"{q}_{n}": ("abs", x) for q in ("cost", "predicted")
           for n, x in (("clone", 0.3), ("sampled", 0.3), ("easy", 0.03), ("distilled", 0.05))},
        note="The world is chapter 02's rope in words: common and rare calls, one right reply "
        "each, and a word of recovery that the expert never needs. The distilled model has as "
        "many labels as the clone, errs more often on Hana's talks, and pays less.",
    ),
]
