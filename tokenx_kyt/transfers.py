"""A final token transfer as scoring sees it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from tokenx_common.events import ChainItem, TransferPayload
from tokenx_kyt.addresses import is_low, parse_address

STABLECOIN: Final = "StableCoin"


@dataclass(frozen=True)
class Transfer:
    """amount is in base units. at is the block's time: scoring knows no other clock."""

    chain_id: int
    seq: int
    event_id: str
    tx_hash: str
    token: bytes
    token_name: str
    sender: bytes
    receiver: bytes
    amount: int
    at: datetime

    @property
    def is_mint(self) -> bool:
        return is_low(self.sender)

    @property
    def is_cash(self) -> bool:
        return self.token_name == STABLECOIN

    @property
    def parties(self) -> tuple[bytes, ...]:
        """The addresses with a key behind them, sender first."""
        return tuple(address for address in dict.fromkeys((self.sender, self.receiver)) if not is_low(address))


def parse_transfer(item: ChainItem, chain_id: int) -> Transfer:
    """A transfer.final event. Raises ValueError (pydantic's too) when the payload is none."""
    payload = TransferPayload.model_validate(item.payload)
    return Transfer(
        chain_id=chain_id,
        seq=item.seq,
        event_id=item.event_id,
        tx_hash=item.tx_hash or "",
        token=parse_address(payload.token),
        token_name=payload.token_name,
        sender=parse_address(payload.from_address),
        receiver=parse_address(payload.to_address),
        amount=int(payload.amount),
        at=datetime.fromisoformat(item.occurred_at),
    )
