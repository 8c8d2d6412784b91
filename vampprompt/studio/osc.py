"""Composing by Open Sound Control: for Max, Pure Data, SuperCollider, and what else speaks it.

A client sends, over UDP, and is answered at the address that it sends from, or where the server
was told to answer. Whatever it sends, the worst that it gets is ``/vampprompt/error``.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import BuildError, OscMessageBuilder
from pythonosc.osc_packet import OscPacket, ParseError

from vampprompt.composing import audio_paths
from vampprompt.errors import FileError, VampPromptError, did_you_mean, shown
from vampprompt.language import summary, usage
from vampprompt.masks import PRESETS, masks
from vampprompt.studio.desk import Composed, Desk, told
from vampprompt.studio.jobs import Cancelled, Closing, Job

log = logging.getLogger(__name__)

Address: TypeAlias = tuple[str, int]

_PREFIX = "/vampprompt/"
# What a datagram can hold. Far less goes through everywhere, and is all that is sent from here.
_LARGEST = 1 << 16
_LONGEST_ID = 100
_USAGE = "send: path mask [name value]..."
# Of one client: more is a patch that runs wild.
_MOST_WAITING = 100
# How often it looks whether to stop, in seconds.
_BLINK = 0.2


@dataclass(frozen=True)
class _Client:
    """Who sent something, and where answers go."""

    sender: Address
    reply: Address

    @property
    def owner(self) -> str:
        return "{}:{}".format(*self.sender)


@dataclass(frozen=True)
class _Running:
    client: _Client
    name: str | int
    job: Job[list[Path]]


class OscServer(Closing):
    """Answers Open Sound Control until it is closed.

    Parameters
    ----------
    desk : Desk
        Where it is composed; recordings are read only below its root.
    output : str or Path
        The folder for songs and their recipes; it is made when the first one is written.
    host, port : str, int
        Where it listens; 127.0.0.1 can be reached from this computer only, and port 0 is any.
    reply_host, reply_port : str, int, optional
        Where answers go, in place of the address that a message came from.

    Attributes
    ----------
    address : tuple of str and int
        Where it listens.

    Raises
    ------
    VampPromptError
        If it cannot listen there.

    Examples
    --------
    >>> from vampprompt.studio import Desk
    >>> with Desk(["starter"]) as desk, OscServer(desk, "out", port=0) as server:
    ...     server.address[0]
    '127.0.0.1'
    """

    def __init__(
        self,
        desk: Desk,
        output: str | Path,
        host: str = "127.0.0.1",
        port: int = 8001,
        *,
        reply_host: str | None = None,
        reply_port: int | None = None,
    ) -> None:
        self._desk = desk
        self._output = Path(output)
        self._reply = reply_host, reply_port
        self._running: list[_Running] = []
        self._lock = threading.Lock()
        self._n_jobs = 0
        self._is_closed = False
        try:
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._socket.bind((host, port))
        except (OSError, OverflowError) as error:
            self._socket.close()
            raise VampPromptError(
                f"cannot listen at {host}:{port}: {getattr(error, 'strerror', None) or error}",
                hint="name another --host or --port",
            ) from error
        self._socket.settimeout(_BLINK)
        self.address: Address = self._socket.getsockname()[:2]
        self._thread = threading.Thread(target=self._serve, name="osc", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop what was asked for, and listen no more."""
        self._is_closed = True
        self._thread.join()
        for one in self._mine():
            one.job.cancel()
        self._socket.close()

    def _serve(self) -> None:
        while not self._is_closed:
            try:
                data, sender = self._socket.recvfrom(_LARGEST)
            except TimeoutError:
                continue
            except OSError:  # on some systems, that a client has left
                continue
            client = _Client(sender, (self._reply[0] or sender[0], self._reply[1] or sender[1]))
            try:
                for timed in OscPacket(data).messages:
                    self._answer(client, timed.message)
            except ParseError as error:
                self._send(client, "error", "", f"this is no Open Sound Control: {error}")
            except Exception as error:  # of whatever kind: the next message is heard all the same
                self._send(client, "error", "", told(error))

    def _answer(self, client: _Client, message: OscMessage) -> None:
        commands: dict[str, Callable[[_Client, list[Any]], None]] = {
            "compose": self._compose,
            "cancel": self._cancel,
            "masks": self._masks,
            "heartbeat": self._heartbeat,
        }
        name = message.address.removeprefix(_PREFIX)
        if not message.address.startswith(_PREFIX) or name not in commands:
            known = [_PREFIX + one for one in commands]
            hint = did_you_mean(message.address, known) or f"known: {', '.join(known)}"
            what = f"unknown address '{shown(message.address, 200)}'"
            raise VampPromptError(what, hint=hint)
        commands[name](client, list(message.params))

    def _compose(self, client: _Client, arguments: list[Any]) -> None:
        """Take ``path mask [name value]...``."""
        name: str | int = ""
        try:
            path, mask, given = _arguments(arguments)
            name = _id(given.pop("id", None))
            is_newest = given.pop("newest", 0)
            source = self._desk.place(path)
            self._begin(client, name, source, {"mask": mask, **given}, bool(is_newest))
        except VampPromptError as error:
            self._send(client, "error", name, told(error))

    def _begin(
        self, client: _Client, name: str | int, source: Path, given: dict[str, Any], newest: bool
    ) -> None:
        mine = self._mine(client)
        if any(one.name == name for one in mine) and not newest:
            raise VampPromptError(f"'{name}' is being composed", hint="choose another id")
        if len(mine) >= _MOST_WAITING and not newest:
            hint = "wait for some, or stop them: /vampprompt/cancel"
            raise VampPromptError(f"{len(mine)} songs of yours are waiting", hint=hint)
        while name == "" or (not newest and name in [one.name for one in mine]):
            self._n_jobs += 1
            name = self._n_jobs
        is_told = threading.Event()  # that it waits, which comes before all else

        def listener(stage: str, done: int, total: int) -> None:
            is_told.wait()
            self._send(client, "progress", name, stage, done, total)

        def finish(made: Composed) -> list[Path]:
            return self._written(made, source)

        job = self._desk.submit(source, given, finish, owner=client.owner, listener=listener)
        # Only now: what makes no sense should stop nothing that does.
        for one in mine if newest else ():
            one.job.cancel()
        running = _Running(client, name, job)
        with self._lock:
            self._running.append(running)
        n_ahead = next((n for n, one in enumerate(self._desk.queue.jobs) if one is job), 0)
        self._send(client, "progress", name, "waiting", 0, n_ahead)
        is_told.set()
        job.done.add_done_callback(lambda done: self._finished(running, done))

    def _finished(self, running: _Running, done: Future[list[Path]]) -> None:
        with self._lock:
            self._running.remove(running)
        try:
            paths = done.result()
        except Cancelled:
            self._send(running.client, "cancel", running.name)
        except BaseException as error:
            self._send(running.client, "error", running.name, told(error))
        else:
            self._send(running.client, "result", running.name, *map(str, paths))

    def _written(self, made: Composed, source: Path) -> list[Path]:
        """Write a song beside those that are there: one of them may be playing."""
        folder, variations = self._output, made.song.recipe.settings.variations
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(f"cannot make the folder '{folder}': {error.strerror}") from error
        number = 1
        while True:
            path = folder / f"{source.stem[:100]}-vamp-{number}.wav"
            if not any(one.exists() for one in audio_paths(path, variations)):
                return [one.resolve() for one in made.song.write(path)]
            number += 1

    def _cancel(self, client: _Client, arguments: list[Any]) -> None:
        """Take nothing, to stop all of this client's, or ids; each is answered once it stops."""
        names = [_id(one) for one in arguments]
        mine = self._mine(client)
        found = [one for one in mine if not names or one.name in names]
        for name in names:
            if name not in [one.name for one in found]:
                self._send(client, "error", name, f"'{name}' is not being composed")
        if not found and not names:
            self._send(client, "cancel")
        for one in found:
            one.job.cancel()

    def _masks(self, client: _Client, arguments: list[Any]) -> None:
        """Tell each name of the language, and at the end say so by a message with none."""
        for name in masks:
            try:
                entry = masks.get(name)
            except VampPromptError as error:  # of another package, and broken
                self._send(client, "masks", name, name, told(error))
            else:
                self._send(client, "masks", name, usage(name, entry), summary(entry))
        for name, preset in PRESETS.items():
            self._send(client, "masks", name, preset.text, preset.help)
        self._send(client, "masks")

    def _heartbeat(self, client: _Client, arguments: list[Any]) -> None:
        self._send(client, "heartbeat", version("vampprompt"), len(self._desk.queue.jobs))

    def _mine(self, client: _Client | None = None) -> list[_Running]:
        with self._lock:
            return [one for one in self._running if client is None or one.client == client]

    def _send(self, client: _Client, name: str, *values: Any) -> None:
        """Send an answer. Whether somebody hears it is no matter of ours."""
        try:
            message = OscMessageBuilder(_PREFIX + name)
            for value in values:
                message.add_arg(value)
            self._socket.sendto(message.build().dgram, client.reply)
        except (OSError, ValueError, OverflowError, BuildError) as error:
            if self._is_closed:
                return
            log.warning("no answer to %s: %s", client.owner, error)


