"""The first code cell of every notebook: it brings the page's own imitlib.

In the book's environment, where imitlib is installed, the cell does nothing and
prints nothing. Elsewhere (Colab above all) it says what it installs and from where:
the wheel attached to the release with the page's version, or, where the repository
has no such release (a fork), the library from the repository's default branch.

The cell is stored in the notebooks, because a notebook is opened alone. It is
written there, and checked, by ``address.py``.
"""

LINES = 72  # no line of a notebook is longer


def setup_cell(url: str, version: str) -> str:
    """Source of the setup cell for the repository at `url` and library `version`.

    Ten lines, for any address of up to 48 characters; one more for a longer one.

    >>> print(setup_cell("https://github.com/you/fork", "1.0"))
    import os
    import sys
    from importlib.metadata import distributions
    url, version = "https://github.com/you/fork", "1.0"
    if version not in [d.version for d in distributions(name="imitlib")]:
        print("Installing imitlib", version, "from", url)
        wheel = f"{url}/releases/download/v{version}/imitlib-{version}"
        pip = f"{sys.executable} -m pip install -q"
        os.system(f"{pip} {wheel}-py3-none-any.whl || {pip} git+{url}")
    import imitlib
    """
    address = f'url, version = "{url}", "{version}"'
    if len(address) > LINES:
        address = f'url = "{url}"\nversion = "{version}"'
    return f"""\
import os
import sys
from importlib.metadata import distributions
{address}
if version not in [d.version for d in distributions(name="imitlib")]:
    print("Installing imitlib", version, "from", url)
    wheel = f"{{url}}/releases/download/v{{version}}/imitlib-{{version}}"
    pip = f"{{sys.executable}} -m pip install -q"
    os.system(f"{{pip}} {{wheel}}-py3-none-any.whl || {{pip}} git+{{url}}")
import imitlib"""
