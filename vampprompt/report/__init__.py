"""Reports: a page to hear and see what composing made, in one file.

`Log` records while `compose` works, `write` fills in the page: its player (`player.js`), and sound
and pictures as text (`media`). In a notebook songs show themselves (`notebook`). Stands above
composing, whose songs it shows; the command line calls it, and of the package only the studio does.

>>> import vampprompt as vp
>>> audio = vp.read("in.wav")
>>> log = vp.report.Log()
>>> settings = {"sampler": "confidence(steps=2)", "variations": 2, "on_step": log.on_step}
>>> song = vp.compose(audio, "periodic(7)", vp.load("starter"), **settings)
>>> vp.report.write("out.html", song, audio, log)
"""

from vampprompt.report.log import Log
from vampprompt.report.notebook import progress
from vampprompt.report.page import check_output, write

__all__ = ["Log", "check_output", "progress", "write"]
