"""The cap table: who holds an offering, by the ledger and by the chain."""

from dataclasses import dataclass

from tokenx_common.wire import WireModel


@dataclass(frozen=True)
class Holder:
    """One holder in units. in_flight: sold, but still in the holder's wallet until the settlement is final. investor_id None: an address that is no
    investor's; address None: never registered on chain."""

    investor_id: str | None
    legal_name: str
    country: str | None
    address: str | None
    ledger: int
    in_flight: int
    on_chain: int


class HolderView(WireModel):
    investor_id: str | None
    legal_name: str
    country: str | None
    address: str | None
    ledger_units: str
    in_flight_units: str
    on_chain_units: str
    share_pct: str


class CapTable(WireModel):
    """agrees: for each holder on_chain_units = ledger_units + in_flight_units, and the supply is what was issued."""

    offering_id: str
    as_of_seq: int
    total_units: str
    on_chain_supply: str
    agrees: bool
    data: list[HolderView]
