"""What a browser is started with: nothing that lets in whoever reads the list of processes."""

from __future__ import annotations

import html
import os
import re
import stat
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest

from h5explorer_py.cli.open import page_that_leads_to
from h5explorer_py.serve.connection import Connection
from h5explorer_py.serve.door import Door
from h5explorer_py.serve.frames import unpack


def test_the_token_is_in_a_file_of_the_owner_alone() -> None:
    address = Door(8123).address
    with page_that_leads_to(address) as leading:
        assert urlsplit(address).query.removeprefix("token=") not in leading
        page = Path(url2pathname(urlsplit(leading).path))
        assert stat.S_IMODE(os.stat(page.parent).st_mode) == 0o700
        assert page.stat().st_uid == os.getuid()
        (target,) = re.findall(r'content="0; url=([^"]+)"', page.read_text())
        assert html.unescape(target) == address
    assert not page.parent.exists()


@pytest.mark.parametrize("error", [PermissionError("not yours"), MemoryError()])
def test_a_page_whose_lookup_cannot_be_opened_is_told_whatever_went_wrong(error: BaseException) -> None:
    class Failing:
        def take(self) -> None:
            raise error

    sent: list[bytes] = []
    ended: list[bool] = []
    connection = Connection(Failing(), sent.append, lambda: ended.append(True))  # type: ignore[arg-type]
    connection.wait_closed(5)
    content, _ = unpack(sent[0])
    assert (content["kind"], content["error"]["code"]) == ("refused", "internal")
    assert type(error).__name__ in content["error"]["message"]
    assert ended
