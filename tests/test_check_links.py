"""The checker of outside links finds them all, and tells a page that is there from one that is not."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tools import check_links


class Handler(BaseHTTPRequestHandler):
    """Answers with the number that is asked for."""

    def do_GET(self):
        self.send_response(int(self.path.strip("/")))
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_what_is_gone_is_told(tmp_path, server, capsys):
    (tmp_path / "a.html").write_text(f'<a href="{server}/200#x"><a class="y" href="{server}/404">')
    (tmp_path / "b.html").write_text(f'<a href="{server}/404"><a href="b.html"><a href="{server}/403">')
    assert check_links.main(tmp_path) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"{server}/404: answers 404 (linked from a.html, b.html)",
        "3 outside links, 1 lead nowhere",
    ]


def test_a_host_that_is_not_there_is_told(tmp_path, server):
    (tmp_path / "a.html").write_text('<a href="http://127.0.0.1:9/x?a=1&amp;b=2">')
    assert list(check_links.outside_links(tmp_path)) == ["http://127.0.0.1:9/x?a=1&b=2"]
    assert "refused" in check_links.trouble("http://127.0.0.1:9/x").lower()
