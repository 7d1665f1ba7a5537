"""Files of a sandbox, and what changes among them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Literal, Union

from .._decode import JSON_NAME


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A file, a folder, or what else has a name. Of a link: itself, not what it leads to."""

    SCHEMAS: ClassVar = ("EntryBody",)
    #: Absolute.
    path: str
    kind: Literal["file", "folder", "link", "other"]
    #: In bytes.
    size: int
    #: Its permission bits, in octal.
    mode: str
    #: Absent where the sandbox's clock says nonsense.
    modified_at: datetime | None = None
    #: Where a link leads.
    target: str | None = None

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rsplit("/", 1)[-1]


@dataclass(frozen=True, kw_only=True)
class Listing:
    """A folder's entries, in order of their paths."""

    SCHEMAS: ClassVar = ("EntriesBody",)
    entries: tuple[Entry, ...]
    #: There were more.
    truncated: bool

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)


@dataclass(frozen=True, kw_only=True)
class Written:
    """A file that was written."""

    SCHEMAS: ClassVar = ("WrittenBody",)
    path: str
    #: In bytes.
    size: int


@dataclass(frozen=True, kw_only=True)
class Watching:
    """From here on changes are told."""

    SCHEMAS: ClassVar = ("WatchBody",)
    #: Folders that are watched now.
    folders: int


@dataclass(frozen=True, kw_only=True)
class Changed:
    """An entry is new, has other content, or is gone."""

    SCHEMAS: ClassVar = ("WatchBody",)
    path: str
    change: Literal["created", "modified", "removed"] = field(metadata={"event": True})


@dataclass(frozen=True, kw_only=True)
class Moved:
    """An entry has another path."""

    SCHEMAS: ClassVar = ("WatchBody",)
    source: str = field(metadata={JSON_NAME: "from"})
    path: str


@dataclass(frozen=True, kw_only=True)
class Overflow:
    """Something is not told: `events` that came too fast, or `folders` of which there are too many."""

    SCHEMAS: ClassVar = ("WatchBody",)
    of: Literal["events", "folders"]


@dataclass(frozen=True, kw_only=True)
class WatchEnded:
    """The folder is gone."""

    SCHEMAS: ClassVar = ("WatchBody",)


#: What is told of a folder; `Watching` comes first.
WatchEvent = Union[Watching, Changed, Moved, Overflow, WatchEnded]
