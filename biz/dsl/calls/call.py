"""What a run asks others to do for it: one dataclass a protocol, each in a file of its own.

A call is data: every expression in it is evaluated, and it is carried as JSON to where it is made.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(ABC):
    """A call that is to be made.

    `idempotency_key` is the same for every attempt of this call, and of no other call. `KIND` is
    the name under which the kind of call is known where it is made; runs under way depend on it.
    """

    KIND: ClassVar[str]

    idempotency_key: str

    @abstractmethod
    def require_valid(self) -> None:
        """Raises TaskFault where a value that an expression gave can't be sent.

        Asked wherever a call is made, in memory too: a definition faults alike everywhere.
        """
