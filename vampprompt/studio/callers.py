"""Who calls over HTTP, what is being composed for them, and that it stops when they leave."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any, TypeVar
from urllib.parse import parse_qs

import gradio as gr

from vampprompt.errors import VampPromptError
from vampprompt.studio.desk import Composed, Desk, told
from vampprompt.studio.jobs import Cancelled, Job

T = TypeVar("T")

# Where Gradio tells a caller what became of an event: until then the connection stays open.
_OF_AN_EVENT = re.compile(r"/call/(?:v2/)?[^/]+/([^/]+)/?$")
_OF_A_SESSION = "/queue/data"
# Under which a request's scope holds its number, in the order in which they came.
_ORDER = "vampprompt.order"
_MOST_REMEMBERED = 1000


class Callers:
    """Those who call a Gradio app that composes.

    Gradio gives each caller of its page and of its own client a session. Other clients, HARP
    among them, have none: each call is one, and what they want cancelled they do not say. So
    theirs is all that was asked for from the same address without a session.

    Parameters
    ----------
    desk : Desk
        Where it is composed.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._running: dict[str, list[Job[Any]]] = defaultdict(list)
        # Gradio has its own order among what comes in at a time: what a caller had sent before
        # it cancelled or left may begin after that.
        self._over: dict[str, int] = {}

    async def compose(
        self,
        request: gr.Request,
        source: str | None,
        given: Callable[[], Mapping[str, Any]],
        then: Callable[[Composed], T],
    ) -> T:
        """Return what `then` makes of a song.

        The arguments are those of `Desk.submit`, but that `given` is called for what is given, so
        that what is wrong with it is told like all else.

        Raises
        ------
        gradio.Error
            With a line that the caller can show.
        """
        session = request.session_hash or ""
        try:
            if source is None:
                raise VampPromptError("there is no recording", hint="give one")
            owner = _owner(request)
            if _number(request) < max(self._over.get(one, 0) for one in (owner, session)):
                raise Cancelled
            job = self.desk.submit(source, given(), then, owner=owner)
            self._running[session].append(job)
            try:
                return await asyncio.wrap_future(job.done)
            finally:
                job.cancel()  # which it needs only if Gradio has given up waiting
                self._running[session].remove(job)
                if not self._running[session]:
                    del self._running[session]
        except Cancelled:
            raise gr.Error("stopped, as was asked for", print_exception=False) from None
        except Exception as error:
            raise gr.Error(told(error), print_exception=False) from None

    def cancel(self, request: gr.Request) -> None:
        """Stop all that this caller has asked for."""
        self._end(_owner(request), _number(request))
        self.desk.queue.cancel(_owner(request))

    def leave(self, session: str, number: int) -> None:
        """Stop what is still composed for a session, which nobody waits for any more.

        Parameters
        ----------
        session : str
            That of the connection which has ended.
        number : int
            Its own, in the order of requests.
        """
        self._end(session, number)
        for job in list(self._running.get(session, ())):
            job.cancel()

    def _end(self, key: str, number: int) -> None:
        self._over.pop(key, None)
        self._over[key] = number
        if len(self._over) > _MOST_REMEMBERED:
            del self._over[next(iter(self._over))]


def _owner(request: gr.Request) -> str:
    call: Any = request.request
    session = "" if "/call/" in call.url.path else request.session_hash
    return f"{call.client.host if call.client else ''} {session}".strip()


def _number(request: gr.Request) -> int:
    call: Any = request.request
    number: int = call.scope[_ORDER]
    return number


class Leaving:
    """ASGI middleware that numbers requests, and tells which session's connection has ended.

    Parameters
    ----------
    app : callable
        What answers.
    leave : callable
        Is told of the session, and of the number; too often does no harm.
    """

    def __init__(self, app: Callable[..., Any], leave: Callable[[str, int], None]) -> None:
        self._app = app
        self._leave = leave
        self._order = count(1)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer, and when that is over tell of it."""
        scope[_ORDER] = next(self._order)
        try:
            await self._app(scope, receive, send)
        finally:
            if scope["type"] == "http" and scope["method"] == "GET":
                path = scope["path"]
                if match := _OF_AN_EVENT.search(path):
                    self._leave(match[1], scope[_ORDER])
                elif path.endswith(_OF_A_SESSION):
                    query = parse_qs(scope["query_string"].decode("latin-1"))
                    self._leave(query.get("session_hash", [""])[0], scope[_ORDER])
