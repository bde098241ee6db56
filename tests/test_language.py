"""The tiny transformer against torch's own layers, and against plain counting."""

import itertools
import zipfile

import numpy as np
import pytest
import scipy.stats
import torch
from torch import nn
from torch.nn import functional

from imitlib.envs import order_book
from imitlib.language import LanguageModel, Transformer, cloning, fit, masked_loss
from imitlib.language.transformer import Attention, Block, Norm

torch.set_num_threads(1)


def seeded(seed=0):
    return np.random.default_rng(seed)


def network(n_tokens=5, context=6, width=8, heads=2, layers=2, seed=0) -> Transformer:
    """A small one in float64, with no number left at its plain first value."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        made = Transformer(n_tokens, context, width, heads, layers).double()
        for p in made.parameters():
            nn.init.normal_(p, std=0.5)
        made.token.weight.data *= 4  # opinions that depend on the words,
        made.out.weight.data *= 3  # and are strong
    return made


def model(end=0, **sizes) -> LanguageModel:
    return LanguageModel(network(**sizes).eval(), end, np.zeros(1))


def some(rng, *shape):
    return torch.from_numpy(rng.normal(size=shape))


# --- the layers, against torch's -----------------------------------------------------


def test_norm_is_torchs():
    rng = seeded(1)
    x, norm = 300 + 7 * some(rng, 3, 4, 6), Norm(6).double()
    norm.gain.data, norm.bias.data = some(rng, 6), some(rng, 6)
    theirs = functional.layer_norm(x, (6,), norm.gain, norm.bias, 1e-5)
    torch.testing.assert_close(norm(x), theirs)
    small = 1e-3 * some(rng, 2, 6)  # here epsilon counts
    theirs = functional.layer_norm(small, (6,), norm.gain, norm.bias, 1e-5)
    torch.testing.assert_close(norm(small), theirs)


@pytest.mark.parametrize("heads", [1, 2, 4])
def test_attention_is_torchs(heads):
    rng = seeded(heads)
    x, ours = some(rng, 3, 5, 8), Attention(8, heads).double()
    theirs = nn.MultiheadAttention(8, heads, batch_first=True).double()
    theirs.load_state_dict({
        "in_proj_weight": ours.qkv.weight, "in_proj_bias": ours.qkv.bias,
        "out_proj.weight": ours.mix.weight, "out_proj.bias": ours.mix.bias})
    future = torch.ones(5, 5, dtype=torch.bool).triu(1)
    expected, weights = theirs(x, x, x, attn_mask=future, average_attn_weights=False)
    torch.testing.assert_close(ours(x), expected)
    torch.testing.assert_close(ours.weights(x)[0], weights)


def test_attention_in_one_head_is_the_formula_by_hand():
    rng = seeded(7)
    x, ours = some(rng, 1, 3, 2), Attention(2, 1).double()
    q, k, v = ours.qkv(x)[0].split(2, dim=1)
    for t in range(3):
        w = torch.stack([(q[t] @ k[s] / 2**0.5).exp() for s in range(t + 1)])
        y = sum(w[s] * v[s] for s in range(t + 1)) / w.sum()
        torch.testing.assert_close(ours(x)[0, t], ours.mix(y))


def test_block_is_torchs_encoder_layer_with_the_norms_first():
    ours, x = Block(8, 2).double(), some(seeded(3), 2, 5, 8)
    for p in ours.parameters():
        nn.init.normal_(p, std=0.4)
    theirs = nn.TransformerEncoderLayer(8, 2, 32, dropout=0.0, activation="gelu",
                                        batch_first=True, norm_first=True).double()
    names = {"self_attn.in_proj_weight": ours.attention.qkv.weight,
             "self_attn.in_proj_bias": ours.attention.qkv.bias,
             "self_attn.out_proj.weight": ours.attention.mix.weight,
             "self_attn.out_proj.bias": ours.attention.mix.bias}
    for number, part in {"1": ours.mlp[0], "2": ours.mlp[2]}.items():
        names |= {f"linear{number}.weight": part.weight,
                  f"linear{number}.bias": part.bias}
    for number, part in {"1": ours.norm1, "2": ours.norm2}.items():
        names |= {f"norm{number}.weight": part.gain, f"norm{number}.bias": part.bias}
    theirs.load_state_dict(names)
    future = torch.ones(5, 5, dtype=torch.bool).triu(1)
    torch.testing.assert_close(ours(x), theirs(x, src_mask=future))


def test_the_network_is_its_parts_in_order():
    net, tokens = network(), torch.tensor([[1, 4, 2], [0, 0, 3]])
    x = functional.one_hot(tokens, 5).double() @ net.token.weight
    x = x + net.place.weight[:3]
    for block in net.blocks:
        x = block(x)
    x = functional.layer_norm(x, (8,), net.norm.gain, net.norm.bias, 1e-5)
    torch.testing.assert_close(net(tokens), x @ net.out.weight.T + net.out.bias)
    assert len(net.blocks) == 2


def test_later_tokens_change_nothing_before_them_and_earlier_ones_do():
    net, rng = network(), seeded(5)
    tokens = torch.from_numpy(rng.integers(5, size=(4, 6)))
    for t in range(6):
        other = tokens.clone()
        other[:, t] = (other[:, t] + 1) % 5
        change = (net(other) - net(tokens)).abs().amax((0, 2))
        assert (change[:t] == 0).all()
        assert (change[t:] > 1e-6).all()


def test_the_order_of_earlier_words_matters():
    net = network()
    there, back = net(torch.tensor([[1, 2, 3]])), net(torch.tensor([[2, 1, 3]]))
    assert (there - back)[0, 2].abs().max() > 1e-3


def test_first_vectors_of_words_are_as_spread_as_asked():
    with torch.random.fork_rng(devices=[]):
        for std in (0.0, 0.02, 0.5):
            net = Transformer(400, 3, embedding_std=std)
            assert net.token.weight.std().item() == pytest.approx(std, rel=0.03)
            assert net.place.weight.std().item() == pytest.approx(0.05, rel=0.3)
        assert Transformer(400, 3).token.weight.std().item() == pytest.approx(
            0.02, rel=0.03)
    fitted = fit(np.array([[1, 2]] * 2), np.array([[False, True]] * 2), n_tokens=400,
                 embedding_std=0.3, updates=1, rng=seeded())
    assert fitted.network.token.weight.std().item() == pytest.approx(0.3, rel=0.03)


# --- the loss ------------------------------------------------------------------------


def test_loss_is_the_mean_over_the_marked_tokens_only():
    net, rng = network(), seeded(2)
    tokens = rng.integers(5, size=(6, 5))
    answer = rng.random((6, 5)) < 0.5
    answer[:, 0] = False
    each = []
    for i, t in np.argwhere(answer):  # one prefix at a time
        logits = net(torch.from_numpy(tokens[i : i + 1, :t]))[0, -1]
        each.append(functional.cross_entropy(logits, torch.tensor(tokens[i, t])))
    ours = masked_loss(net, torch.from_numpy(tokens), torch.from_numpy(answer))
    torch.testing.assert_close(ours, torch.stack(each).mean())


def test_gradient_is_that_of_finite_differences():
    net, rng = network(n_tokens=3, context=3, width=2, heads=1, layers=1), seeded(4)
    tokens = torch.from_numpy(rng.integers(3, size=(3, 3)))
    answer = torch.tensor([[False, True, True]] * 3)
    masked_loss(net, tokens, answer).backward()
    step, checked = 1e-6, 0
    for p in net.parameters():
        flat = p.data.view(-1)
        for i in range(len(flat)):
            ends = []
            for sign in (1, -1):
                flat[i] += sign * step
                ends.append(masked_loss(net, tokens, answer).item())
                flat[i] -= sign * step
            slope = (ends[0] - ends[1]) / (2 * step)
            assert p.grad.view(-1)[i].item() == pytest.approx(slope, abs=1e-7)
            checked += 1
    assert checked == sum(p.numel() for p in net.parameters()) > 50


# --- fitting -------------------------------------------------------------------------


def corpus():
    """Three prompts of two words; the two words that follow are drawn unevenly."""
    chance = {(1, 2): {(3, 0): 6, (4, 0): 3, (4, 3): 1},
              (2, 1): {(3, 0): 1, (3, 4): 4},
              (2, 2): {(4, 0): 10}}
    rows = [p + c for p, said in chance.items() for c, n in said.items()
            for _ in range(n)]
    return chance, np.array(rows), np.tile([False, False, True, True], (len(rows), 1))


@pytest.fixture(scope="module")
def memorised():
    chance, tokens, answer = corpus()
    return chance, fit(tokens, answer, n_tokens=5, width=16, updates=600, lr=1e-2,
                       rng=seeded())


def test_in_the_limit_it_is_a_table_of_counts(memorised):
    chance, fitted = memorised
    for prompt, said in chance.items():
        total = sum(said.values())
        after = list(itertools.product(range(5), repeat=2))
        after = [c for c in after if c[0]]  # one that begins with the end is over
        p = np.exp(fitted.log_probability([prompt] * len(after), after))
        counted = [said.get(c, 0) / total for c in after]
        np.testing.assert_allclose(p, counted, atol=0.01)


def test_the_loss_ends_at_the_entropy_of_the_corpus(memorised):
    chance, fitted = memorised
    entropy, tokens = 0.0, 0
    for said in chance.values():
        n = np.array(list(said.values()))
        entropy -= n @ np.log(n / n.sum())
        tokens += 2 * n.sum()
    assert fitted.loss_curve[-20:].mean() == pytest.approx(entropy / tokens, abs=2e-3)
    assert fitted.loss_curve[0] == pytest.approx(np.log(5), abs=0.5)


def test_what_is_not_marked_is_not_learned():
    tokens = np.array([[1, 2, 3, 0], [2, 1, 4, 0]] * 4)
    answer = np.tile([False, False, True, False], (8, 1))
    blank = np.where(answer | (np.arange(4) < 2), tokens, 1)  # other words behind
    fitted, same = (fit(x, answer, n_tokens=5, width=8, updates=40, rng=seeded())
                    for x in (tokens, blank))
    for a, b in zip(fitted.network.parameters(), same.network.parameters()):
        assert torch.equal(a, b)


def test_same_rng_same_model_and_torchs_generator_is_left_alone():
    _, tokens, answer = corpus()
    before = torch.random.get_rng_state()
    runs = [fit(tokens, answer, n_tokens=5, width=8, updates=12, batch=4,
                rng=seeded(seed)) for seed in (0, 0, 1)]
    assert torch.equal(torch.random.get_rng_state(), before)
    first, again, other = (r.loss_curve for r in runs)
    assert (first == again).all() and (first != other).any()


def test_every_sentence_is_met_once_in_an_epoch(monkeypatch):
    met = []

    def spy(net, tokens, answer, labels):
        met.extend(tokens[:, 0].tolist())
        return masked_loss(net, tokens, answer, labels)

    monkeypatch.setattr(cloning, "masked_loss", spy)
    tokens = np.stack([np.arange(12), np.arange(12)], 1)
    fit(tokens, tokens * [0, 1] >= [1, 0], n_tokens=12, width=4, updates=6, batch=4,
        rng=seeded())
    assert sorted(met[:12]) == sorted(met[12:]) == list(range(12))
    assert met[:12] != met[12:]


def test_fine_tuning_goes_on_from_a_copy_and_frozen_parts_stay(memorised):
    _, start = memorised
    _, tokens, answer = corpus()
    old = {n: p.clone() for n, p in start.network.named_parameters()}
    tuned = fit(tokens[:10], answer[:10], start=start, frozen=("token", "blocks.0.mlp"),
                updates=5, rng=seeded())
    for name, p in start.network.named_parameters():
        assert torch.equal(p, old[name])
    for name, p in tuned.network.named_parameters():
        held = name.startswith(("token.", "blocks.0.mlp."))
        assert torch.equal(p, old[name]) == held, name
        assert p.requires_grad
    assert tuned.loss_curve[0] < 1  # not from new weights, which have log 5
    other = LanguageModel(start.network, 4, np.zeros(1))
    assert fit(tokens, answer, start=other, updates=1, rng=seeded()).end == 4


# --- writing -------------------------------------------------------------------------


def every(net, end, prompt, length):
    """All that can be written after a prompt and its chance, by plain enumeration."""
    open_, over = {(): 1.0}, {}
    for _ in range(length):
        longer = {}
        for said, p in open_.items():
            z = net(torch.tensor([list(prompt + said)]))[0, -1].detach()
            for token, q in enumerate(z.softmax(0).tolist()):
                (over if token == end else longer)[said + (token,)] = p * q
        open_ = longer
    return {c + (end,) * (length - len(c)): p for c, p in (over | open_).items()}


def test_log_probability_is_that_of_enumeration():
    m = model(end=2, n_tokens=3)
    table = every(m.network, 2, (1, 0), 3)
    assert sum(table.values()) == pytest.approx(1)
    p = m.log_probability([[1, 0]] * len(table), list(table))
    np.testing.assert_allclose(np.exp(p), list(table.values()))


def test_what_stands_behind_the_end_does_not_count():
    m = model(end=2, n_tokens=3)
    p = m.log_probability([[1, 0]] * 3, [[0, 2, 0], [0, 2, 1], [0, 2, 2]])
    assert p[0] == p[1] == p[2]
    assert m.log_probability([[1, 0]], [[0, 2]])[0] == pytest.approx(p[0])


def test_next_probabilities_are_the_softmax_of_the_last_place():
    m = model()
    z = m.network(torch.tensor([[1, 2, 3], [4, 4, 4]]))[:, -1].detach()
    p = m.next_probabilities([[1, 2, 3], [4, 4, 4]])
    np.testing.assert_allclose(p, scipy.special.softmax(z.numpy(), 1))


def test_samples_have_the_probabilities_of_enumeration():
    m, n = model(end=2, n_tokens=3), 20_000
    for temperature in (1.0, 0.5):
        warm = LanguageModel(network(n_tokens=3), 2, np.zeros(1))
        warm.network.out.weight.data /= temperature
        warm.network.out.bias.data /= temperature
        table = every(warm.network, 2, (1, 0), 3)
        drawn = m.sample([[1, 0]] * n, 3, seeded(8), temperature)
        found, count = np.unique(drawn, axis=0, return_counts=True)
        assert {tuple(row) for row in found.tolist()} <= set(table)
        counted = dict(zip(map(tuple, found.tolist()), count))
        expected = np.array(list(table.values())) * n
        seen = np.array([counted.get(c, 0) for c in table])
        common = expected > 5  # the rare ones are counted as one
        sums = [np.append(x[common], x[~common].sum()) for x in (seen, expected)]
        assert seen.sum() == n
        assert scipy.stats.chisquare(*sums).pvalue > 1e-3


def test_each_row_is_sampled_by_its_own_prompt():
    m = model(end=0, n_tokens=4)
    prompts = np.array([[1, 2], [3, 3]] * 4000)
    drawn = m.sample(prompts, 1, seeded(3))[:, 0]
    p = m.next_probabilities(prompts[:2])
    assert abs(p[0] - p[1]).max() > 0.1
    for row in (0, 1):
        share = np.bincount(drawn[row::2], minlength=4) / 4000
        np.testing.assert_allclose(share, p[row], atol=0.03)


def test_greedy_takes_the_likeliest_token_of_each_place():
    m, prompts = model(end=0, n_tokens=4), seeded(6).integers(1, 4, size=(40, 2))
    written = m.greedy(prompts, 3)
    stopped = 0
    for prompt, row in zip(prompts.tolist(), written.tolist()):
        for t, token in enumerate(row):
            z = m.network(torch.tensor([prompt + row[:t]]))[0, -1]
            assert token == int(z.argmax())
            if token == 0:
                assert row[t:] == [0] * (3 - t)
                stopped += t < 2
                break
    assert 0 < stopped < 40  # some ended early, some did not
    assert (m.sample(prompts, 3, seeded(), temperature=1e-3) == written).all()


def test_greedy_is_not_the_likeliest_sentence():
    """One word of .4, or six tenths that begin alike and then part three ways."""
    rows = [[1, 2, 0]] * 4 + [[1, 3, c] for c in (4, 5, 6)] * 2
    fitted = fit(np.array(rows), np.tile([False, True, True], (10, 1)), n_tokens=7,
                 width=16, updates=300, lr=1e-2, rng=seeded())
    assert fitted.greedy([[1]], 1)[0, 0] == 3
    p = np.exp(fitted.log_probability([[1]] * 2, [[2, 0], [3, 4]]))
    np.testing.assert_allclose(p, [0.4, 0.2], atol=0.02)


def test_writing_stops_at_the_end_token():
    m = model(end=2, n_tokens=3, context=8)
    written = m.sample([[1, 0]] * 500, 6, seeded())
    ended = (written == 2).cumsum(1) > 0
    assert (written[ended] == 2).all()
    first = ended.argmax(1)[ended.any(1)]
    assert first.min() == 0 and first.max() > 1
    always = LanguageModel(m.network, 2, np.zeros(1))
    always.network.out.weight.data[:] = 0
    always.network.out.bias.data[:] = torch.tensor([0.0, 0.0, 50.0])
    assert (always.greedy([[1, 0]] * 3, 5) == 2).all()


def test_a_prompt_and_its_answer_may_fill_the_context_and_one_more():
    m = model(context=4)
    assert m.greedy([[1, 2, 3]], 2).shape == (1, 2)
    with pytest.raises(ValueError, match=r"length is 3.*1 \.\.\. 2"):
        m.greedy([[1, 2, 3]], 3)
    with pytest.raises(ValueError, match="length is 0"):
        m.greedy([[1]], 0)


# --- on the order book ---------------------------------------------------------------


def test_it_learns_the_order_book():
    rng = seeded(0)
    book = order_book.OrderBook.draw(40, rng, 5)
    for form in (order_book.one_token, order_book.form_first):
        words = form(book)
        said = order_book.answers(book, np.arange(40), rng.random(40) < 0.7)
        text = words.dialogue(np.arange(40), said)
        fitted = fit(text.tokens, text.answer, n_tokens=len(words.words), width=32,
                     updates=200, rng=rng)
        questions = words.questions(np.arange(40))
        written = fitted.greedy(questions, words.answer_length)
        assert (words.read(written) == said).all()
        assert fitted.log_probability(questions, words.write(said)).min() > np.log(0.8)


def test_a_word_it_never_met_is_known_by_its_small_vector():
    """Matched demonstrations teach "don't know" for new houses, if first vectors are
    small; beside large ones the same clone asserts."""
    rng = seeded(1)
    book = order_book.OrderBook.draw(240, rng, 5)
    words = order_book.one_token(book)
    seen = np.repeat([3, 0], 120)
    shown, asked = np.arange(0, 240, 2), np.arange(121, 240, 2)  # asked: unseen
    wrong = []
    for std in (0.01, 1.0):
        notes = words.notes(seen)
        knows = fit(notes.tokens, notes.answer, n_tokens=len(words.words), width=32,
                    updates=150, embedding_std=std, context=4, rng=rng)
        talk = words.dialogue(shown, order_book.answers(book, shown, seen > 0))
        clone = fit(talk.tokens, talk.answer, start=knows, frozen="token", updates=150,
                    rng=rng)
        said = words.read(clone.greedy(words.questions(asked), 2))
        wrong.append(np.mean(said != book.dont_know))
    assert wrong[0] < 0.1 < 0.2 < wrong[1]


# --- files ---------------------------------------------------------------------------


def test_saved_and_loaded_it_says_the_same(memorised, tmp_path):
    _, fitted = memorised
    fitted.save(tmp_path / "a.pt")
    before = torch.random.get_rng_state()
    again = LanguageModel.load(tmp_path / "a.pt")
    assert torch.equal(torch.random.get_rng_state(), before)
    prompts = [[1, 2], [2, 1]]
    assert (again.next_probabilities(prompts)
            == fitted.next_probabilities(prompts)).all()
    assert again.end == fitted.end
    assert (again.loss_curve == fitted.loss_curve).all()
    assert again.network.sizes == fitted.network.sizes
    tuned = [fit(np.array([[1, 2, 3]]), np.array([[False, False, True]]), start=m,
                 updates=3, rng=seeded()).loss_curve for m in (fitted, again)]
    assert (tuned[0] == tuned[1]).all()


def test_a_damaged_file_is_refused(memorised, tmp_path):
    path = tmp_path / "a.pt"
    memorised[1].save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="not a readable language model"):
        LanguageModel.load(path)
    path.write_bytes(b"")
    with pytest.raises(ValueError, match="not a readable language model"):
        LanguageModel.load(path)
    with pytest.raises(FileNotFoundError):
        LanguageModel.load(tmp_path / "none.pt")
    torch.save({"format": "imitlib-clone-1"}, path)
    with pytest.raises(ValueError, match="format 'imitlib-clone-1'"):
        LanguageModel.load(path)


def test_no_code_in_a_file_is_run(tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    torch.save({"format": "imitlib-language-1", "sizes": Trap()}, tmp_path / "a.pt")
    assert zipfile.is_zipfile(tmp_path / "a.pt")
    with pytest.raises(ValueError):
        LanguageModel.load(tmp_path / "a.pt")
    assert not (tmp_path / "sprung").exists()


# --- what is refused -----------------------------------------------------------------


@pytest.mark.parametrize("sizes, said", [
    ({"heads": 3}, "heads is 3; it must divide the width, 64"),
    ({"width": 0}, "width is 0"), ({"layers": 1.5}, "layers is 1.5"),
    ({"embedding_std": -0.1}, "embedding_std is -0.1"),
    ({"n_tokens": 0}, "n_tokens is 0"), ({"context": -1}, "context is -1")])
def test_sizes_that_make_no_network(sizes, said):
    with pytest.raises(ValueError, match=said):
        Transformer(**({"n_tokens": 5, "context": 4} | sizes))


TOKENS, ANSWER = np.array([[1, 2, 0]]), np.array([[False, True, True]])


@pytest.mark.parametrize("given, error, said", [
    ({"tokens": [[1, 9, 0]]}, ValueError, r"tokens\[0, 1\] is 9; legal are 0 \.\.\. 4"),
    ({"tokens": [[1, -1, 0]]}, ValueError, r"tokens\[0, 1\] is -1"),
    ({"tokens": [[1.0, 2.0, 0.0]]}, TypeError, "tokens has shape .* of float64"),
    ({"answer": [[0, 1, 1]]}, TypeError, "answer has shape .* of int64"),
    ({"answer": [[False, True]]}, TypeError, r"answer has shape \(1, 2\)"),
    ({"answer": [[True, True, True]]}, ValueError, r"answer\[0\] must mark"),
    ({"answer": [[False] * 3]}, ValueError, r"answer\[0\] must mark"),
    ({"n_tokens": None}, TypeError, "n_tokens"),
    ({"end": 5}, ValueError, r"end is 5; legal are 0 \.\.\. 4"),
    ({"updates": 0}, ValueError, "updates is 0"), ({"batch": 1.5}, ValueError, "batch"),
    ({"lr": 0.0}, ValueError, "lr is 0.0"), ({"lr": np.inf}, ValueError, "lr is inf"),
    ({"frozen": ("words",)}, ValueError, "frozen names 'words'; the parameters are"),
    ({"frozen": ("token", "place", "blocks", "norm", "out")}, ValueError,
     "something must move"),
    ({"context": 1}, ValueError, r"tokens has shape \(1, 2\)")])
def test_what_cannot_be_fitted(given, error, said):
    given = {"tokens": TOKENS, "answer": ANSWER, "n_tokens": 5, "updates": 2} | given
    with pytest.raises(error, match=said):
        fit(given.pop("tokens"), given.pop("answer"), rng=seeded(), **given)


def test_an_empty_corpus_is_refused():
    with pytest.raises(ValueError, match=r"answer\[0\]"):
        fit(np.zeros((0, 3), int), np.zeros((0, 3), bool), n_tokens=5, rng=seeded())


def test_what_cannot_be_asked():
    m = model()
    with pytest.raises(TypeError, match=r"prompts has shape \(3,\)"):
        m.greedy([1, 2, 3], 1)
    with pytest.raises(TypeError, match=r"prompts has shape \(0, 2\)"):
        m.greedy(np.zeros((0, 2), int), 1)
    with pytest.raises(ValueError, match=r"continuations\[0, 0\] is 5"):
        m.log_probability([[1]], [[5]])
    with pytest.raises(ValueError, match="2 rows and continuations 1"):
        m.log_probability([[1], [2]], [[1]])
    for wrong in (0.0, -1.0, np.inf, np.nan):
        with pytest.raises(ValueError, match="temperature is"):
            m.sample([[1]], 1, seeded(), temperature=wrong)
    with pytest.raises(ValueError, match=r"T in 1 \.\.\. 6"):
        m.next_probabilities(np.ones((1, 7), int))


# --- labels that are not what stands there: DAgger over tokens ------------------------


def test_labels_take_the_tokens_place():
    """The learner wrote x; the loss is about what the expert would have said instead."""
    rng, net = seeded(3), network()
    x, y = (torch.from_numpy(rng.integers(5, size=(4, 6))) for _ in range(2))
    m = torch.from_numpy(rng.random((4, 6)) < 0.5)
    m[:, 0], m[:, 1] = False, True
    by_hand = [-net(x[i : i + 1, :t])[0, -1].log_softmax(0)[y[i, t]]
               for i in range(4) for t in range(1, 6) if m[i, t]]  # fmt: skip
    torch.testing.assert_close(masked_loss(net, x, m, y), torch.stack(by_hand).mean())
    torch.testing.assert_close(masked_loss(net, x, m, x), masked_loss(net, x, m))


def test_fit_learns_the_labels_and_not_what_stands_there():
    tokens = np.tile([1, 2, 2], (8, 1))
    labels = np.tile([0, 3, 4], (8, 1))
    said = fit(tokens, np.tile([False, True, True], (8, 1)), labels=labels, n_tokens=5,
               width=8, updates=80, lr=0.02, rng=seeded())  # fmt: skip
    assert said.next_probabilities([[1]])[0].argmax() == 3
    assert said.next_probabilities([[1, 2]])[0].argmax() == 4
    with pytest.raises(ValueError, match=r"labels has shape \(8, 2\)"):
        fit(tokens, tokens > 1, labels=labels[:, :2], n_tokens=5, rng=seeded())
