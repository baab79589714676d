"""The book asks nobody: no page, from a server or from files, sends a request to another host."""


def test_a_page_from_a_server_asks_no_other_host(visit, site):
    assert len(visit.record.requests) > 5
    assert [url for url in visit.record.requests if not site.is_own(url)] == []
    assert visit.record.failures == []
    assert visit.record.errors == []
