"""A VM that stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from .shared import Isolation


@dataclass(frozen=True, kw_only=True)
class SandboxInfo:
    """What the service says of a sandbox."""

    SCHEMAS: ClassVar = ("SandboxBody",)
    id: str
    #: What its VM booted from.
    image: str
    #: What cells are written in that name nothing.
    language: str
    memory_mib: int
    vcpus: int
    #: What its root file system takes in, in MiB of the memory; 0: it is read-only.
    writable_mib: int
    #: Seconds of its total time, and without a request, after which it ends.
    timeout: float
    idle_timeout: float
    created_at: datetime
    expires_at: datetime
    isolation: Isolation
    #: As it was given.
    metadata: Mapping[str, str]
