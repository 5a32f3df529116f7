"""The process that parses HDF5 files.

It writes one byte when it is ready. Then it takes requests on its standard input and answers on its standard output,
each one JSON text behind its length in 4 bytes (little-endian), an answer's bytes behind that. It ends with its input.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import sys
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from h5explorer_py.files import Signature
from h5explorer_py.images.hdf5 import Shard
from h5explorer_py.images.pipe import LENGTH
from h5explorer_py.images.places import Allowed, Place, Refusal, plain
from h5explorer_py.pipes import leave_no_core, own_streams, readiness, send

if TYPE_CHECKING:
    from collections.abc import Callable

    from h5explorer_py.images.gathering import Gathering

SHARDS_KEPT = 16
"""Files held open. One with 100,000 old-style keys takes 14 MB."""

MEMORY_LIMIT = 4 << 30
AWAKE_SECONDS = 0.003
"""How long a reader stays awake for the next request: waking up takes as long as finding an image."""

_HUNG_SECONDS = 2.0
_CHUNK = 1 << 16
_REARM_EVERY = 32
_PROCESSOR_SECONDS = 120


class OpenShards:
    """The files held open, the least used of which is closed first."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, tuple[Signature, Shard]] = OrderedDict()
        self._gathering: Gathering | None = None

    def get(self, path: str, signature: Signature, allowed: Allowed) -> Shard:
        """Return the file, opened anew where it has changed.

        Raises
        ------
        Refusal
            Where it cannot be opened, or is not in the state that was asked for.
        """
        held = self._open.get(path)
        if held and held[0] == signature:
            self._open.move_to_end(path)
            return held[1]
        self.drop(path)
        while len(self._open) >= SHARDS_KEPT:
            self._open.popitem(last=False)[1][1].close()
        shard = Shard(path, allowed, lambda: self._keep_only(path))
        try:
            now = Signature.of(os.stat(path))
        except OSError:
            now = None
        if now != signature:
            shard.close()
            raise Refusal("changed")
        self._open[path] = (signature, shard)
        return shard

    def leads_elsewhere(self, path: str) -> bool:
        """Whether a file has been opened that links to others."""
        return path in self._open and self._open[path][1].leads_elsewhere

    def has(self, path: str) -> bool:
        """Whether a file is open."""
        return path in self._open

    def begin_gathering(self, path: str) -> None:
        """Have the other images of a shard looked at while nothing else is to be done."""
        held = self._open.get(path)
        self._gathering = held[1].gathering if held else None

    def gather(self) -> None:
        """Look at one more image, if there is one."""
        if self._gathering is not None and not self._gathering.step():
            self._gathering = None

    def gathered(self, path: str) -> list[tuple[str, int, int]]:
        """Return what has been gathered of a shard since the last time: keys, offsets and sizes."""
        held = self._open.get(path)
        return held[1].gathering.take() if held else []

    def _keep_only(self, path: str) -> None:
        for other in self._open.keys() - {path}:
            self.drop(other)

    def drop(self, path: str) -> None:
        """Close a file, if it is open."""
        held = self._open.pop(path, None)
        if held:
            held[1].close()


def answer(request: dict[str, Any], shards: OpenShards) -> tuple[dict[str, Any], bytes]:
    """Do what a request asks; return the reply and its bytes."""
    path = request["path"]
    allowed = Allowed(request["allowed"])
    try:
        if request["ask"] == "stack":
            from h5explorer_py.images.stack import read_stack

            return read_stack(path, request["start"], request["stop"], request["limit"])
        if request["ask"] == "probe":
            from h5explorer_py.images.probe import probe

            return probe(path), b""
        found = _found(request, shards, allowed)
    except Refusal as refusal:
        return {"code": refusal.code, "facts": refusal.facts}, b""
    except Exception as error:  # noqa: BLE001  (h5py raises many kinds on a damaged file)
        shards.drop(path)
        return {"code": "shard_unreadable", "facts": {"why": plain(error)}}, b""
    finally:
        if shards.leads_elsewhere(path):
            shards.drop(path)
    if isinstance(found, tuple):
        return found
    if isinstance(found, Place):
        return {"offset": found.offset, "size": found.size, "others": shards.gathered(path)}, b""
    return {}, found


