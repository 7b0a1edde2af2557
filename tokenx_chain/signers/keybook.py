"""Which key a role's name stands for now. A rotation moves a name to its successor by epoch; whoever compares an older epoch is too late."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_VERSION: Final = re.compile(r"@[1-9][0-9]*$")


def name_of(key_ref: str) -> str:
    """The name a key stands for: 'platform' for 'platform@2'."""
    return _VERSION.sub("", key_ref)


def next_key(name: str, epoch: int) -> str:
    """What the key after the one of an epoch is called."""
    return f"{name}@{epoch + 1}"


@dataclass(frozen=True)
class Held:
    """A name's key since an epoch."""

    key_ref: str
    epoch: int


class KeyBook:
    """In memory, of one chain. What the journal says was switched is loaded at the start, before anything is signed."""

    def __init__(self) -> None:
        self._held: dict[str, Held] = {}

    def of(self, name: str) -> Held:
        """A name that was never rotated is its own key, at epoch 1."""
        return self._held.get(name, Held(name, 1))

    def earlier(self, name: str) -> list[str]:
        """The keys it stood for before."""
        return [name if epoch == 1 else next_key(name, epoch - 1) for epoch in range(1, self.of(name).epoch)]

    def epoch_of(self, key_ref: str) -> int | None:
        """Since which epoch a key is, or was, its name's; None for one that was never rotated."""
        name = name_of(key_ref)
        if self.of(name).epoch == 1:
            return None
        return 1 if key_ref == name else int(key_ref.rpartition("@")[2])

    def load(self, switched: Iterable[tuple[str, str, int]]) -> None:
        """(name, key, epoch) of every switch that was journaled, in any order."""
        for name, key_ref, epoch in switched:
            if epoch > self.of(name).epoch:
                self._held[name] = Held(key_ref, epoch)

    def switch(self, name: str, *, to_key: str, from_epoch: int) -> bool:
        """Compare-and-set. True: it is to_key's, since from_epoch + 1; also when it was already."""
        after = Held(to_key, from_epoch + 1)
        if self.of(name).epoch == from_epoch:
            self._held[name] = after
        return self.of(name) == after
