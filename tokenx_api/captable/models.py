"""The cap table: who holds an offering, by the ledger and by the chain."""

from dataclasses import dataclass

from tokenx_common.wire import WireModel


@dataclass(frozen=True)
class Holder:
    """One holder in units. ledger: the holder's account plus what was bought and waits in clearing. in_flight: bought minus sold, on the way
    until the settlements are final. investor_id None: an address that is no investor's; address None: never registered on chain."""

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
    """agrees: for each holder on_chain_units + in_flight_units = ledger_units, and the supply is what was issued.
    in_flight_units is signed: positive for units on their way in."""

    offering_id: str
    as_of_seq: int
    total_units: str
    on_chain_supply: str
    agrees: bool
    data: list[HolderView]
