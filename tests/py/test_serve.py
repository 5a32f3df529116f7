"""`h5explorer open` as a person runs it: what it prints, what pages see of each other, how it ends."""

from __future__ import annotations

import argparse
import asyncio
import re
import signal
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest

from h5explorer_py.cli import main
from h5explorer_py.protocol import Request
from h5explorer_py.serve import ssh
from h5explorer_py.serve.idle import IdleClock, duration
from h5explorer_py.serve.policy import HEADERS
from h5explorer_py.serve.ssh import forward_line
from tests.fixtures.datasets import key
from tests.py.served import Page, Served, served
from tests.py.support import ROOT, ask, by_h5py, python, runs, wait_for

if TYPE_CHECKING:
    from pathlib import Path


def asked(method: str, **params: Any) -> dict[str, Any]:
    asked.count += 1  # type: ignore[attr-defined]
    return ask(Request(f"t.{asked.count}", method, params))  # type: ignore[attr-defined]


asked.count = 0  # type: ignore[attr-defined]


# Pages


def test_a_page_is_told_what_is_open_and_gets_what_it_asks_for(
    server: Served, cookie: str, contract: Path, expected: dict[str, Any]
) -> None:
    async def run() -> None:
        async with Page.open(server, cookie) as page:
            told = page.states[0]["state"]
            assert told["_opened"]["records"] == len(expected["rows"])
            assert (told["current"], told["selection"]) == (0, {"ranges": []})
            answer, (data,) = await page.ask(asked("image", dataset=page.states[0]["dataset"], row=4))
            assert answer["result"]["row"] == 4
            assert data == by_h5py(contract / f"{expected['rows'][4][1].rpartition('/')[2]}_images.h5", key(4))

    asyncio.run(run())


def test_two_pages_do_not_see_each_others_state(server: Served, cookie: str, contract: Path) -> None:
    async def run() -> None:
        async with Page.open(server, cookie) as one, Page.open(server, cookie) as other:
            await one.ask(asked("show", filter=f"uuid = '{key(3)}'", sort=[]))
            assert one.states[-1]["state"]["_opened"]["records"] == 1
            await one.ask(asked("open", path=str(contract / "header_only.parquet")))
            assert one.states[-1]["state"]["_opened"]["name"] == "header_only.parquet"
            assert one.states[-1]["state"]["current"] is None
            number = other.states[0]["dataset"]
            answer, _ = await other.ask(asked("rows", dataset=number, start=0, stop=5))
            assert answer["result"]["rows"] == 5
            assert len(other.states) == 1
            one._connection.close()
            answer, _ = await other.ask(asked("metadata", dataset=number, row=1))
            assert answer["kind"] == "reply"

    asyncio.run(run())


def test_the_row_that_is_shown_stays_so_when_a_filter_keeps_it(server: Served, cookie: str) -> None:
    async def run() -> None:
        async with Page.open(server, cookie) as page:
            number = page.states[0]["dataset"]
            await page.send(
                {"kind": "state", "dataset": number, "state": {"current": 7, "selection": {"ranges": [[7, 8]]}}}
            )
            uuids = ", ".join(f"'{key(row)}'" for row in (2, 5, 7, 9))
            await page.ask(asked("show", filter=f"uuid IN ({uuids})", sort=[]))
            assert page.states[-1]["state"]["current"] == 2
            assert page.states[-1]["state"]["selection"] == {"ranges": []}
            for stale in ({"dataset": number, "state": {"current": 3}}, {"dataset": "x"}, {"state": []}):
                await page.send({"kind": "state", **stale})
            await page.ask(asked("show", filter="", sort=[]))
            assert page.states[-1]["state"]["current"] == 7

    asyncio.run(run())


def test_what_is_no_message_is_passed_over(server: Served, cookie: str) -> None:
    async def run() -> None:
        async with Page.open(server, cookie) as page:
            await page._connection.write_message("text")
            await page._connection.write_message(b"\x01", binary=True)
            await page.send({"kind": "state", "dataset": page.states[0]["dataset"], "state": {"current": -1}})
            await page.send({"kind": "nonsense"})
            answer, _ = await page.ask(asked("stats", dataset=page.states[0]["dataset"]))
            assert answer["kind"] == "reply"

    asyncio.run(run())


def test_a_message_that_is_too_large_ends_its_connection_alone(server: Served, cookie: str) -> None:
    async def run() -> None:
        async with Page.open(server, cookie) as page, Page.open(server, cookie) as other:
            await page.send({"kind": "ask", "filler": "x" * (5 << 20)})
            assert await page.read() is None
            assert (await other.ask(asked("stats", dataset=other.states[0]["dataset"])))[0]["kind"] == "reply"

    asyncio.run(run())


