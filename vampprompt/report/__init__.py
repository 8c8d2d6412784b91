"""Reports: a page to hear and see what composing made, in one file.

>>> import vampprompt as vp
>>> audio = vp.read("in.wav")
>>> log = vp.report.Log()
>>> settings = {"sampler": "confidence(steps=2)", "variations": 2, "on_step": log.on_step}
>>> song = vp.compose(audio, "periodic(7)", vp.load("starter"), **settings)
>>> vp.report.write("out.html", song, audio, log)
"""

from vampprompt.report.log import Log
from vampprompt.report.page import check_output, write

__all__ = ["Log", "check_output", "write"]
