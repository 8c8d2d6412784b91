"""The calls that HARP 3 makes, and those of any client of a Gradio app, by the standard library."""

from __future__ import annotations

import http.client
import json
import time
import uuid
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

PATIENCE = 120  # seconds, for a busy machine


class Host:
    """A host that was told the address of a server.

    Parameters
    ----------
    address : str
        ``http://127.0.0.1:7860``
    own : str
        The address that it calls from.
    """

    def __init__(self, address, own="127.0.0.1"):
        self._place = urlsplit(address)
        self._own = own

    @contextmanager
    def _asked(self, method, path, body=None, headers=()):
        place = self._place.hostname, self._place.port
        link = http.client.HTTPConnection(*place, PATIENCE, source_address=(self._own, 0))
        try:
            link.request(method, path, body, dict(headers))
            yield link.getresponse()
        finally:
            link.close()

    def upload(self, path):
        """Send a file; return where the server has put it."""
        mark = uuid.uuid4().hex
        head = (
            f'--{mark}\r\nContent-Disposition: form-data; name="files"; filename="{path.name}"\r\n'
            "Content-Type: audio/midi\r\n\r\n"
        )
        body = head.encode() + Path(path).read_bytes() + f"\r\n--{mark}--\r\n".encode()
        kind = {"Content-Type": f"multipart/form-data; boundary={mark}"}
        with self._asked("POST", "/gradio_api/upload", body, kind) as answer:
            assert answer.status == 200
            (there,) = json.load(answer)
            return there

    def begin(self, name, data=()):
        """Ask for something; return the number under which it is told of."""
        status, answer = self.post(name, {"data": list(data)})
        assert status == 200, answer
        return answer["event_id"]

    def post(self, name, content):
        body, kind = json.dumps(content), {"Content-Type": "application/json"}
        with self._asked("POST", f"/gradio_api/call/{name}", body, kind) as answer:
            return answer.status, json.load(answer)

    def result(self, name, event):
        """Return the kind of the answer and what is in it: of the first that has any."""
        with self._asked("GET", f"/gradio_api/call/{name}/{event}") as answer:
            assert answer.status == 200
            kind, end = None, time.monotonic() + PATIENCE
            for line in answer:
                assert time.monotonic() < end, "nothing but heartbeats"
                word, _, rest = line.decode().rstrip("\r\n").partition(": ")
                if word == "event":
                    kind = rest
                elif word == "data" and kind != "heartbeat":
                    return kind, json.loads(rest)
        raise AssertionError("the server has hung up")

    def leave(self, name, event):
        """Begin to listen, and go away."""
        self._listen_and_leave(f"/gradio_api/call/{name}/{event}")

    def _listen_and_leave(self, path):
        with self._asked("GET", path) as answer:
            assert answer.status == 200

    def join_and_leave(self, name, data):
        """Do as a page does that has a session, and is closed soon."""
        with self._asked("GET", "/config") as answer:
            known = json.load(answer)["dependencies"]
        (number,) = (one["id"] for one in known if one["api_name"] == name)
        session = uuid.uuid4().hex[:11]
        content = {"data": list(data), "fn_index": number, "session_hash": session}
        kind = {"Content-Type": "application/json"}
        with self._asked("POST", "/gradio_api/queue/join", json.dumps(content), kind) as answer:
            assert answer.status == 200
        self._listen_and_leave(f"/gradio_api/queue/data?session_hash={session}")

    def call(self, name, *data):
        return self.result(name, self.begin(name, data))

    def fetch(self, url, path):
        """Download a file."""
        place = urlsplit(url)
        assert (place.hostname, place.port) == (self._place.hostname, self._place.port)
        with self._asked("GET", place.path) as answer:
            assert answer.status == 200
            path.write_bytes(answer.read())
        return path


def audio(path):
    """Return how an uploaded file is spoken of."""
    return {"path": path, "meta": {"_type": "gradio.FileData"}}
