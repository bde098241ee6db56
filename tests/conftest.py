"""What several test files need: a browser, the built wheel, and a quiet machine."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy or torch are loaded

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]
IN_CI = os.environ.get("CI") == "true"

# A slow machine is not a wrong answer; and CI tries the same examples every time.
settings.register_profile("book", deadline=None, derandomize=IN_CI)
settings.load_profile("book")


def missing(reason: str):
    """Something that a reader's machine may lack, and CI may not."""
    if IN_CI:
        pytest.fail(f"{reason} (in CI this is a failure)", pytrace=False)
    pytest.skip(reason)


def find_chromium() -> str | None:
    """A Chromium that is already here: $CHROMIUM, PATH, or Playwright's folder."""
    names = ("chromium", "chromium-browser", "google-chrome")
    for name in (os.environ.get("CHROMIUM", ""), *names):
        if found := shutil.which(name):
            return found
    home = Path.home()
    folders = (
        os.environ.get("PLAYWRIGHT_BROWSERS_PATH", ""),
        home / ".cache" / "ms-playwright",
        home / "Library" / "Caches" / "ms-playwright",
        home / "AppData" / "Local" / "ms-playwright",
    )
    programs = ("chrome", "chrome.exe", "Chromium", "Google Chrome for Testing")
    for folder in filter(None, folders):
        for program in programs:
            for found in sorted(Path(folder).glob(f"chromium-*/**/{program}")):
                if os.access(found, os.X_OK) and found.is_file():
                    return str(found)
    return None


def chromium() -> str:
    """The path of a Chromium; without one, skip here and fail in CI."""
    return find_chromium() or missing("no Chromium: set CHROMIUM to one")


@pytest.fixture(scope="module")
def chrome():
    """A Chromium without a window, for pieces of a page; the built book has its own."""
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"]
        )
        yield started
        started.close()


def in_browser(test):
    """Marks of a test that opens one."""
    return pytest.mark.browser(pytest.mark.slow(test))


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    """The wheel, built from a copy so that the working tree stays as it is."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    skip = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "imitlib", folder / "imitlib", ignore=skip)
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", folder],
        check=True, capture_output=True, text=True, cwd=folder,
    )  # fmt: skip
    (built,) = (folder / "dist").glob("imitlib-*.whl")
    return built
