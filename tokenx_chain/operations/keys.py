"""The custodial keys that belong to the platform itself. Investors and issuers have keys named after them."""

from typing import Final

PLATFORM: Final = "platform"
"""Owner and agent of the contracts; pays for what it sends and funds other keys with gas."""
CLAIM_ISSUER: Final = "claim-issuer"
"""Signs KYC claims; never sends a transaction."""
ATS_OPERATOR: Final = "ats-operator"
"""Signs fills and is custodian of the investors' wallets; never sends a transaction."""
ATS_SUBMITTER: Final = "ats-submitter"
"""Sends signed fills. Neither this key nor the operator's alone can settle anything."""
TREASURY: Final = "treasury"
"""Holds the cash that redemptions are paid from; receives fees."""
