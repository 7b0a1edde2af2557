"""The custodial keys that belong to the platform itself. Investors and issuers have keys named after them."""

from typing import Final

PLATFORM: Final = "platform"
"""Owner and agent of the contracts; pays for what it sends and funds other keys with gas."""
CLAIM_ISSUER: Final = "claim-issuer"
"""Signs KYC claims; never sends a transaction."""
ATS_OPERATOR: Final = "ats-operator"
"""May settle fills."""
TREASURY: Final = "treasury"
"""Holds the cash that redemptions are paid from."""
