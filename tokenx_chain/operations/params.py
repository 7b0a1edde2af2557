"""Parameters of each kind of operation. Integers may come as decimal strings; addresses become lower case."""

from typing import Annotated, Final, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

Address = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{40}$"), AfterValidator(str.lower)]
Positive = Annotated[int, Field(gt=0, lt=2**255)]
KeyRef = Annotated[str, Field(min_length=1, max_length=100)]
LimitUnits = Annotated[int | None, Field(ge=0, lt=2**63)]
Country = Annotated[str, Field(pattern=r"^[A-Za-z]{2}$"), AfterValidator(str.upper)]
Signature = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{130}$")]
MAX_ITEMS: Final = 50


class Params(BaseModel):
    """Base: frozen. Members a program does not know are left alone, so that the api may send more than it needs."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Nothing(Params):
    """No parameters."""


class VolumeWindowRule(Params):
    """At most so many units sent by one identity within so many days."""

    days: int = Field(ge=1, le=365)
    max_units: Annotated[int, Field(gt=0, lt=2**63)]


class ExchangeLimitRule(Params):
    """Most units an identity may send to an exchange per calendar day and month in UTC, and all of them together. None: no limit."""

    exchange: Address
    day_units: LimitUnits = None
    month_units: LimitUnits = None
    day_total_units: LimitUnits = None
    month_total_units: LimitUnits = None


class TransferRules(Params):
    """What the token's own rules refuse beside missing KYC. What is left out limits nothing."""

    allowed_countries: tuple[Country, ...] = ()
    max_holders: Annotated[int | None, Field(gt=0, lt=2**63)] = None
    max_holders_by_country: dict[Country, Annotated[int, Field(ge=0, lt=2**63)]] = {}
    max_units_per_holder: Annotated[int | None, Field(gt=0, lt=2**63)] = None
    lock_up_days: Annotated[int | None, Field(ge=1, le=3650)] = None
    volume_window: VolumeWindowRule | None = None
    exchange_limits: tuple[ExchangeLimitRule, ...] = Field(default=(), max_length=10)


class DeployOffering(Params):
    offering_id: str = Field(min_length=1)
    name: str = Field(min_length=1)
    symbol: str = Field(min_length=1)
    blocked_countries: tuple[Country, ...] = ()
    transfer_rules: TransferRules = TransferRules()


class RegisterInvestor(Params):
    """claim_serial: counts the KYC decisions of an investor, so that a claim made after a revocation is another one. identity: the one the
    wallet belongs to, where it is known; None: the factory's, or a new one."""

    investor_id: str = Field(min_length=1)
    key_ref: KeyRef
    country: Country
    claim_serial: int = Field(default=1, ge=1)
    identity: Address | None = None


class UnregisterInvestor(Params):
    """signatures: of claims that were ever made for the investor, as the registrations reported them."""

    investor_id: str
    key_ref: KeyRef
    signatures: tuple[Signature, ...] = ()


class RevokeInvestor(Params):
    """signatures: of claims that were ever made for the investor, as the registrations reported them."""

    investor_id: str = Field(min_length=1)
    wallet: Address
    signatures: tuple[Signature, ...] = ()


class RecoverInvestor(Params):
    """lost_key_ref: the lost wallet's key, if it still signs; the cash it holds then goes along."""

    lost: Address
    key_ref: KeyRef = Field(description="the key of the new wallet")
    lost_key_ref: KeyRef | None = None


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


class Item(Params):
    """A wallet and units."""

    address: Address
    units: Positive


class Move(Params):
    """One forced transfer of a batch."""

    sender: Address = Field(alias="from")
    to: Address
    units: Positive


def _each_once(items: tuple[Item, ...]) -> tuple[Item, ...]:
    if len({item.address for item in items}) < len(items):
        raise ValueError("a wallet is named twice")
    return items


Items = Annotated[tuple[Item, ...], Field(min_length=1, max_length=MAX_ITEMS), AfterValidator(_each_once)]


class MintBatch(Params):
    token: Address
    items: Items


class BurnBatch(Params):
    token: Address
    items: Items


class TransferBatch(Params):
    token: Address
    from_key_ref: KeyRef
    items: Items


class ForceTransferBatch(Params):
    token: Address
    moves: tuple[Move, ...] = Field(min_length=1, max_length=MAX_ITEMS)


class FreezeBatch(Params):
    token: Address
    wallets: tuple[Address, ...] = Field(min_length=1, max_length=MAX_ITEMS)
    frozen: bool


class FreezeUnitsBatch(Params):
    token: Address
    items: Items
    frozen: bool


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
    fee_amount: Annotated[int, Field(ge=0, lt=2**255)] = Field(
        default=0, description="paid by the buyer on top, to the treasury"
    )


class SettleBatch(Params):
    fills: tuple[FillParams, ...] = Field(min_length=1, max_length=50)
    expires_at: int | None = Field(default=None, description="unix seconds; None: a day after the chain's time")

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len({fill.settlement_id for fill in self.fills}) < len(self.fills):
            raise ValueError("a settlement_id is there twice")
        return self


class PayRedemption(Params):
    redemption_id: str
    to_key_ref: KeyRef
    amount: Positive


class RotateSigner(Params):
    """Everything is decided when it is asked for, so that a re-run does the same. force: what waits for a nonce of the old key is cancelled."""

    name: KeyRef
    old_key: KeyRef
    new_key: KeyRef
    old_address: Address
    new_address: Address
    from_epoch: int = Field(ge=1)
    not_after: int = Field(ge=0, description="unix seconds by which people must have agreed")
    force: bool = False
