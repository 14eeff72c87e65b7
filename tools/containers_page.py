# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The page that says what the scenario containers has proven, in one file."""

from __future__ import annotations

import base64
import html
import time
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

_STYLE = """
body { font-family: system-ui, sans-serif; margin: 2rem auto; max-width: 50rem; line-height: 1.5; padding: 0 1rem; }
h2 { font-size: 1.1rem; margin: 1.5rem 0 0.3rem; }
.ok::before { content: "✓ "; color: #1a7f37; }
.failed::before { content: "✗ "; color: #b42318; }
.time { color: #667; font-weight: normal; font-size: 0.9rem; }
img { border: 1px solid #ccd; max-width: 100%; }
"""


@dataclass
class Proof:
    """Something that was to be proven.

    :param title: in one line.
    :param facts: what was seen.
    :param pictures: PNG files.
    :param failed: why it is not proven.
    :param seconds: how long it took.
    """

    title: str
    facts: list[str] = field(default_factory=list)
    pictures: list[Path] = field(default_factory=list)
    failed: str = ""
    seconds: float = 0.0


def section(proof: Proof) -> str:
    """One proof in HTML."""
    kind = "failed" if proof.failed else "ok"
    facts = [*proof.facts, *([f"Failed: {proof.failed}"] if proof.failed else [])]
    listed = "".join(f"<li>{html.escape(fact)}</li>" for fact in facts)
    drawn = "".join(
        f'<p><img alt="The front end in a browser" src="data:image/png;base64,{_encoded(path)}"></p>'
        for path in proof.pictures
    )
    heading = f'<h2 class="{kind}">{html.escape(proof.title)} <span class="time">{proof.seconds:.0f} s</span></h2>'
    return f"{heading}<ul>{listed}</ul>{drawn}"


def _encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def page(proofs: t.Sequence[Proof], unproven: t.Sequence[str], seconds: float) -> str:
    """The whole page.

    :param proofs: in order.
    :param unproven: what was left out.
    :param seconds: how long everything took.
    """
    when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    proven = sum(not proof.failed for proof in proofs)
    left = "".join(f"<li>{html.escape(text)}</li>" for text in unproven)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>What was proven</title>'
        f"<style>{_STYLE}</style></head><body><h1>What was proven with running containers</h1>"
        f"<p>{proven} of {len(proofs)} in {seconds:.0f} s, {when}.</p>{''.join(map(section, proofs))}"
        f"<h2>What was not</h2><ul>{left}</ul></body></html>\n"
    )


def write_page(path: Path, proofs: t.Sequence[Proof], unproven: t.Sequence[str], seconds: float) -> None:
    """Write the page into a file; see L{page}."""
    path.write_text(page(proofs, unproven, seconds), encoding="utf-8")
