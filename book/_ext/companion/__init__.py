"""The book's own Sphinx extension: what Jupyter Book does not do by itself.

* one stylesheet on every page, and the front door's script on the front page alone;
* "report a mistake on this page", whose address follows `repository.url`;
* `{front-door}`, the town that the reader plays with;
* `{hook}`, `{chapter}` and `{claim}`, which know what is ready and what is coming;
* `{ledger}`, every claim of the book with the number that stands behind it.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from urllib.parse import quote
from zlib import crc32

from sphinx.application import Sphinx

from . import chapters, frontdoor, ledger

ASSETS = Path(__file__).parents[2] / "_assets"


def add_assets(app: Sphinx, config) -> None:
    """Serve `book/_assets`, with the one stylesheet after those of the theme."""
    config.html_static_path.append(str(ASSETS))
    config.html_theme_options["toc_title"] = "On this page"
    app.add_css_file("companion.css", priority=900)


def report_address(repository: str, pagename: str, title: str) -> str:
    """Where a reader reports a mistake: a new issue that already names the page."""
    body = f"Page: {pagename}\n\nWhat it says:\n\nWhat is wrong with it:\n"
    query = f"title={quote(f'Mistake on: {title}')}&body={quote(body)}"
    return f"{repository.rstrip('/')}/issues/new?{query}"


def finish_page(app: Sphinx, pagename, templatename, context, doctree) -> None:
    """Add the report link; drop scripts that this book never uses."""
    if pagename == app.config.root_doc:
        app.add_js_file("front_door.js", defer="defer")
    # Jupyter Book loads live-code and comment scripts whether or not they are used.
    unused = ("thebe", "THEBE", "comments")
    context["script_files"] = [
        script
        for script in context.get("script_files", [])
        if not any(word in _text_of(script) for word in unused)
    ]
    context["css_files"] = [
        sheet
        for sheet in context.get("css_files", [])
        if "thebe" not in _text_of(sheet)
    ]
    if doctree is None or "body" not in context:
        return
    body = repair(context["body"])
    address = report_address(
        app.config.html_theme_options.get("repository_url", ""),
        pagename,
        context["title"],
    )
    context["body"] = body + (
        f'<p class="im-report"><a href="{escape(address)}">Report a mistake on this page</a></p>'
    )


def repair(body: str) -> str:
    """Two things that the theme leaves unfinished for people who do not use a mouse."""
    # The reference list has ARIA roles that are deprecated, and that do not fit together.
    body = body.replace('role="list" class="citation-list"', 'class="citation-list"')
    body = body.replace(' role="doc-biblioentry"', "")
    # A table that scrolls sideways must be reachable from the keyboard.
    return body.replace(
        '<div class="pst-scrollable-table-container">',
        '<div class="pst-scrollable-table-container" tabindex="0" role="group" '
        'aria-label="Table, scrolls sideways where it is wide">',
    )


def env_version() -> int:
    """A number that changes with this extension, so that no page stays as it was."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return crc32(b"".join(file.read_bytes() for file in files))


def _text_of(script) -> str:
    """The address and inline text of a script or stylesheet entry, in one string."""
    attributes = getattr(script, "attributes", {})
    return f"{getattr(script, 'filename', script)} {attributes.get('body', '')}"


def setup(app: Sphinx) -> dict:
    app.connect("config-inited", add_assets)
    # Late, so that the scripts of other extensions are already on the list.
    app.connect("html-page-context", finish_page, priority=900)
    frontdoor.setup(app)
    chapters.setup(app)
    ledger.setup(app)
    return {
        "version": "1.0",
        "env_version": env_version(),
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
