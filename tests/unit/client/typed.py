"""Builds a request for what was typed in a project, with or without terminals."""

from __future__ import annotations

import os

import pytest

from rdo.client import request
from rdo.client.argv import parse
from rdo.ipc.request import Request
from rdo.project import FoundConfig

FOUND = FoundConfig("/work/.rdo.conf", "/link", "/link/a\udcff", "/work/a\udcff", "stamp")


def terminals_are(monkeypatch: pytest.MonkeyPatch, descriptors: tuple[int, ...]) -> None:
    monkeypatch.setattr(os, "isatty", lambda fd: fd in descriptors)


def build(*words: str) -> Request:
    return request.build(parse(list(words)), FOUND, os.environ)
