"""Use cases of surveillance: take in what kyt reports, work on alerts, link owners."""

from tokenx_api.surveillance.service.desk import alert_page, assign, close, score_page
from tokenx_api.surveillance.service.intake import heads, take_kyt_batch, take_surveillance_batch
from tokenx_api.surveillance.service.links import declare_link, link_page, reference_data

__all__ = [
    "alert_page", "assign", "close", "declare_link", "heads", "link_page", "reference_data", "score_page", "take_kyt_batch",
    "take_surveillance_batch",
]  # fmt: skip
