"""From a recording and a mask to a song: the one room that knows everything below it.

`Settings` say how, `prepare` makes a recording ready, `compose` encodes, samples and decodes,
`windows` cut long clips, a `Song` is what comes out and its `Recipe` makes it again. Reports,
training, evaluation, studio and command line call it; it calls masks, samplers, models and
analysis, which know nothing of each other.
"""

from vampprompt.composing.recipe import Recipe, Source
from vampprompt.composing.settings import Settings
from vampprompt.composing.song import Song, audio_paths, check_songs, recipe_path, songs_there
from vampprompt.composing.sound import prepare

# `compose` itself needs PyTorch, which takes longer to load than some uses take.
__all__ = [
    "Recipe",
    "Settings",
    "Song",
    "Source",
    "audio_paths",
    "check_songs",
    "prepare",
    "recipe_path",
    "songs_there",
]
