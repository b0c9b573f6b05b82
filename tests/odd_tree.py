"""A project with everything that the tree of one may contain: odd names, links, modes, empty files."""

from __future__ import annotations

import os

from tests.sync_target import Side


def fill(side: Side) -> None:
    """Create the project in the directory."""
    side.write({
        "README": "text\n", "src/app.py": "print()\n", "src/deep/er/one": "1", "run me.sh": "#!/bin/sh\n",
        "it's \"$x\" `y` \\n": "odd", "new\nline": "odd", "-rf": "odd", "n" * 120 + "/" + "m" * 200: "long",
        "empty/": "", "zero": b"", "bytes": bytes(range(256)),
    })  # fmt: skip
    (side.here / "run me.sh").chmod(0o755)
    (side.here / "empty").chmod(0o700)
    (side.here / "link").symlink_to("src/app.py")
    (side.here / "src/out").symlink_to("/etc/" + "x" * 150)
    os.utime(side.here / "README", (1_600_000_000, 1_600_000_000))
    for path in side.here.rglob("*"):  # in whole seconds, which every tar can store
        if not path.is_symlink():
            os.utime(path, (1_600_000_000, 1_600_000_000))
