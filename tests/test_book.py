"""The built book keeps its rules, and each rule catches a planted violation."""

import json
import re
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup

import built_book

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "book" / "_ext"))
import companion  # noqa: E402
from companion import chapters, frontdoor, town  # noqa: E402

CONFIG = (ROOT / "_config.yml").read_text(encoding="utf-8")
REPOSITORY = yaml.safe_load(CONFIG)["repository"]
ADDRESS = REPOSITORY["url"]
DOCUMENTS = built_book.documents()
CONTENTS = (ROOT / "book" / "contents.md").read_text(encoding="utf-8")
CHAPTER_02 = {
    "bc-supervised",
    "bc-compounding",
    "bc-low-error-still-crashes",
    "bc-causal-confusion",
    "bc-horizon-free",
    "bc-real-people",
    "bc-multimodal",
}
READY = [n for n in chapters.CHAPTERS if chapters.docname(n) in DOCUMENTS]


pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def book() -> dict[str, BeautifulSoup]:
    folder = built_book.build()
    pages = sorted(folder.rglob("*.html"))
    inside = [p for p in pages if "_static" not in p.relative_to(folder).parts]
    return {
        p.relative_to(folder).with_suffix("").as_posix(): soup(
            p.read_text(encoding="utf-8")
        )
        for p in inside
    }


def soup(html: str) -> BeautifulSoup:
    return BeautifulSoup(html, "html.parser")


# The rules -----------------------------------------------------------------------------


def foreign_hosts(page) -> list[str]:
    """What a page would fetch from another host by being opened."""
    loads = {
        "script": "src",
        "img": "src",
        "iframe": "src",
        "source": "src",
        "video": "src",
    }
    found = [
        tag[attr] for name, attr in loads.items() for tag in page(name) if tag.get(attr)
    ]
    fetched = {
        "stylesheet",
        "icon",
        "preload",
        "preconnect",
        "modulepreload",
        "manifest",
    }
    found += [
        tag["href"]
        for tag in page("link", href=True)
        if fetched & set(tag.get("rel", []))
    ]
    return [address for address in found if urlsplit(address).netloc]


def foreign_in_styles(css: str) -> list[str]:
    """What a stylesheet would fetch from another host."""
    return re.findall(r"(?:url\(|@import)\s*['\"]?((?:https?:)?//[^'\")\s]+)", css)


def raw_markup(page) -> list[str]:
    """MyST that was not understood and is read as text: roles, fences, substitutions."""
    article = soup(str(page.find("article") or page))
    for code in article(["code", "pre", "script", "style"]):
        code.decompose()
    return re.findall(r"\{[a-z][\w:.-]*\}`|:::+\s*\{|```\{|\{\{", article.get_text())


def without_alt(page) -> list[str]:
    """Pictures that say nothing to those who cannot see them."""
    silent = [
        str(tag)[:80] for tag in page("img") if not (tag.get("alt") or "").strip()
    ]
    return silent + [str(tag)[:80] for tag in page("svg") if not speaks(tag)]


def speaks(svg) -> bool:
    parents = [svg, *svg.parents]
    named = any(p.get("aria-label") or p.get("aria-hidden") == "true" for p in parents)
    return named or svg.find("title") is not None


def too_long(words: str, limit: int = 120) -> list[str]:
    count = len(words.split())
    return [f"{count} words"] if count > limit else []


def hook_faults(words: str) -> list[str]:
    """A hook is short, ends in the page's question, and invents no number."""
    faults = too_long(words)
    if not words.rstrip().endswith("?"):
        faults.append("does not end in a question")
    numerals = re.findall(r"(?<!door )\b\d[\d.,]*", words, re.I)
    return faults + [f"{n} is a number that nothing measured" for n in numerals]


def replaces_theme_options(config: str) -> bool:
    """`html_theme_options` would silently remove every launch button."""
    kept = "\n".join(line.split("#")[0] for line in config.splitlines())
    return "html_theme_options" in kept


