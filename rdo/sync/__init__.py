"""Keeps a project's files the same here and on the target: which side owns what, what has changed, and the transfer.

Each path has one owner: this side, whose files are pushed before a command; the target, whose files are pulled after
it; or nobody. Paths are bytes, relative to the project's root, without `./`, with `/` between their parts.
"""
