"""What a service has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar


@dataclass(frozen=True, kw_only=True)
class Language:
    """A language."""

    SCHEMAS: ClassVar = ("LanguageBody",)
    name: str
    #: What its image holds.
    runtime: str
    #: Its image is there.
    available: bool
    #: It has a compiler.
    compiled: bool
    #: File extensions, without the dot.
    extensions: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Image:
    """A root file system that jobs and sandboxes may name."""

    SCHEMAS: ClassVar = ("RootfsBody",)
    name: str
    about: str
    languages: tuple[str, ...]
    packages: int
    size_bytes: int
    sha256: str
    built_at: datetime


@dataclass(frozen=True, kw_only=True)
class Check:
    """One part of being ready."""

    SCHEMAS: ClassVar = ("Check",)
    name: str
    ok: bool
    detail: str
    fix: str | None = None


@dataclass(frozen=True, kw_only=True)
class Readiness:
    """Whether jobs are taken."""

    SCHEMAS: ClassVar = ("Readiness",)
    ready: bool
    checks: tuple[Check, ...]