def missing_links(page, document: str) -> list[str]:
    """Report and, on a page with a source, edit and repository links to our address."""
    links = [tag["href"] for tag in page("a", href=True)]
    wanted = {
        "report": f"{ADDRESS}/issues/new?title=Mistake",
        "issue": f"{ADDRESS}/issues/new?title=Issue",
        "edit": f"{ADDRESS}/edit/{REPOSITORY['branch']}/{document}",
    }
    return [
        name
        for name, start in wanted.items()
        if not any(x.startswith(start) for x in links)
    ]


PLANTED = [
    (foreign_hosts, '<script src="https://cdn.example/x.js"></script>'),
    (foreign_hosts, '<script src="//cdn.example/x.js"></script>'),
    (foreign_hosts, '<link rel="stylesheet" href="https://fonts.example/f.css">'),
    (foreign_hosts, '<img alt="a cart" src="http://pictures.example/cart.png">'),
    (raw_markup, "<article><p>see {ref}`there`</p></article>"),
    (raw_markup, "<article><p>see {cite:p}`ross2011`</p></article>"),
    (raw_markup, "<article><p>:::{note}</p></article>"),
    (without_alt, '<img src="x.png">'),
    (without_alt, '<img alt=" " src="x.png">'),
    (without_alt, "<svg><path d='M0 0'/></svg>"),
]


@pytest.mark.parametrize(("rule", "html"), PLANTED)
def test_a_planted_violation_is_caught(rule, html):
    assert rule(soup(html))


def test_planted_violations_in_text_are_caught():
    assert foreign_in_styles('@import "https://fonts.example/f.css";')
    assert foreign_in_styles("a{background:url(//pictures.example/a.png)}")
    assert too_long("word " * 121) and not too_long("word " * 120)
    assert hook_faults("It drives. It stops.") == ["does not end in a question"]
    assert hook_faults("It failed 98 times. Why?") == [
        "98 is a number that nothing measured"
    ]
    assert not hook_faults("It went to door 2. Why?")
    assert replaces_theme_options("sphinx:\n  config:\n    html_theme_options: {}\n")
    assert not replaces_theme_options("# never html_theme_options\n")
    elsewhere = soup(
        '<a href="https://github.com/other/book/edit/main/book/index.md">edit</a>'
    )
    assert missing_links(elsewhere, "book/index") == ["report", "issue", "edit"]


def test_clean_pages_are_not_accused():
    clean = '<article><p>See <code>{ref}`x`</code>.</p><img alt="A cart" src="a.png"></article>'
    assert (
        not foreign_hosts(soup(clean))
        + raw_markup(soup(clean))
        + without_alt(soup(clean))
    )
    assert not foreign_hosts(
        soup('<a href="https://arxiv.org/abs/1011.0686">paper</a>')
    )


# The pages -----------------------------------------------------------------------------


def test_every_page_of_the_table_of_contents_exists(book):
    assert len(DOCUMENTS) == len(set(DOCUMENTS)) >= 13
    assert [d for d in DOCUMENTS if built_book.source(d) is None] == []
    assert [d for d in DOCUMENTS if d not in book] == []


def test_nothing_else_was_built(book):
    """A page that no table of contents names would be found by search alone."""
    made_by_sphinx = {"index", "search", "genindex"}
    assert set(book) - set(DOCUMENTS) <= made_by_sphinx


@pytest.mark.parametrize("rule", [foreign_hosts, raw_markup, without_alt])
def test_every_page_keeps_the_rule(book, rule):
    assert {name: rule(page) for name, page in book.items() if rule(page)} == {}


def test_no_stylesheet_fetches_from_another_host(book):
    sheets = (built_book.HTML / "_static").rglob("*.css")
    found = {s.name: foreign_in_styles(s.read_text(encoding="utf-8")) for s in sheets}
    assert {name: hosts for name, hosts in found.items() if hosts} == {}


def test_every_page_has_one_first_heading(book):
    counts = {d: len(book[d].find("article")("h1")) for d in DOCUMENTS}
    assert {d: n for d, n in counts.items() if n != 1} == {}


def test_links_of_every_page_derive_from_the_one_address(book):
    faults = {d: missing_links(book[d], d) for d in DOCUMENTS}
    assert {d: found for d, found in faults.items() if found} == {}


