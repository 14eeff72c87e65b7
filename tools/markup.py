# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible's documentation markup (``C()``, ``O()``, ``V()``, …) as Markdown that also reads well as plain text."""

from __future__ import annotations

import typing as t

from antsibull_docs_parser import dom
from antsibull_docs_parser.format import Formatter, format_paragraphs
from antsibull_docs_parser.parser import Context, parse


def code(text: str) -> str:
    """Text as inline code; a fence longer than any backtick run in it keeps it whole."""
    fence = "``" if "`" in text else "`"
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def escape(text: str) -> str:
    """Plain text without the characters that Markdown would read as markup inside a sentence."""
    for character in "\\`*<>[]":
        text = text.replace(character, f"\\{character}")
    return text


class Markdown(Formatter):
    """Formats the parsed markup; the methods are the ones that the parser's walker calls."""

    def format_error(self, part: dom.ErrorPart) -> str:
        raise ValueError(f"cannot read the markup: {part.message}")

    def format_bold(self, part: dom.BoldPart) -> str:
        return f"**{escape(part.text)}**"

    def format_code(self, part: dom.CodePart) -> str:
        return code(part.text)

    def format_horizontal_line(self, part: dom.HorizontalLinePart) -> str:  # noqa: ARG002
        return "\n\n---\n\n"

    def format_italic(self, part: dom.ItalicPart) -> str:
        return f"*{escape(part.text)}*"

    def format_link(self, part: dom.LinkPart) -> str:
        return f"[{escape(part.text)}]({part.url})"

    def format_module(self, part: dom.ModulePart, url: str | None) -> str:  # noqa: ARG002
        return code(part.fqcn)

    def format_rst_ref(self, part: dom.RSTRefPart) -> str:
        return escape(part.text)

    def format_url(self, part: dom.URLPart) -> str:
        return f"<{part.url}>"

    def format_text(self, part: dom.TextPart) -> str:
        return escape(part.text)

    def format_env_variable(self, part: dom.EnvVariablePart) -> str:
        return code(part.name)

    def format_option_name(self, part: dom.OptionNamePart, url: str | None) -> str:  # noqa: ARG002
        return code(part.name if part.value is None else f"{part.name}={part.value}")

    def format_option_value(self, part: dom.OptionValuePart) -> str:
        return code(part.value)

    def format_plugin(self, part: dom.PluginPart, url: str | None) -> str:  # noqa: ARG002
        return code(part.plugin.fqcn)

    def format_return_value(self, part: dom.ReturnValuePart, url: str | None) -> str:  # noqa: ARG002
        return code(part.name if part.value is None else f"{part.name}={part.value}")


def paragraphs(text: str | t.Sequence[str] | None) -> list[str]:
    """A description, which Ansible lets be one string or a list of them, as a list."""
    if not text:
        return []
    return [text] if isinstance(text, str) else [str(paragraph) for paragraph in text]


def to_markdown(text: str | t.Sequence[str] | None, separator: str = "\n\n") -> str:
    """Render a description.

    :param text: one paragraph or a list of them, in Ansible's markup.
    :param separator: what stands between two paragraphs; a space inside a table.
    :returns: Markdown, each paragraph on one line.
    :raises ValueError: the markup cannot be read.
    """
    parsed = [parse(" ".join(paragraph.split()), Context()) for paragraph in paragraphs(text)]
    flat = [part for group in parsed for part in group]
    return format_paragraphs(flat, Markdown(), par_sep=separator).strip()
