"""Codecs and token models, and loading them from wherever they lie."""

from vampprompt.models import windowed
from vampprompt.models.bundle import Bundle, load, outline
from vampprompt.models.catalogue import available, offered
from vampprompt.models.codecs import codecs
from vampprompt.models.transformer import VampNet

__all__ = ["Bundle", "VampNet", "available", "codecs", "load", "offered", "outline", "windowed"]
