"""The headers of a request."""

from durahost.http.request_headers import read_headers


def test_repeated_ones():
    raw = ((b"a", b"1"), (b"host", b"h"), (b"a", b"2"), (b"a", b"\xe9"))
    headers = read_headers(raw)
    assert headers.joined == {"a": "1,2,\xe9", "host": "h"}
    assert headers.firsts == {"a": "1"}
    assert (headers.hosts, headers.waits_to_send) == ((b"h",), False)


def test_requests_with_other_headers_are_told_apart():
    one = read_headers(((b"host", b"a"), (b"expect", b"100-Continue")))
    other = read_headers(((b"host", b"a"), (b"host", b"b"), (b"expect", b"else")))
    assert (one.hosts, one.waits_to_send) == ((b"a",), True)
    assert (other.hosts, other.waits_to_send) == ((b"a", b"b"), False)
