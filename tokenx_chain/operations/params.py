"""Parameters of each kind of operation. Integers may come as decimal strings; addresses become lower case."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Address = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{40}$"), AfterValidator(str.lower)]
Positive = Annotated[int, Field(gt=0, lt=2**255)]
KeyRef = Annotated[str, Field(min_length=1, max_length=100)]
Country = Annotated[str, Field(pattern=r"^[A-Za-z]{2}$"), AfterValidator(str.upper)]


class Params(BaseModel):
    """Base: frozen. Members a program does not know are left alone, so that the api may send more than it needs."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Nothing(Params):
    """No parameters."""


class DeployOffering(Params):
    offering_id: str = Field(min_length=1)
    name: str = Field(min_length=1)
    symbol: str = Field(min_length=1)
    blocked_countries: tuple[Country, ...] = ()


class RegisterInvestor(Params):
    investor_id: str = Field(min_length=1)
    key_ref: KeyRef
    country: Country


class UnregisterInvestor(Params):
    investor_id: str
    key_ref: KeyRef


class RevokeInvestor(Params):
    investor_id: str = Field(min_length=1)
    wallet: Address


class RecoverInvestor(Params):
    lost: Address
    key_ref: KeyRef = Field(description="the key of the new wallet")


class MintCash(Params):
    to: Address
    amount: Positive


class TransferCash(Params):
    from_key_ref: KeyRef
    to: Address
    amount: Positive


class MintToken(Params):
    token: Address
    to: Address
    units: Positive


class BurnToken(Params):
    token: Address
    holder: Address = Field(alias="from")
    units: Positive


class TransferToken(Params):
    token: Address
    from_key_ref: KeyRef
    to: Address
    units: Positive


class FreezeToken(Params):
    token: Address
    address: Address
    frozen: bool


class ForceTransfer(Params):
    token: Address
    sender: Address = Field(alias="from")
    to: Address
    units: Positive


class FreezeUnits(Params):
    token: Address
    address: Address
    units: Positive
    frozen: bool


class PauseToken(Params):
    token: Address
    paused: bool


class IssueSubscription(Params):
    subscription_id: str
    token: Address
    to_key_ref: KeyRef
    units: Positive
    cash_from_key_ref: KeyRef
    cash_to_key_ref: KeyRef
    cash_amount: Annotated[int, Field(ge=0, lt=2**255)]


class FillParams(Params):
    settlement_id: str = Field(min_length=1)
    token: Address
    seller_key_ref: KeyRef
    buyer_key_ref: KeyRef
    units: Positive
    cash_amount: Positive


class SettleBatch(Params):
    fills: tuple[FillParams, ...] = Field(min_length=1, max_length=50)
    expires_at: int | None = Field(default=None, description="unix seconds; None: a day after the chain's time")


class PayRedemption(Params):
    redemption_id: str
    to_key_ref: KeyRef
    amount: Positive
