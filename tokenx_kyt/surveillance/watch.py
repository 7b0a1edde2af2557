"""All detectors over one offering's execution stream."""

from tokenx_common.events import EXECUTION, Trade
from tokenx_common.stream import Item
from tokenx_kyt.surveillance.fills import fill_of
from tokenx_kyt.surveillance.findings import Finding
from tokenx_kyt.surveillance.links import Links
from tokenx_kyt.surveillance.self_trade import SelfTrade
from tokenx_kyt.surveillance.wash_ring import WashRing


class OfferingWatch:
    """Feed it every execution item once, in order; the same items and links give the same findings."""

    def __init__(self, offering_id: str) -> None:
        self._self_trade = SelfTrade(offering_id)
        self._wash_ring = WashRing(offering_id)

    def observe(self, item: Item, links: Links) -> list[Finding]:
        """Findings that this execution completes."""
        execution = EXECUTION.validate_json(item["body"])
        if not isinstance(execution, Trade):
            return []
        fill = fill_of(item["seq"], execution)
        found = (self._self_trade.observe(fill, links), self._wash_ring.observe(fill))
        return [finding for finding in found if finding is not None]
