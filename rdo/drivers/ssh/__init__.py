"""`driver = "ssh"`: a host, over the SSH protocol."""

import sys

# paramiko imports `invoke`, if it is there, for `Match exec` in ssh_config(5), and with it asyncio and unittest: 290 ms
# of CPU for all that speaks SSH, and without it 195. config_file.py runs such commands itself: nothing ever needs it.
# It is set once, under the lock that an import holds, before any module of this package could import paramiko.
sys.modules.setdefault("invoke", None)  # type: ignore[arg-type]
