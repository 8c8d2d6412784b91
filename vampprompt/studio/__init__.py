"""Where other programs compose with this one: DAWs, Max, Pure Data, SuperCollider.

A `Desk` takes what is asked for, checks it, and has one worker compose it in its turn (`Queue`).
Front ends stand before it and hold no music of their own: `web` answers HARP 3, the host of models
in DAWs, and the clients of VampNet's own app; `osc` answers Open Sound Control. Each turns what its
clients send into a mask's text and settings, the same that a command line gives. The command line
calls this room; no room of the package does, for it needs packages that are extras.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from vampprompt.errors import VampPromptError

if TYPE_CHECKING:
    from vampprompt.studio.desk import Composed, Desk
    from vampprompt.studio.jobs import Cancelled, Job, Queue
    from vampprompt.studio.osc import OscServer
    from vampprompt.studio.web import WebServer

__all__ = ["Cancelled", "Composed", "Desk", "Job", "OscServer", "Queue", "WebServer"]

_MODULES = {
    "desk": ("Composed", "Desk"),
    "jobs": ("Cancelled", "Job", "Queue"),
    "osc": ("OscServer",),
    "web": ("WebServer",),
}
# The extra that brings a package.
_EXTRAS = {"gradio": "studio", "pythonosc": "osc"}


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            try:
                return getattr(import_module(f"{__name__}.{module}"), name)
            except ModuleNotFoundError as error:
                package = (error.name or "").partition(".")[0]
                if package not in _EXTRAS:
                    raise
                raise VampPromptError(
                    f"this needs the package '{package}', which is not installed",
                    hint=f"pip install 'vampprompt[{_EXTRAS[package]}]'",
                ) from error
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
