"""Pure decisions about a KYC case."""

from datetime import timedelta
from typing import Final, Literal

from tokenx_api.investors.models import KycStatus
from tokenx_api.wallets.models import WalletStatus

KYC_VALID_FOR: Final = timedelta(days=365)


def on_approval(kyc_status: KycStatus, wallet: WalletStatus | None) -> Literal["approve", "register_again", "refuse"]:
    """What an approval does. register_again: KYC stands, but the wallet did not get into the registry. wallet None: there is none."""
    if kyc_status != "approved":
        return "approve"
    return "register_again" if wallet in (None, "created", "removed") else "refuse"


def may_reject(kyc_status: KycStatus) -> bool:
    """Only an open case: an approved investor is frozen instead, which is at once and undone as easily."""
    return kyc_status in ("pending", "expired")
