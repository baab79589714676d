"""Ask every address outside of the built book whether it is still there (``make links``); run by hand.

Nothing else in this project asks the network, so no test and no build depends on somebody else's server.
Sphinx has ``linkcheck`` for this, but nearly all these links are DOIs, which lead to publishers, and where a
publisher shuts programs out (403) it calls the link broken, with no setting that says otherwise.
"""

from __future__ import annotations

import re
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from pathlib import Path

HTML = Path(__file__).resolve().parent.parent / "_build" / "html"
LINK = re.compile(r'<a\b[^>]*\bhref="(https?://[^"#]+)')
HEADERS = {"User-Agent": "Mozilla/5.0 (a course that checks its links)"}
SECONDS = 30


def outside_links(folder: Path) -> dict[str, list[str]]:
    """Return {address: pages that link to it} of all pages in a folder."""
    found: dict[str, list[str]] = {}
    for page in sorted(folder.rglob("*.html")):
        for address in sorted(set(LINK.findall(page.read_text(encoding="utf-8")))):
            found.setdefault(unescape(address), []).append(page.relative_to(folder).as_posix())
    return found


def trouble(address: str) -> str:
    """Ask for an address; return what is wrong with it, or nothing."""
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=HEADERS), timeout=SECONDS):
            return ""
    except urllib.error.HTTPError as error:
        # A publisher that shuts out programs answers 401, 403 or 429; a reader's browser will be let in.
        return "" if error.code in {401, 403, 429} else f"answers {error.code}"
    except OSError as error:
        return str(error)


def main(folder: Path = HTML) -> int:
    """Print the links that lead nowhere; return how many."""
    links = outside_links(folder)
    with ThreadPoolExecutor(8) as pool:
        troubles = dict(zip(links, pool.map(trouble, links), strict=True))
    broken = {address: what for address, what in troubles.items() if what}
    for address, what in broken.items():
        print(f"{address}: {what} (linked from {', '.join(links[address])})")
    print(f"{len(links)} outside links, {len(broken)} lead nowhere")
    return len(broken)


if __name__ == "__main__":
    sys.exit(min(main(), 1))
