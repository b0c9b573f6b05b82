"""Converts click's errors about a command line of `rdoctl` to the form of all other errors. Pure."""

from __future__ import annotations

import re

import click

from rdo.errors import UsageError
from rdo.util.phrases import nearest

QUOTED = re.compile(r"(?<!\w)'([^'`]*)'(?!\w)")
"""A name or value in a message of click."""

LISTED = re.compile(r"\((.*)\)$", re.DOTALL)
"""The arguments at the end of a message of click."""


def error_of(complaint: click.UsageError) -> UsageError:
    """What is wrong, and what to type instead."""
    if complaint.ctx is None:
        return UsageError(_fragment(complaint.message), "", "see `rdoctl --help`")
    path = complaint.ctx.command_path
    hint = f"see `{path} --help`"
    if isinstance(complaint, click.MissingParameter):
        pieces = complaint.ctx.command.collect_usage_pieces(complaint.ctx)
        arguments = " ".join(each for each in pieces if each != complaint.ctx.command.options_metavar)
        return UsageError("an argument is missing", "", f"type `{path} {arguments}`")
    if isinstance(complaint, click.NoSuchOption):
        near = nearest(complaint.option_name, complaint.possibilities or ())
        return UsageError(f"unknown option `{complaint.option_name}`", "", near or hint)
    if isinstance(complaint, click.BadParameter) and isinstance(complaint.param, click.Option):
        return UsageError(f"`{max(complaint.param.opts, key=len)}`", _fragment(complaint.message), hint)
    return UsageError(_fragment(complaint.message), "", hint)


def _fragment(sentence: str) -> str:
    """A sentence as part of an error: names in backticks, in lower case, and without a full stop."""
    text = LISTED.sub(r"`\1`", sentence.removeprefix("Got ").removesuffix("."))
    text = QUOTED.sub(r"`\1`", text)
    return text[:1].lower() + text[1:]
