"""The built book in a headless Chromium, on a phone and on a desk, by day and by night."""

import functools
import http.server
import json
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import built_book
from conftest import chromium

sync_api = pytest.importorskip("playwright.sync_api")
axe_api = pytest.importorskip("axe_playwright_python.sync_playwright")

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "book" / "_ext"))
from companion import chapters, town  # noqa: E402

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DOCUMENTS = built_book.documents()
PHONE, DESK = {"width": 390, "height": 700}, {"width": 1440, "height": 900}
THEMES = ("light", "dark")
ALLOWED_HOSTS: frozenset[str] = frozenset()  # the book needs nobody else

# What the theme brings along, outside the article, and we cannot repair from here.
THEMES_OWN = {
    "region",  # its logo and skip link stand outside any landmark
}
FLAGS = (
    "--no-sandbox --disable-gpu --disable-background-networking "
    "--disable-component-update --disable-sync --no-first-run"
).split()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def site():
    handler = functools.partial(Quiet, directory=str(built_book.build()))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture(scope="module")
def browser():
    path = chromium()
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield started
        started.close()


class Watched:
    """A page, and what went wrong on it: console errors, and requests to other hosts."""

    def __init__(self, browser, site, theme="light", size=DESK, **options):
        self.context = browser.new_context(viewport=size, color_scheme=theme, **options)
        if options.get("java_script_enabled", True):
            # Both keys: the reader's choice, and what the theme made of it.
            self.context.add_init_script(
                f"localStorage.setItem('mode','{theme}');localStorage.setItem('theme','{theme}')"
            )
        self.page, self.site = self.context.new_page(), site
        self.errors, self.foreign = [], []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._console)
        self.page.on("request", self._request)

    def _console(self, message):
        if message.type == "error":
            self.errors.append(f"{message.text} ({message.location.get('url', '')})")

    def _request(self, request):
        host = urlsplit(request.url).hostname
        if host not in (None, "127.0.0.1") and host not in ALLOWED_HOSTS:
            self.foreign.append(request.url)

    def open(self, document):
        self.page.goto(f"{self.site}/{document}.html", wait_until="load")
        return self.page

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.context.close()


OVERFLOW = """() => document.documentElement.scrollWidth - document.documentElement.clientWidth"""
FORMULAS = """() => [...document.querySelectorAll('mjx-container')].filter(box => {
  const math = box.querySelector('mjx-math') || box;
  const cut = math.getBoundingClientRect().left < box.getBoundingClientRect().left - 1;
  return box.querySelector('mjx-merror') || (box.getAttribute('display') && cut);
}).map(box => box.textContent.slice(0, 60) || 'a formula')"""
INSIDE = """(target) => Boolean(document.querySelector(target)?.closest('article'))"""


def accused(page) -> tuple[list[str], set[str]]:
    """Serious violations inside the article, and the names of those outside it."""
    options = {
        "resultTypes": ["violations"],
        "preload": False,
    }  # it would fetch styles anew
    results = axe_api.Axe().run(page, options=options).response
    inside, outside = [], set()
    for violation in results["violations"]:
        for node in violation["nodes"]:
            target = node["target"][0]
            if isinstance(target, str) and not page.evaluate(INSIDE, target):
                outside.add(violation["id"])
            elif violation["impact"] in ("serious", "critical"):
                inside.append(
                    f"{violation['id']} at {target}: {node['failureSummary'][:200]}"
                )
    return inside, outside


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_page_by_day_and_by_night_on_a_phone_and_on_a_desk(browser, site, document):
    for theme in THEMES:
        with Watched(browser, site, theme, PHONE) as watched:
            page = watched.open(document)
            assert page.locator("html").get_attribute("data-theme") == theme
            page.evaluate(
                "document.querySelectorAll('details').forEach(d => { d.open = true })"
            )
            for size in (PHONE, DESK) if theme == "light" else (DESK, PHONE):
                page.set_viewport_size(size)
                page.wait_for_timeout(50)
                assert page.evaluate(FORMULAS) == [], "formula broken or cut at its left"
                assert page.evaluate(OVERFLOW) <= 0, (
                    f"scrolls sideways at {size['width']} px"
                )
            inside, outside = accused(page)
            assert inside == [], theme
            assert outside <= THEMES_OWN, theme
            assert watched.errors == [] and watched.foreign == [], theme


