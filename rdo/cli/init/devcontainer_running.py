"""Whether VS Code or the devcontainer CLI has made a container for a directory. Asks the engine."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

from rdo.errors import RdoError

LABEL = "devcontainer.local_folder"
"""Names the directory on this machine, as it was opened."""


def is_there(directory: str, environment: Mapping[str, str]) -> bool:
    """Whether there is one, running or not. False where no engine answers."""
    from rdo.drivers.docker.endpoint import resolve  # only here: few projects have a devcontainer
    from rdo.drivers.docker.engine import Engine, EngineError

    try:
        engine = Engine(resolve(environment), environment)
        try:
            for path in dict.fromkeys([directory, os.path.realpath(directory)]):
                filters = json.dumps({"label": [f"{LABEL}={path}"]})
                if engine.ask("GET", "/containers/json", query={"all": 1, "filters": filters}).tables():
                    return True
            return False
        finally:
            engine.close()
    except (RdoError, EngineError):
        return False