def _found(
    request: dict[str, Any], shards: OpenShards, allowed: Allowed
) -> Place | bytes | tuple[dict[str, Any], bytes]:
    """Return the place or the bytes of one image, or the answer about several."""
    signature = Signature(*request["signature"])
    try:
        shard = shards.get(request["path"], signature, allowed)
    except Refusal as refusal:
        if refusal.code != "no_images_group" or "images" not in refusal.facts.get("found", ()):
            raise
        return _answer_of_array(request, signature)
    if request["ask"] == "keys":
        return {}, json.dumps(shard.keys()).encode()
    if request["ask"] == "places":
        return {"places": shard.places(request["keys"])}, b""
    return shard.find(request["key"], request["limit"], allowed)


def _answer_of_array(request: dict[str, Any], signature: Signature) -> tuple[dict[str, Any], bytes]:
    """Answer for a file whose pictures lie in one array."""
    from h5explorer_py.images.stack import stack_keys, stack_picture

    path = request["path"]
    if request["ask"] == "keys":
        return {}, json.dumps(stack_keys(path, tuple(signature))).encode()
    if request["ask"] == "places":
        return {"places": [None] * len(request["keys"])}, b""
    data = stack_picture(path, tuple(signature), request["key"], request["limit"])
    return ({}, data) if Signature.of(os.stat(path)) == signature else ({"code": "changed", "facts": {}}, b"")


def serve(requests: int, replies: int) -> None:
    """Answer requests until their stream ends.

    Parameters
    ----------
    requests, replies : int
        File descriptors.
    """
    shards = OpenShards()
    ready = readiness(requests)
    waiting = b""
    for count in itertools.count():
        while (end := _message_end(waiting)) is None:
            _stay_awake(ready, shards)
            more = os.read(requests, _CHUNK)
            if not more:
                return
            waiting += more
        request = json.loads(waiting[LENGTH.size : end])
        waiting = waiting[end:]
        if count % _REARM_EVERY == 0:
            _limit_processor_time()
        asked_before = shards.has(request["path"])
        reply, data = answer(request, shards)
        text = json.dumps({**reply, "bytes": len(data)}).encode()
        send(replies, LENGTH.pack(len(text)) + text + data)
        if asked_before and request.get("gather"):
            shards.begin_gathering(request["path"])


def _stay_awake(ready: Callable[[float], bool] | None, shards: OpenShards) -> None:
    """Wait a moment for the next request without sleeping, and use it."""
    if ready is None:
        return
    until = time.perf_counter() + AWAKE_SECONDS
    _end_if_hung(_HUNG_SECONDS)
    while not ready(0) and time.perf_counter() < until:
        shards.gather()
    _end_if_hung(0)


def _end_if_hung(seconds: float) -> None:
    """End the process in so many seconds, unless told otherwise: nobody asked for what it does, or sees it hang."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _message_end(waiting: bytes) -> int | None:
    if len(waiting) < LENGTH.size:
        return None
    end = LENGTH.size + int(LENGTH.unpack_from(waiting)[0])
    return end if len(waiting) >= end else None


def _limit_processor_time() -> None:
    """End the process should it come to spin in the C library after the kernel that would end it has gone."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, _PROCESSOR_SECONDS)


def main() -> None:
    """Serve on what were the standard streams; libraries that print reach neither."""
    requests, replies = own_streams()
    leave_no_core()
    if sys.platform == "linux":
        import resource

        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        limit = MEMORY_LIMIT if hard == resource.RLIM_INFINITY else min(hard, MEMORY_LIMIT)
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    os.write(replies, b".")
    serve(requests, replies)
