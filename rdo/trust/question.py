"""The trust question for one user: compared with what was allowed before, and in characters that the terminal can
show."""

from __future__ import annotations

from collections.abc import Mapping

from rdo.trust import prompt
from rdo.trust.prompt import Screen
from rdo.trust.request import TrustRequest
from rdo.trust.store import Store
from rdo.util import charset


def question(request: TrustRequest, environment: Mapping[str, str], screen: Screen) -> str:
    """The question for the user of that environment, fitted to the screen. Raises RdoError."""
    record = Store(environment).find(request.config, request.profile)
    before = record.values if record else None
    if not charset.is_utf8(environment):
        request, before = prompt.in_ascii(request, before)
    return prompt.question(request, before, screen)
