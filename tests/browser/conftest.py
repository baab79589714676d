"""What the browser tests share: the built book, served and as files, and Chromium, its requests recorded.

``open_page(name)`` opens a page of one's own. ``visit`` is a page that all tests share, so that each page
of the book is loaded once in a session: a test that changes it (theme, width) puts it back as it was.
"""

import functools
import http.server
import os
import shutil
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

import book_pages
import pytest
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
HTML = ROOT / "_build" / "html"
PAGES = book_pages.read_toc(ROOT)
CHROMIUM = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)
ARGUMENTS = [
    "--no-sandbox",  # CI runs as root in a container
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # whatever a page asks for, nothing gets out
]
OTHER_PAGES = ["search"]  # made by Sphinx, in no table of contents
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}

# Before anything on a page runs: note by how much the layout shifts.
OBSERVE = """
window.layoutShift = 0;
new PerformanceObserver(list => list.getEntries().forEach(entry => { window.layoutShift += entry.value; }))
  .observe({type: "layout-shift", buffered: true});
"""
# When the formulas are set and the fonts are there, say when that was and when something was first seen.
RENDERED = """async () => {
  await window.MathJax?.startup?.promise;
  await document.fonts.ready;
  await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  const seen = () => performance.getEntriesByName("first-contentful-paint")[0];
  while (!seen()) await new Promise(done => requestAnimationFrame(done));  // noted a moment after it
  return {first: seen().startTime, complete: performance.now(), shift: window.layoutShift};
}"""


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("browser")


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    """Takes it calmly when the browser hangs up in the middle of a file."""

    daemon_threads = True

    def handle_error(self, request, client_address):
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@dataclass(frozen=True)
class Site:
    """The built book: where it is served, where it lies."""

    origin: str
    folder: Path

    def url(self, name, *, by_file=False):
        """Return the address of a page of the table of contents, or of any path with a suffix."""
        start = self.folder.as_uri() if by_file else self.origin
        path, mark, rest = name.partition("#") if "#" in name else name.partition("?")
        return f"{start}/{path if Path(path).suffix else path + '.html'}{mark}{rest}"

    def is_own(self, url):
        """Tell whether an address leads to no other host."""
        folder = self.folder.as_uri()
        own = (f"{self.origin}/", f"{folder}/", "data:", f"blob:{self.origin}/", "blob:null", "about:")
        return url.startswith(own)


@dataclass
class Record:
    """What a page asked for and what it complained about since it was opened."""

    requests: list[str] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def follow(self, page, site):
        """Listen to a page."""
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("websocket", lambda socket: self.requests.append(socket.url))
        page.on("requestfailed", lambda request: self.failures.append(f"{request.url}: {request.failure}"))
        page.on("response", lambda answer: self.note(answer, site))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda said: said.type in {"error", "warning"} and self.errors.append(said.text))

    def note(self, answer, site):
        """Note an answer's status, and its size on the disk it came from."""
        if answer.status >= 400:
            self.failures.append(f"{answer.url}: {answer.status}")
        elif answer.url.startswith(site.origin):
            path = answer.url.removeprefix(f"{site.origin}/").partition("?")[0]
            self.sizes[path] = (site.folder / path).stat().st_size


@dataclass
class Visit:
    """An open page, its name in the table of contents, its record, and its times in milliseconds."""

    name: str
    page: Page
    record: Record
    times: dict[str, float] = field(default_factory=dict)


@pytest.fixture(scope="session")
def site():
    """Return the built book, served on a free local port."""
    if not (HTML / "index.html").exists():
        pytest.fail("the book is not built: run `make book` first")
    with Server(("127.0.0.1", 0), functools.partial(Handler, directory=HTML)) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield Site(f"http://127.0.0.1:{server.server_port}", HTML)
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def browser():
    """Return one Chromium for all tests; where there is none, skip and say so, unless this is CI."""
    if CHROMIUM is None and not os.environ.get("CI"):
        pytest.skip("no Chromium was found: install it (on Debian and Ubuntu: apt install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM or "chromium", args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def new_visit(site, browser):
    """Return a function that opens a page in a context of its own, waits for its maths, and records it."""

    def new_visit(name, *, scheme="light", viewport=DESKTOP, by_file=False, **context):
        options = {"color_scheme": scheme, "viewport": viewport, "service_workers": "block", **context}
        context = browser.new_context(**options)
        context.set_default_timeout(30_000)
        context.add_init_script(OBSERVE)
        visit = Visit(name, context.new_page(), Record())
        visit.record.follow(visit.page, site)
        visit.page.goto(site.url(name, by_file=by_file))
        visit.times = visit.page.evaluate(RENDERED)
        return visit

    return new_visit


@pytest.fixture
def open_visit(new_visit):
    """Return new_visit whose pages are closed when the test ends."""
    opened = []

    def open_visit(*args, **options):
        opened.append(new_visit(*args, **options))
        return opened[-1]

    yield open_visit
    for visit in opened:
        visit.page.context.close()


@pytest.fixture
def open_page(open_visit):
    """Return a function that opens a page and waits for its maths: ``open_page(name, scheme="dark")``."""
    return lambda *args, **options: open_visit(*args, **options).page


@pytest.fixture(scope="session", params=[*PAGES, *OTHER_PAGES])
def visit(new_visit, request):
    """Return a page of the book, opened once for all tests, in light colours on a desktop."""
    visit = new_visit(request.param)
    yield visit
    visit.page.context.close()
