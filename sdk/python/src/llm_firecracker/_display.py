"""What a notebook may show of what a guest sent.

The guest is hostile, and a notebook runs scripts of what it shows with the notebook's rights: HTML, SVG, Markdown,
JavaScript and widgets of a guest are shown only by whoever calls `trusted()`. Texts and pixels are shown as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: Types that cannot run anything where they are shown.
INERT = frozenset({"text/plain", "image/png", "image/jpeg", "image/gif", "image/webp"})


def inert(data: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a MIME bundle that can be shown without trusting who made it."""
    return {mime: content for mime, content in data.items() if mime in INERT}


@dataclass(frozen=True)
class Trusted:
    """A MIME bundle that a notebook shows whole: its maker is trusted as much as the notebook's own code."""

    data: Mapping[str, Any]

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return dict(self.data)