def test_the_report_names_its_page(book):
    for document in DOCUMENTS:
        (link,) = book[document].select(".im-report a")
        query = parse_qs(urlsplit(link["href"]).query)
        title = book[document].find("h1").get_text().rstrip("#").strip()
        assert query["title"] == [f"Mistake on: {title}"]
        assert f"Page: {document}\n" in query["body"][0]


def test_the_report_follows_another_address():
    link = companion.report_address(
        "https://github.com/you/fork/", "book/index", "A & B?"
    )
    assert link.startswith(
        "https://github.com/you/fork/issues/new?title=Mistake%20on%3A%20A%20%26%20B%3F&"
    )


@pytest.mark.parametrize("number", READY)
def test_a_chapter_opens_in_colab_and_binder(book, number):
    links = [tag["href"] for tag in book[chapters.docname(number)]("a", href=True)]
    slug, branch = urlsplit(ADDRESS).path.strip("/"), REPOSITORY["branch"]
    notebook = f"{chapters.docname(number)}.ipynb"
    colab = f"https://colab.research.google.com/github/{slug}/blob/{branch}/{notebook}"
    assert colab in links
    assert any(
        x.startswith(f"https://mybinder.org/v2/gh/{slug}/{branch}?") for x in links
    )


def test_the_configuration_does_not_remove_the_buttons():
    assert not replaces_theme_options(CONFIG)


def test_mathematics_is_served_by_the_book(book):
    with_math = [page for page in book.values() if page.select(".math")]
    assert with_math
    for page in with_math:
        assert [
            s for s in page("script", src=True) if "mathjax/tex-chtml.js" in s["src"]
        ]
    assert (built_book.HTML / "_static" / "mathjax" / "tex-chtml.js").exists()


# What is ready, what is coming ---------------------------------------------------------

HOOKS = re.findall(r"^:::\{hook\} (\w+)\n(.*?)^:::$", CONTENTS, re.M | re.S)


def test_every_chapter_has_one_hook_in_reading_order():
    assert [number for number, _ in HOOKS] == list(chapters.CHAPTERS)


@pytest.mark.parametrize(
    ("number", "words"), HOOKS, ids=[number for number, _ in HOOKS]
)
def test_a_hook_is_short_and_asks(number, words):
    assert hook_faults(words) == []


def test_a_chapter_is_ready_exactly_where_its_notebook_is_listed(book):
    cards = book["book/contents"].select(".im-hook")
    shown = [card.select_one(".im-status").get_text() for card in cards]
    expected = ["ready" if n in READY else "coming" for n in chapters.CHAPTERS]
    assert shown == expected
    for card, number in zip(cards, chapters.CHAPTERS):
        link = card.select_one("h3 a")
        assert (link is not None) == (number in READY)
        assert not link or link["href"].endswith(f"{chapters.CHAPTERS[number][0]}.html")


def test_the_notebooks_of_the_library_and_of_the_contents_have_one_order():
    from imitlib.chapters import ORDER

    names = ["interlude" if n == "RP" else n for n in chapters.CHAPTERS]
    assert names == list(ORDER)


# The ledger ----------------------------------------------------------------------------


def test_the_ledger_shows_every_claim(book):
    from imitlib.claims import all_claims, row

    ledger = book["book/ledger"]
    claims = all_claims()
    assert {claim.id for claim in claims if claim.chapter == "02"} >= CHAPTER_02
    shown = {code.get_text() for code in ledger.select("td:first-child code")}
    assert shown == {claim.id for claim in claims}
    for claim in claims:
        cells = ledger.find(id=f"claim-{claim.id}").find_parent("tr")("td")
        facts = row(claim)
        assert claim.statement.split("`")[0].split("'")[0].strip()[:40] in cells[
            0
        ].get_text(" ")
        assert claim.status in cells[4].get_text()
        if facts["value"] is not None:
            assert ledger_number(cells[1]) == pytest.approx(
                facts["value"], rel=5e-3, abs=1e-9
            )


