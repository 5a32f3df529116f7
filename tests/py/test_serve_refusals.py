"""Who is let in by `h5explorer open`, and what is reachable."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from h5explorer_py.built import STATIC
from tests.py.served import Served, served

SECURITY = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
}


def test_the_token_becomes_a_cookie_of_this_server_alone_and_leaves_the_address(contract: Path) -> None:
    with served("open", str(contract / "lookup.parquet"), "--no-browser") as fresh:
        assert fresh.ask("/").status == 403
        assert fresh.ask(f"/?token={fresh.token[:-1]}").status == 403
        assert fresh.ask(f"/?token={fresh.token}x").status == 403
        assert fresh.ask("/?token=").status == 403
        assert fresh.ask("/?token=%ff%fe").status == 403
        assert fresh.ask(f"/?token={fresh.token}", method="HEAD").status == 403
        assert fresh.ask(f"/?token={fresh.token}", "Origin: http://evil.example").status == 403
        assert fresh.ask(f"/?token={fresh.token}", host="evil.example").status == 403
        answer = fresh.ask(f"/?token={fresh.token}")  # none of these has used it up
        assert answer.status == 303
        assert answer.headers["location"] == "/"
        name, *attributes = answer.headers["set-cookie"].split("; ")
        assert name.startswith(f"h5explorer-{fresh.port}=")
        assert fresh.token not in name
        assert {each.lower() for each in attributes} == {"httponly", "samesite=strict", "path=/"}
        shown = f"Cookie: {name}"
        assert fresh.ask("/", shown).status == 200
        for more in ((), (shown,)):
            second = fresh.ask(f"/?token={fresh.token}", *more)
            assert second.status == 403
            assert "set-cookie" not in second.headers
            assert b"lets in one browser, once" in second.body


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1",
        "127.0.0.1:1",
        "localhost:{port}.evil.example",
        "[::1]:{port}",
        "0.0.0.0:{port}",
        "127.0.0.1:{port}, evil.example",
        "",
    ],
)
def test_a_request_to_another_name_is_refused(server: Served, cookie: str, host: str) -> None:
    name = host.format(port=server.port)
    assert server.ask("/", cookie, host=name).status in {400, 403}
    assert server.upgrade(cookie, f"Origin: http://{name}", host=name).status in {400, 403}


def test_two_names_at_once_are_refused(server: Served, cookie: str) -> None:
    assert server.ask("/", cookie, "Host: evil.example").status in {400, 403}


def test_localhost_is_this_server_too(server: Served, cookie: str) -> None:
    assert server.ask("/", cookie, host=f"LocalHost:{server.port}").status == 200


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "https://127.0.0.1:{port}",
        "http://127.0.0.1",
        "http://127.0.0.1:1",
        "http://localhost:{port}",
        "http://127.0.0.1:{port}.evil.example",
        "null",
        "",
    ],
)
def test_a_request_of_another_page_is_refused(server: Served, cookie: str, origin: str) -> None:
    header = f"Origin: {origin.format(port=server.port)}"
    assert server.upgrade(cookie, header).status == 403
    assert server.ask("/", cookie, header).status == 403
    assert server.ask("/", cookie, header, "Content-Length: 0", method="POST").status == 403


def test_a_websocket_needs_origin_and_cookie(server: Served, cookie: str) -> None:
    own = f"Origin: http://127.0.0.1:{server.port}"
    assert server.upgrade(cookie).status == 403
    assert server.upgrade(own).status == 403
    assert server.upgrade(own, cookie[:-1] + "x").status == 403
    assert server.upgrade(own, f"Cookie: h5explorer-{server.port}={server.token}").status == 403
    assert server.ask(f"/socket?token={server.token}", own).status == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_can_be_sent(server: Served, cookie: str, method: str) -> None:
    own = f"Origin: http://127.0.0.1:{server.port}"
    assert server.ask("/", cookie, own, "Content-Length: 0", method=method).status == 405
    assert server.ask("/", cookie, "Content-Length: 0", method=method).status == 403
    assert server.ask("/", own, "Content-Length: 0", method=method).status == 403


PATHS = [
    "/..",
    "/../",
    "/../../../../etc/passwd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/..%2f..%2fetc%2fpasswd",
    "/%2e%2e%2fwidget.py",
    "/..%5c..%5cetc%5cpasswd",
    "/....//....//etc/passwd",
    "//etc/passwd",
    "/%2fetc%2fpasswd",
    "/etc/passwd",
    "/static/",
    "/static/../widget.py",
    "/assets.json",
    "/index.html",
    "/widget.js",
    "/./",
    "/?/../etc/passwd%00",
    "/page.js%00.css",
    "*",
    "http://evil.example/",
    "file:///etc/passwd",
]


@pytest.mark.parametrize("path", PATHS)
def test_no_other_file_is_reachable(server: Served, cookie: str, path: str) -> None:
    stranger = server.ask(path)
    assert stranger.status in {400, 403}
    answer = server.ask(path, cookie)
    if path.startswith("/?"):
        assert answer.status == 200  # the page, whatever stands behind the question mark
    else:
        assert answer.status in {400, 404}
    for each in (stranger, answer):
        assert b"root:" not in each.body
        assert b"import " not in each.body


def test_the_lookup_and_its_shards_are_no_files_of_the_page(server: Served, cookie: str, contract: Path) -> None:
    for name in ("lookup.parquet", "shard_000_images.h5"):
        assert server.ask(f"/{name}", cookie).status == 404
        assert server.ask(str(contract / name), cookie).status == 404


def test_every_part_that_the_page_names_is_served_for_ever_and_needs_the_cookie(server: Served, cookie: str) -> None:
    page = server.ask("/", cookie)
    assert page.status == 200
    assert page.headers["cache-control"] == "no-store"
    parts = json.loads((STATIC / "assets.json").read_text())
    markup = page.body.decode()
    names = [name for name in markup.split('"') if name.count(".") == 2]
    assert set(parts.values()) < set(names)
    assert {name.rpartition(".")[2] for name in names} == {"js", "css", "wasm", "svg"}
    types = {"js": "text/javascript", "css": "text/css", "wasm": "application/wasm", "svg": "image/svg+xml"}
    for name in names:
        assert server.ask(f"/{name}").status == 403
        packed = server.ask(f"/{name}", cookie, "Accept-Encoding: gzip")
        plain = server.ask(f"/{name}", cookie)
        assert (packed.status, plain.status) == (200, 200)
        assert packed.headers["content-encoding"] == "gzip"
        assert len(packed.body) < len(plain.body)
        for answer in (packed, plain):
            assert answer.headers["content-type"].startswith(types[name.rpartition(".")[2]])
            assert "immutable" in answer.headers["cache-control"]
        head = server.ask(f"/{name}", cookie, method="HEAD")
        assert (head.status, head.body) == (200, b"")


def test_every_answer_has_the_headers_that_keep_it_safe(server: Served, cookie: str) -> None:
    answers = [
        server.ask("/", cookie),
        server.ask("/"),
        server.ask("/nowhere", cookie),
        server.ask("/", cookie, host="evil.example"),
        server.upgrade(cookie),
    ]
    for answer in answers:
        assert {name: answer.headers.get(name) for name in SECURITY} == SECURITY
        assert "server" not in answer.headers
        policy = dict(each.partition(" ")[::2] for each in answer.headers["content-security-policy"].split("; "))
        assert policy["default-src"] == "'none'"
        if answer.status == 200:
            assert policy["script-src"] == "'self' 'wasm-unsafe-eval'"
            assert policy["connect-src"] == policy["worker-src"] == policy["style-src"] == "'self'"
        else:
            assert not policy.keys() & {"script-src", "connect-src", "worker-src"}
        assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"


def test_a_browser_that_a_link_of_another_site_led_here_asks_once_more_by_itself(server: Served, cookie: str) -> None:
    led = server.ask("/?lookup=/etc", "Sec-Fetch-Site: cross-site")
    assert led.status == 403
    assert b'content="0; url=/"' in led.body  # without what the link said
    assert b"refresh" not in server.ask("/", "Sec-Fetch-Site: same-origin").body


def test_refusals_repeat_nothing_of_the_request(server: Served, cookie: str) -> None:
    for shown in ((), (cookie,)):
        answer = server.ask("/<script>alert(1)</script>?token2=<b>", *shown)
        assert b"alert" not in answer.body


def test_a_request_that_is_too_long_ends_the_connection(server: Served, cookie: str) -> None:
    own = f"Origin: http://127.0.0.1:{server.port}"
    assert server.ask("/", cookie, own, f"Content-Length: {1 << 30}", method="POST").status in {0, 400, 413}
    assert server.ask("/", cookie).status == 200


def test_nothing_listens_beyond_this_machine(server: Served) -> None:
    port = f"{server.port:04X}"
    listening = [
        line.split()
        for name in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]
        if line.split()[3] == "0A"
    ]
    assert [fields[1] for fields in listening if fields[1].endswith(f":{port}")] == [f"0100007F:{port}"]
    inodes = {
        target.removeprefix("socket:[").rstrip("]")
        for link in Path(f"/proc/{server.process.pid}/fd").iterdir()
        if (target := str(link.readlink())).startswith("socket:[")
    }
    assert [fields[1] for fields in listening if fields[9] in inodes] == [f"0100007F:{port}"]
    for host in {each[4][0] for each in socket.getaddrinfo(socket.gethostname(), None)} - {"127.0.0.1"}:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as stranger:
            stranger.settimeout(1)
            assert stranger.connect_ex((host, server.port)) != 0
