"""What several answers have in common."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import ClassVar, Literal

#: How a program ended. A newer service may know more words.
Status = Literal["ok", "error", "timeout", "oom", "killed"]


@dataclass(frozen=True, kw_only=True)
class Isolation:
    """What held a program."""

    SCHEMAS: ClassVar = ("IsolationBody",)
    #: The VMM: `firecracker`, `qemu` or `uml`.
    engine: str
    #: `kvm`, `tcg`, or of User-Mode Linux `none`.
    accelerator: str
    #: What stood around the VMM.
    jail: str
    #: `confined`, or `root` where programs of the sandbox were root.
    guest: str


@dataclass(frozen=True, kw_only=True)
class Limit:
    """The limit that ended a program."""

    SCHEMAS: ClassVar = ("LimitBody",)
    name: str
    value: int
    unit: str
    #: The forbidden system call, where that was it.
    syscall: str | None = None


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What a program and all that it started used."""

    SCHEMAS: ClassVar = ("UsageBody",)
    cpu_seconds: float
    memory_peak_mib: float


def raw(text: str, encoded: str | None) -> bytes:
    """The bytes that were written: of base64 where they were no UTF-8."""
    return text.encode() if encoded is None else base64.b64decode(encoded)