def test_a_lookup_that_vanishes_is_told_to_the_next_page(tmp_path: Path) -> None:
    lookup = tmp_path / "lookup.csv"
    lookup.write_text("uuid,filepath\na,b\n")
    with served("open", str(lookup), "--no-browser") as server:
        cookie = server.admit()

        async def run() -> None:
            async with Page.open(server, cookie) as first:
                lookup.unlink()
                with pytest.raises(AssertionError, match="refused: There is no file"):
                    async with Page.open(server, cookie):
                        pass
                assert (await first.ask(asked("status", dataset=first.states[0]["dataset"], wish=None)))[1] == []

        asyncio.run(run())


# What is shown to begin with


def test_row_filter_and_order_of_the_command_are_shown_first(contract: Path) -> None:
    uuids = ", ".join(f"'{key(row)}'" for row in (2, 5, 7, 9))
    arguments = ["--filter", f"uuid IN ({uuids})", "--sort", "uuid:desc", "--row", "3", "--no-browser"]
    with served("open", str(contract / "lookup.parquet"), *arguments) as server:
        cookie = server.admit()

        async def run() -> None:
            for _ in range(2):  # the session that was opened at the start, and one that is opened for the page
                async with Page.open(server, cookie) as page:
                    told = page.states[0]["state"]
                    assert told["current"] == 3
                    assert told["_opened"]["records"] == 4
                    assert told["_opened"]["sort"] == [["uuid", "desc"]]

        asyncio.run(run())


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["nowhere.parquet"], 1, "There is no file"),
        (["{lookup}", "--row", "1000"], 1, "There is no row 1,000"),
        (["{lookup}", "--row", "-1"], 2, "no row number"),
        (["{lookup}", "--filter", "uuid ="], 2, "h5explorer: "),
        (["{lookup}", "--filter", "nocolumn = 1"], 2, "nocolumn"),
        (["{lookup}", "--sort", "nocolumn"], 2, "nocolumn"),
        (["{lookup}", "--port", "70000"], 2, "no port"),
        (["{lookup}", "--idle", "soon"], 2, "such as 90s, 30m or 2h"),
        (["{wrong}"], 1, "column"),
        ([], 2, "PATH"),
    ],
)
def test_what_cannot_be_shown_is_told_in_the_terminal(
    contract: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, sentence: str
) -> None:
    paths = {"lookup": contract / "lookup.parquet", "wrong": contract / "wrong_columns.parquet"}
    try:
        ended = main(["open", *(each.format(**paths) for each in arguments), "--no-browser"])
    except SystemExit as exit_:
        ended = exit_.code  # type: ignore[assignment]
    said = capsys.readouterr()
    assert ended == code
    assert sentence in said.err
    assert said.out == ""
    assert "Traceback" not in said.err


def test_a_port_that_is_taken_is_told_in_a_sentence(contract: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["open", str(contract / "lookup.parquet"), "--port", str(port), "--no-browser"]) == 1
    assert f"Port {port} cannot be used: another program listens on it. Name another" in capsys.readouterr().err


def test_without_tornado_the_command_names_the_package(contract: Path) -> None:
    code = (
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'tornado': raise ImportError(name)\n"
        "import importlib.util\n"
        "real = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, package=None: None if name == 'tornado' else real(name, package)\n"
        "from h5explorer_py.cli import main\n"
        f"sys.exit(main(['open', {str(contract / 'lookup.parquet')!r}]))"
    )
    done = python(code)
    assert done.returncode == 1
    assert "pip install tornado" in done.stderr


# What is printed


def test_under_ssh_the_line_to_paste_is_printed(contract: Path) -> None:
    over = {"SSH_CONNECTION": "192.0.2.7 50000 192.0.2.9 2222", "DISPLAY": ":9"}
    with served("open", str(contract / "lookup.parquet"), environment=over) as server:
        port = server.port
        wait_for(lambda: len(server.printed) == 3)
        line = server.printed[2].strip()
        assert re.fullmatch(rf"ssh -N -L {port}:127\.0\.0\.1:{port} -p 2222 \S+@\S+", line)
        assert server.end() == 0


def test_the_address_alone_goes_to_the_standard_output(contract: Path) -> None:
    with served("open", str(contract / "lookup.parquet"), "--no-browser") as server:
        assert server.address
        assert server.end() == 0
        assert len(server.printed) == 1


# Ending


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_ends_it_in_order_and_tells_the_pages(contract: Path, number: signal.Signals) -> None:
    with served("open", str(contract / "lookup.parquet"), "--no-browser") as server:
        cookie = server.admit()

        async def run() -> None:
            async with Page.open(server, cookie) as page:
                await page.ask(asked("image", dataset=page.states[0]["dataset"], row=0))
                readers = children(server.process.pid)
                assert readers
                server.process.send_signal(number)
                while await page.read() is not None:
                    pass
                assert page.end_reason == (1001, "interrupt")
                assert server.process.wait(20) == 0
                wait_for(lambda: not any(runs(pid) for pid in readers))

        asyncio.run(run())
        assert "Traceback" not in "".join(server.said)


def children(pid: int) -> list[int]:
    from pathlib import Path

    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(status.parent.name)] = int(fields[1])
    return [child for child, parent in parents.items() if parent == pid]


