"""The shell text that rdo runs on a target, and what composes it. PROTOCOL.md, section 2, says what goes over the wire.

The text stands in .sh files, for POSIX sh only: it runs under dash, bash, busybox ash, mksh, yash, posh, zsh as sh and
the sh of the BSDs and macOS. template.py says how a file becomes the line that is sent.
"""