def test_the_checks_of_this_file_see_a_planted_fault(browser, site):
    with Watched(browser, site, size=PHONE) as watched:
        page = watched.open("book/notation")
        page.route("**/elsewhere.example/**", lambda route: route.abort())
        page.evaluate(
            """() => {
              const article = document.querySelector('article');
              article.insertAdjacentHTML('beforeend',
                '<img src="http://elsewhere.example/a.png"><div style="width:900px">wide</div>' +
                '<p style="color:#bbb;background:#fff">hardly to be read</p>');
              console.error('planted');
            }"""
        )
        page.wait_for_timeout(200)
        inside, _ = accused(page)
        page.evaluate(
            """() => document.querySelector('article').insertAdjacentHTML('beforeend',
              '<mjx-container display="true"><mjx-merror>bad</mjx-merror></mjx-container>')"""
        )
        assert page.evaluate(FORMULAS) == ["bad"]
        assert {fault.split()[0] for fault in inside} >= {"image-alt", "color-contrast"}
        assert page.evaluate(OVERFLOW) > 0
        assert watched.foreign and any("planted" in error for error in watched.errors)


@pytest.mark.skipif(
    chapters.docname("02") not in DOCUMENTS, reason="chapter 02 is not there"
)
def test_search_finds_dagger(browser, site):
    with Watched(browser, site) as watched:
        page = watched.page
        page.goto(f"{site}/search.html?q=DAgger", wait_until="load")
        results = page.locator("#search-results li a")
        results.first.wait_for()
        found = " ".join(results.evaluate_all("links => links.map(a => a.href)"))
        assert "02_behavioral_cloning" in found and "glossary" in found
        assert watched.errors == [] and watched.foreign == []


# The front door ------------------------------------------------------------------------


def part(page, name):
    return page.locator(f'#town [data-part="{name}"]')


def wait_for(page, phase):
    page.locator(f'#town[data-phase="{phase}"]').wait_for(timeout=15_000)


def trail(page):
    return [
        tuple(cell)
        for cell in json.loads(page.locator("#town").get_attribute("data-trail"))
    ]


def play(page, route):
    """Drive, dig, drive again; both trails must be those of the clone in town.py."""
    table = town.clone(route)
    part(page, "main").click()
    wait_for(page, "arrived")
    assert trail(page) == town.drive(table)[0] == route
    part(page, "main").click()
    wait_for(page, "stuck")
    assert trail(page) == town.drive(table, town.where_to_dig(route))[0]


def drag(page, cells):
    box = part(page, "stage").locator("svg").bounding_box()
    unit = box["width"] / len(town.ROWS[0])
    for number, (row, column) in enumerate(cells):
        page.mouse.move(
            box["x"] + (column + 0.5) * unit, box["y"] + (row + 0.5) * unit, steps=4
        )
        if number == 0:
            page.mouse.down()
    page.mouse.up()


@pytest.mark.parametrize("theme", THEMES)
def test_the_first_phone_screen_holds_all_that_it_must(browser, site, theme):
    with Watched(browser, site, theme, PHONE, has_touch=True) as watched:
        page = watched.open("book/index")
        wait_for(page, "ready")
        promise = page.locator(".front-words > p").first
        assert len(promise.inner_text().rstrip(".").split(". ")) == 1, "one sentence"
        read, teach = page.locator(".front-words a.im-button").all()
        for thing in (promise, read, teach, part(page, "stage"), part(page, "main")):
            box = thing.bounding_box()
            assert box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"]
            assert box["y"] >= 0 and box["y"] + box["height"] <= PHONE["height"]
        for button in (read, teach, part(page, "main"), part(page, "clear")):
            assert button.bounding_box()["height"] >= 44
        cell = part(page, "stage").bounding_box()["width"] / len(town.ROWS[0])
        assert cell >= 44, "a cell is as large as a finger"
        assert "01_experts_and_demonstrations" in read.get_attribute("href")
        assert teach.get_attribute("href").startswith("instructors.html")