def test_it_ends_by_itself_when_nothing_is_asked(contract: Path) -> None:
    with served("open", str(contract / "lookup.parquet"), "--no-browser", "--idle", "1.5s") as server:
        cookie = server.admit()
        begun = time.monotonic()

        async def run() -> None:
            async with Page.open(server, cookie) as page:
                while time.monotonic() < begun + 3:  # what is asked keeps it going
                    await page.ask(asked("status", dataset=page.states[0]["dataset"], wish=None))
                    await asyncio.sleep(0.2)
                asked_last = time.monotonic()
                while await page.read() is not None:
                    pass
                assert page.end_reason == (1001, "idle")
                assert 1 < time.monotonic() - asked_last < 6

        asyncio.run(run())
        assert server.process.wait(20) == 0
        assert "Nothing was asked for so long" in "".join(server.said)


def test_nothing_else_is_said_at_the_end_whatever_was_asked(contract: Path) -> None:
    with served("open", str(contract / "lookup.parquet"), "--no-browser", "--filter", "uuid > '1'") as server:
        cookie = server.admit()

        async def run() -> None:
            async with Page.open(server, cookie) as page:
                number = page.states[0]["dataset"]
                await page.ask(asked("thumbnails", dataset=number, rows=[0, 1], size=128))
                await page.ask(asked("values", dataset=number, column="uuid"))
                server.process.send_signal(signal.SIGINT)
                while await page.read() is not None:
                    pass

        asyncio.run(run())
        assert server.process.wait(20) == 0
        time.sleep(0.2)
        assert "".join(server.said).strip() == "Ctrl-C ends it."


def test_with_nohup_it_outlives_its_terminal(contract: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # what a process inherits
    try:
        with served("open", str(contract / "lookup.parquet"), "--no-browser") as server:
            assert server.address
            server.process.send_signal(signal.SIGHUP)
            time.sleep(0.5)
            assert server.ask("/").status == 403
            assert server.end() == 0
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_second_interrupt_ends_it_at_once(contract: Path) -> None:
    code = (
        "import sys, time\n"
        "from h5explorer_py.serve import connection\n"
        "connection.Connection.wait_closed = lambda self, seconds: time.sleep(60)\n"
        "from h5explorer_py.cli import main\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    with served("open", str(contract / "lookup.parquet"), "--no-browser", code=code) as server:
        cookie = server.admit()

        async def run() -> None:
            async with Page.open(server, cookie) as page:
                server.process.send_signal(signal.SIGINT)
                while await page.read() is not None:
                    pass
                assert server.process.poll() is None
                server.process.send_signal(signal.SIGINT)
                assert server.process.wait(10) == -signal.SIGINT

        asyncio.run(run())


# Parts


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("30m", 1800), ("2h", 7200), ("1.5m", 90), (" 5s ", 5)])
def test_times_are_understood(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "30", "m", "-5m", "0s", "1d", "1h30m", "9" * 400 + "h", "½h"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="no time"):
        duration(text)


def test_the_clock_counts_from_the_last_touch() -> None:
    now = [0.0]
    clock = IdleClock(10, lambda: now[0])
    now[0] = 9
    assert clock.left == 1
    clock.touch()
    now[0] = 18
    assert clock.left == 1
    now[0] = 30
    assert clock.left == 0
    assert IdleClock(None).left is None


def test_the_line_to_paste_names_the_machine_that_was_logged_in_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh.getpass, "getuser", lambda: "ada")
    monkeypatch.setattr(ssh.socket, "gethostname", lambda: "node7")
    monkeypatch.setattr(ssh.socket, "getfqdn", lambda: "node7.cluster.example")
    line = "ssh -N -L 8765:127.0.0.1:8765"
    assert forward_line(8765, {}) is None
    assert forward_line(8765, {"SSH_TTY": "/dev/pts/1"}) == f"{line} ada@node7.cluster.example"
    login = {"SSH_CONNECTION": "192.0.2.7 50000 192.0.2.9 22"}
    assert forward_line(8765, login) == f"{line} ada@node7.cluster.example"
    over = {**login, "SLURM_SUBMIT_HOST": "login1.cluster.example"}
    assert forward_line(8765, over) == f"{line} -J ada@login1.cluster.example ada@node7"
    assert forward_line(8765, {**login, "SLURM_SUBMIT_HOST": "node7"}) == f"{line} ada@node7.cluster.example"
    monkeypatch.setattr(ssh.socket, "getfqdn", lambda: "localhost")
    assert forward_line(8765, login) == f"{line} ada@192.0.2.9"
    hostile = forward_line(8765, {"SSH_CONNECTION": "a b $(reboot) 22", "SLURM_SUBMIT_HOST": "$(reboot)"})
    assert hostile is not None
    assert "'ada@$(reboot)'" in hostile


def test_the_readme_names_the_directives_of_the_policy() -> None:
    readme = " ".join((ROOT / "README.md").read_text().replace("\n>", "").split())
    assert HEADERS["Content-Security-Policy"] in readme
