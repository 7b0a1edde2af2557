"""Investors: a user's legal identity, its KYC state and its freeze."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from tokenx_api.countries import Country
from tokenx_api.wallets.models import Wallet, WalletView, wallet_view
from tokenx_common.wire import WireModel

KycStatus = Literal["pending", "approved", "rejected", "expired"]
LegalName = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^\S(.*\S)?$")]
Reason = Annotated[str, Field(min_length=3, max_length=500)]


@dataclass(frozen=True)
class Investor:
    """kyc_status is 'expired' as soon as kyc_expires_at has passed. owner_group: the beneficial owner the book knows. revoked_at: None unless
    KYC was revoked and not given again. revocation_operation_id: the revocation under way. claim_serial: of the KYC claim on chain."""

    investor_id: str
    user_id: str
    legal_name: str
    country: str
    owner_group: int
    kyc_status: KycStatus
    kyc_expires_at: datetime | None
    frozen: bool
    created_at: datetime
    revoked_at: datetime | None = None
    revocation_operation_id: str | None = None
    claim_serial: int = 1

    @property
    def may_act(self) -> bool:
        """Neither frozen nor revoked."""
        return not self.frozen and self.revoked_at is None


class NewInvestor(WireModel):
    legal_name: LegalName
    country: Country


class ReasonRequest(WireModel):
    reason: Reason


class RecoveryAnswer(WireModel):
    """operation_id: what a second person approves at /v1/chain/operations/{operation_id}:approve."""

    investor_id: str
    operation_id: str


class InvestorView(WireModel):
    """owner_group is null for the investor itself: staff only."""

    investor_id: str
    legal_name: str
    country: str
    kyc_status: KycStatus
    kyc_expires_at: datetime | None
    frozen: bool
    revoked_at: datetime | None
    owner_group: int | None
    wallets: list[WalletView]
    created_at: datetime


def investor_view(investor: Investor, wallets: list[Wallet], *, for_staff: bool) -> InvestorView:
    return InvestorView(
        investor_id=investor.investor_id,
        legal_name=investor.legal_name,
        country=investor.country,
        kyc_status=investor.kyc_status,
        kyc_expires_at=investor.kyc_expires_at,
        frozen=investor.frozen,
        revoked_at=investor.revoked_at,
        owner_group=investor.owner_group if for_staff else None,
        wallets=[wallet_view(wallet) for wallet in wallets],
        created_at=investor.created_at,
    )
