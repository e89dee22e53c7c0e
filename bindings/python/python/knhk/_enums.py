"""Small numbers with names, and names with a meaning."""

from enum import IntEnum
from typing import Literal, TypeAlias

Format: TypeAlias = (  # A union, and not one Literal, for which stubtest has no eye.
    Literal["turtle"] | Literal["ntriples"] | Literal["nquads"] | Literal["jsonld"] | Literal["rdfxml"] | Literal["json"]
)
"""How knowledge is written. "json" holds parameters and classes alone, as `Sector.promote` takes them."""


class Reason(IntEnum):
    """Why a read returned what it did."""

    PRESENT = 0
    """The value is there."""
    ABSENT = 1
    """The current version has no value under this key."""
    WRONG_TYPE = 2
    """The value has another type than the key: a major version changed it."""
    NOT_READY = 3
    """Nothing was promoted in the sector yet, and a value beside this reason is a declared default; or the engine is closed."""


class Outcome(IntEnum):
    """What became of what was observed. A program's own outcomes are numbers from 256 on."""

    UNSPECIFIED = 0
    """Nothing was said."""
    SUCCESS = 1
    """It went well."""
    REJECTED = 2
    """It was refused by a rule or a limit."""
    ERROR = 3
    """It failed."""
    TIMEOUT = 4
    """It took too long."""
