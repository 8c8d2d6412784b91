"""One server on Gradio for HARP and for the clients of VampNet's own app."""

from __future__ import annotations

import inspect
import os
import tempfile
from dataclasses import fields
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from vampprompt.audio import Audio, write
from vampprompt.errors import VampPromptError
from vampprompt.studio import harp
from vampprompt.studio.callers import Callers, Leaving
from vampprompt.studio.desk import Composed, Desk
from vampprompt.studio.jobs import Closing
from vampprompt.studio.vamp import Controls, given_by

# In seconds: how often what was sent and made is looked through, and how old it may grow.
_TIDY = (600, 6 * 3600)
_LARGEST = "1gb"


class WebServer(Closing):
    """Serves a desk over HTTP until it is closed: HARP's endpoints, and ``/vamp``.

    Parameters
    ----------
    desk : Desk
        Where it is composed.
    host : str
        The address at which it can be reached; 127.0.0.1 from this computer only.
    port : int
        A port that is free.
    n_tracks : int
        How many tracks HARP gets back: the most variations.

    Attributes
    ----------
    address : str
        What to type into HARP.

    Raises
    ------
    VampPromptError
        If nothing can be served there.

    Examples
    --------
    Not run by the tests where it stands: what Gradio opens is for a process of its own.

    >>> from vampprompt.studio import Desk
    >>> with Desk(["starter"]) as desk, WebServer(desk) as server:  # doctest: +SKIP
    ...     server.address
    'http://127.0.0.1:7860'
    """

    def __init__(
        self, desk: Desk, host: str = "127.0.0.1", port: int = 7860, n_tracks: int = 4
    ) -> None:
        self.address = f"http://{host}:{port}"
        self._folder = tempfile.TemporaryDirectory(prefix="vampprompt-")
        folder = Path(self._folder.name).resolve()
        # Gradio looks there while the app is built. Nobody is told of what happens here.
        quiet = {"GRADIO_TEMP_DIR": str(folder), "GRADIO_ANALYTICS_ENABLED": "False"}
        os.environ.update(quiet)
        callers = Callers(desk)
        self._app = _app(callers, folder, n_tracks)
        try:
            self._app.launch(
                server_name=host,
                server_port=port,
                prevent_thread_lock=True,
                quiet=True,
                show_error=True,  # also those of Gradio itself
                share=False,
                inbrowser=False,
                ssr_mode=False,
                mcp_server=False,
                max_file_size=_LARGEST,
                app_kwargs={"middleware": [Middleware(Leaving, leave=callers.leave)]},
                # As those of other places would be fetched from there.
                theme=gr.themes.Base(font=["system-ui", "sans-serif"], font_mono=["monospace"]),
            )
        except (OSError, ValueError) as error:
            self._folder.cleanup()
            raise VampPromptError(
                f"cannot serve at {self.address}: {error}", hint="name another --host or --port"
            ) from error

    def close(self) -> None:
        """Serve no more, and leave nothing behind of what was sent and made."""
        self._app.close(verbose=False)
        self._folder.cleanup()


def _app(callers: Callers, folder: Path, n_tracks: int) -> gr.Blocks:
    with gr.Blocks(title="vampprompt", analytics_enabled=False, delete_cache=_TIDY) as app:
        gr.Markdown(f"# vampprompt\n\n{harp.CARD['description']}")
        harp.add_endpoints(callers, folder, n_tracks)
        _add_vamp(callers, folder)
    # The line is the desk's: Gradio makes nobody wait.
    app.queue(default_concurrency_limit=None)
    return app


def _add_vamp(callers: Callers, folder: Path) -> None:
    """Add the endpoint of VampNet's own app, whose controls come by position."""
    known = fields(Controls)

    async def vamp(request: gr.Request, input_audio: str | None, *values: Any) -> str:
        def finish(made: Composed) -> str:
            path = Path(tempfile.mkdtemp(dir=folder)) / "output.wav"
            song = made.song
            write(path, Audio(song.audio[0], song.sample_rate, song.subtype))
            return str(path)

        def given() -> dict[str, Any]:
            return given_by(Controls(*values))

        return await callers.compose(request, input_audio, given, finish)

    # Clients may give the controls by name as well, which they learn from here.
    by_name = inspect.Parameter.POSITIONAL_OR_KEYWORD
    names = ["input_audio", *(one.name for one in known)]
    vamp.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter("request", by_name, annotation=gr.Request),
            *(inspect.Parameter(name, by_name) for name in names),
        ]
    )
    kinds: dict[type, Any] = {bool: gr.Checkbox, str: gr.Textbox, float: gr.Number, int: gr.Number}
    with gr.Column(visible=False):
        source = gr.Audio(label="input audio", type="filepath")
        controls = [kinds[type(one.default)](one.default, label=one.name) for one in known]
        output = gr.Audio(label="output audio", type="filepath")
        button = gr.Button()
    button.click(vamp, [source, *controls], [output], api_name="vamp", concurrency_limit=None)
