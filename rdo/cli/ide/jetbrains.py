"""What JetBrains' IDEs need: run configurations, which a project holds, and External Tools, which an IDE holds. Pure.

Both in the form that the IDEs write themselves: a file in `.run` for each configuration (type "Shell Script"), and one
in the directory `tools` of an IDE's configuration for each group of tools (com.intellij.tools.ToolsProcessor).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

from rdo.cli.ide.draft import SHIMS, Draft, Project, whole
from rdo.cli.ide.toolset import FILE, Tool
from rdo.errors import RdoError
from rdo.remote_sh.template import quote

CONFIGURATION = """\
<component name="ProjectRunConfigurationManager">
  <configuration default="false" name={name} type="ShConfigurationType">
    <option name="SCRIPT_TEXT" value="" />
    <option name="INDEPENDENT_SCRIPT_PATH" value="true" />
    <option name="SCRIPT_PATH" value={path} />
    <option name="SCRIPT_OPTIONS" value={arguments} />
    <option name="INDEPENDENT_SCRIPT_WORKING_DIRECTORY" value="true" />
    <option name="SCRIPT_WORKING_DIRECTORY" value="$PROJECT_DIR$" />
    <option name="INDEPENDENT_INTERPRETER_PATH" value="true" />
    <option name="INTERPRETER_PATH" value="/bin/sh" />
    <option name="INTERPRETER_OPTIONS" value="" />
    <option name="EXECUTE_IN_TERMINAL" value="false" />
    <option name="EXECUTE_SCRIPT_FILE" value="true" />
    <envs />
    <method v="2" />
  </configuration>
</component>
"""

TOOL = """\
  <tool name={name} description={about} showInMainMenu="true" showInEditor="true" showInProject="true" \
showInSearchPopup="true" disabled="false" useConsole="true" showConsoleOnStdOut="true" showConsoleOnStdErr="true" \
synchronizeAfterRun="true">
    <exec>
      <option name="COMMAND" value={path} />
      <option name="PARAMETERS" value={arguments} />
      <option name="WORKING_DIRECTORY" value="$ProjectFileDir$" />
    </exec>
    <filter>
      <option name="NAME" value="path, line and column" />
      <option name="DESCRIPTION" value="" />
      <option name="REGEXP" value="$FILE_PATH$:$LINE$:$COLUMN$" />
    </filter>
    <filter>
      <option name="NAME" value="path and line" />
      <option name="DESCRIPTION" value="" />
      <option name="REGEXP" value="$FILE_PATH$:$LINE$" />
    </filter>
  </tool>
"""

EMPTY = '<toolSet name="rdo">\n</toolSet>\n'

CLOSING = re.compile(r"[ \t]*</toolSet>\s*\Z")


def drafts(tools: Sequence[Tool], project: Project) -> Iterator[Draft]:
    """A run configuration for each tool that needs no file to run on."""
    for tool in tools:
        if FILE not in tool.arguments:
            name = f"rdo {tool.name}"
            yield whole(project, f".run/{name}.run.xml", configuration(name, tool))


def tool_drafts(tools: Sequence[Tool], project: Project, directories: Sequence[str]) -> Iterator[Draft]:
    """External Tools of each IDE, by the directory of its configuration. Raises RdoError if a file is not XML."""
    for path in (f"{directory}/tools/rdo.xml" for directory in directories):
        yield Draft(path, merge(path, project.read(path) or EMPTY, tools))


def notes(tools: Sequence[Tool]) -> list[str]:
    """What the user may have expected, and how to get it."""
    return ["External Tools belong to the IDE, not to the project: `rdoctl ide jetbrains --tools` adds them there"]


def configuration(name: str, tool: Tool) -> str:
    """The text of a run configuration."""
    arguments = " ".join(map(quote, tool.arguments))
    path = f"$PROJECT_DIR$/{SHIMS}/{tool.executable}"
    return CONFIGURATION.format(name=quoteattr(name), path=quoteattr(path), arguments=quoteattr(arguments))


def merge(path: str, text: str, tools: Sequence[Tool]) -> str:
    """The group with the tools that it lacks. Existing tools are the user's. Raises RdoError."""
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise RdoError(f"cannot add to `{path}`", str(error), "correct it, or move it away") from None
    there = {element.get("name") for element in root.iter("tool")}
    added = "".join(external(tool) for tool in tools if tool.name not in there)
    if not added:
        return text
    if not CLOSING.search(text):
        raise RdoError(f"cannot add to `{path}`", "it does not end with `</toolSet>`", "move it away")
    return CLOSING.sub(lambda match: added + match[0], text)


def external(tool: Tool) -> str:
    """A tool in the IDE's format."""
    arguments = " ".join("$FilePath$" if word == FILE else quote(word) for word in tool.arguments)
    path = f"$ProjectFileDir$/{SHIMS}/{tool.executable}"
    values = {"name": tool.name, "about": f"{tool.name} where rdo runs it", "path": path, "arguments": arguments}
    return TOOL.format(**{name: quoteattr(value) for name, value in values.items()})