def _arguments(arguments: list[Any]) -> tuple[str, str, dict[str, Any]]:
    if len(arguments) < 2 or len(arguments) % 2:
        what = f"{len(arguments)} arguments of /vampprompt/compose"
        raise VampPromptError(what, hint=_USAGE)
    path, mask, *rest = arguments
    for what, value in (("path", path), ("mask", mask), *(("name", one) for one in rest[::2])):
        if not isinstance(value, str) or not value:
            raise VampPromptError(f"the {what} is {value!r:.40}, and must be text", hint=_USAGE)
    given: dict[str, Any] = {}
    for name, value in zip(rest[::2], rest[1::2], strict=True):
        if name in given or name == "mask":
            raise VampPromptError(f"'{name}' is given twice")
        if not isinstance(value, (str, int, float)):
            raise VampPromptError(f"{name} is {value!r:.40}, and must be text or a number")
        given[name] = value
    return path, mask, given


def _id(value: Any) -> str | int:
    """Return the name that a client gives a job; many know no whole numbers."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if value is not None and not isinstance(value, (str, int)):
        raise VampPromptError(f"the id {value!r:.40} is neither text nor a whole number")
    if isinstance(value, str) and len(value) > _LONGEST_ID:
        raise VampPromptError("the id is too long", hint=f"at most {_LONGEST_ID} characters")
    return "" if value is None else value
