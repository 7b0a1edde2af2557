"""Which key a role's name stands for now. A rotation moves a name to its successor by epoch; whoever compares an older epoch is too late."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Held:
    """A name's key since an epoch."""

    key_ref: str
    epoch: int


class KeyBook:
    """In memory: what a rotation's saved state says was switched is switched again at the start, which changes nothing when it is done twice."""

    def __init__(self) -> None:
        self._held: dict[str, Held] = {}

    def of(self, name: str) -> Held:
        """A name that was never rotated is its own key, at epoch 1."""
        return self._held.get(name, Held(name, 1))

    def switch(self, name: str, *, to_key: str, from_epoch: int) -> bool:
        """Compare-and-set. True: it is to_key's, since from_epoch + 1; also when it was already."""
        after = Held(to_key, from_epoch + 1)
        if self.of(name).epoch == from_epoch:
            self._held[name] = after
        return self.of(name) == after