def plain(text: str) -> str:
    """Letters and digits alone: typographic quotes and markup do not count."""
    return "".join(re.findall(r"[^\W_]+", text))


def ledger_number(cell) -> float:
    return float(cell.find("strong").get_text().replace("−", "-"))


def test_the_ledger_can_be_scrolled_from_the_keyboard(book):
    for table in book["book/ledger"].select("table.im-ledger"):
        assert table.parent["tabindex"] == "0" and table.parent["aria-label"]


def test_the_map_names_every_claim_of_a_ready_chapter():
    from imitlib.claims import all_claims

    text = (ROOT / "book" / "sources.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\{claim\}`([\w-]+)`", text))
    assert {claim.id for claim in all_claims()} <= named


def test_every_reference_can_be_found_and_every_paper_of_a_claim_is_one():
    from imitlib.claims import all_claims

    text = (ROOT / "book" / "references.bib").read_text(encoding="utf-8")
    entries = re.split(r"(?m)^(?=@)", text)[1:]
    keys = {re.match(r"@\w+\{([^,]+),", entry)[1] for entry in entries}
    lost = [
        e.split(",")[0] for e in entries if not re.search(r"\b(doi|eprint|url)\s*=", e)
    ]
    assert lost == []
    assert {paper for claim in all_claims() for paper in claim.papers} <= keys


# The front door ------------------------------------------------------------------------


def test_the_town_has_31_cells_and_nine_ways_through_it():
    assert sum(sign != "#" for sign in town.CELLS.values()) == 31
    routes = town.routes()
    assert len(routes) == len({tuple(route) for route in routes}) == 9
    assert all(len(set(route)) == len(route) for route in routes)


def test_hana_walks_as_the_world_says():
    """Eleven steps round to door 2; seven straight through the school garden."""
    assert len(town.round_about(town.DOORS["2"])) - 1 == 11
    assert len(town.way(town.BAKERY, town.DOORS["2"])) - 1 == 7
    to_one, to_two = (town.round_about(town.DOORS[d]) for d in "12")
    assert to_one[:9] == to_two[:9]  # the first eight moves are shared


@pytest.mark.parametrize("route", town.routes(), ids=str)
def test_the_clone_copies_every_route_and_fails_on_every_one(route):
    table = town.clone(route)
    assert len(table) == len(route) - 1
    assert town.drive(table) == (route, True)
    dug = town.where_to_dig(route)
    trail, arrived = town.drive(table, dug)
    assert not arrived and trail == route[: route.index(dug)]
    assert town.round_about(route[-1], dug), (
        "there is a way round, which the clone misses"
    )


def test_an_unseen_state_repeats_the_last_move():
    """A barrier beside the road is as new to a table as a barrier across it."""
    table = town.clone([(3, 0), (2, 0), (1, 0), (1, 1)])
    assert table.get(town.state((2, 0), dug=(1, 0))) is None
    trail, _ = town.drive(table, dug=(1, 1))
    assert trail == [(3, 0), (2, 0), (1, 0)]  # up, up, and up again against a house


def test_the_first_frame_tells_the_whole_story_without_scripts(book):
    figure = book["book/index"].find(id="town")
    tale = frontdoor.story()
    words = figure.select_one("[data-part=status]").get_text()
    assert f"in {len(tale['walk']) - 1} steps" in words
    assert f"in {len(tale['detour']) - 1} steps" in words
    assert figure.select_one("[data-part=stage]")["aria-label"].endswith(words)
    assert figure.select_one(".town-controls").has_attr("hidden")
    rows = figure.select("[data-part=table] tr")
    assert [tr("td")[1].get_text() for tr in rows] == town.moves_of(tale["walk"])
    told = json.loads(figure["data-town"])
    assert told["map"] == town.ROWS
    assert sorted(map(str, told["routes"])) == sorted(
        str([list(c) for c in r]) for r in town.routes()
    )


def test_the_script_of_the_front_page_is_on_no_other_page(book):
    holders = [
        n for n, page in book.items() if page.select('script[src*="front_door"]')
    ]
    assert holders == ["book/index"]
