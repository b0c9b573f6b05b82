"""The shell text that rdo runs on a target, and the code that composes it. PROTOCOL.md, section 2, specifies what is
sent.

The text is in .sh files, in POSIX sh: it runs under dash, bash, busybox ash, mksh, yash, posh, zsh as sh, and the sh of
the BSDs and macOS. template.py turns a file into the line that is sent.
"""
