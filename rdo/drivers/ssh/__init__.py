"""`driver = "ssh"`: a host, reached by SSH."""

import sys

# paramiko imports `invoke`, if it is installed, for `Match exec` in ssh_config(5), and with it asyncio and unittest:
# loading everything for SSH then takes 290 ms of CPU instead of 195. config_file.py runs such commands itself, so that
# nothing needs it. This is set once, under the import lock, before any module of this package could import paramiko.
sys.modules.setdefault("invoke", None)  # type: ignore[arg-type]
