"""A movement or an act that is refused before anything is sent."""

from dataclasses import dataclass
from typing import Literal

from tokenx_chain.contracts.errors import Refusal
from tokenx_chain.operations.errors import OperationFailed

Side = Literal["sender", "receiver", "token", "rule"]


@dataclass(frozen=True)
class Obstacle(Refusal):
    """Why a movement would be refused. side: whose it is; rule: what says so, by name: 'pause', 'freeze', or a module's own name.

    further: what else stands against it, as far as it was asked for all at once."""

    side: Side
    rule: str
    further: "tuple[Obstacle, ...]" = ()


class ActRefused(OperationFailed):
    """We do not send this. obstacle is set where a movement was asked for and something stands against it."""

    def __init__(self, code: str, detail: str, obstacle: Obstacle | None = None) -> None:
        super().__init__(code, detail)
        self.obstacle = obstacle

    @classmethod
    def because(cls, obstacle: Obstacle) -> "ActRefused":
        return cls(obstacle.code, obstacle.detail, obstacle)