def test_the_story_plays_by_mouse_with_a_route_drawn_by_dragging(browser, site):
    with Watched(browser, site) as watched:
        page = watched.open("book/index")
        wait_for(page, "ready")
        route = town.way(town.BAKERY, town.DOORS["3"], frozenset({(3, 1)}))
        part(page, "clear").click()
        wait_for(page, "drawing")
        assert part(page, "main").is_disabled()
        drag(page, route)
        wait_for(page, "ready")
        play(page, route)
        words = part(page, "status").inner_text()
        assert "pushes" in words and "barrier" in words and words.endswith("?")
        assert watched.errors == []


def test_a_tap_on_a_door_finds_a_way(browser, site):
    with Watched(
        browser, site, size=PHONE, has_touch=True, reduced_motion="reduce"
    ) as watched:
        page = watched.open("book/index")
        wait_for(page, "ready")
        part(page, "clear").tap()
        box = part(page, "stage").bounding_box()
        unit = box["width"] / len(town.ROWS[0])
        row, column = town.DOORS["1"]
        page.touchscreen.tap(
            box["x"] + (column + 0.5) * unit, box["y"] + (row + 0.5) * unit
        )
        wait_for(page, "ready")
        play(page, town.way(town.BAKERY, town.DOORS["1"]))


def test_the_story_plays_by_keyboard(browser, site):
    with Watched(browser, site, reduced_motion="reduce") as watched:
        page = watched.open("book/index")
        wait_for(page, "ready")
        stage = part(page, "stage")
        for _ in range(60):  # the map is reached by Tab alone
            page.keyboard.press("Tab")
            if stage.evaluate("stage => stage === document.activeElement"):
                break
        assert stage.evaluate("stage => stage === document.activeElement")
        page.keyboard.press("Escape")
        wait_for(page, "drawing")
        route = town.round_about(town.DOORS["1"])
        page.keyboard.press("ArrowUp")
        page.keyboard.press("ArrowLeft")
        assert "house" in part(page, "status").inner_text()
        page.keyboard.press("Backspace")
        assert "any door" in part(page, "status").inner_text()
        for move in town.moves_of(route):
            page.keyboard.press(f"Arrow{move.capitalize()}")
        wait_for(page, "ready")
        assert part(page, "table").locator("tr").count() == len(route) - 1
        page.keyboard.press("Enter")
        wait_for(page, "arrived")
        page.keyboard.press("Enter")
        wait_for(page, "stuck")
        table = town.clone(route)
        assert trail(page) == town.drive(table, town.where_to_dig(route))[0]
        assert part(page, "status").get_attribute("aria-live") == "polite"
        assert watched.errors == []


def test_all_nine_routes_fail_as_the_clone_in_python_does(browser, site):
    with Watched(browser, site, reduced_motion="reduce") as watched:
        page = watched.open("book/index")
        data = json.loads(page.locator("#town").get_attribute("data-town"))
        for route in data["routes"]:
            wait_for(page, "ready")
            play(page, [tuple(cell) for cell in route])
            last = part(page, "status").inner_text()
            part(page, "main").click()
        assert "None is safe" in last
        assert watched.errors == []


def test_without_scripts_the_picture_tells_the_end_of_the_story(browser, site):
    with Watched(browser, site, java_script_enabled=False) as watched:
        page = watched.open("book/index")
        assert "it pushes, and pushes" in part(page, "status").inner_text()
        assert part(page, "barrier").is_visible() and part(page, "rollo").is_visible()
        assert not page.locator(".town-controls").is_visible()
        assert page.locator(".town-noscript").is_visible()
