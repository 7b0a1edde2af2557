"""Turns a revert into a stable reason code. Texts are those of T-REX 4.1.6 and ONCHAINID 2.2.1; custom errors are ours."""

from dataclasses import dataclass
from typing import Any, Final

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from eth_utils.abi import collapse_if_tuple

_ERROR_STRING: Final = bytes.fromhex("08c379a0")
_PANIC: Final = bytes.fromhex("4e487b71")
_PANIC_ARITHMETIC: Final = 0x11

UNKNOWN: Final = "contract.reverted"

_BY_TEXT: Final = {
    "Pausable: paused": "token.paused",
    "Pausable: not paused": "token.not_paused",
    "wallet is frozen": "wallet.frozen",
    "Insufficient Balance": "balance.insufficient",
    "sender balance too low": "balance.insufficient",
    "cannot burn more than balance": "balance.insufficient",
    "Amount exceeds available balance": "balance.insufficient",
    "Transfer not possible": "transfer.refused",
    "Identity is not verified.": "identity.not_verified",
    "Compliance not followed": "compliance.refused",
    "invalid argument - no value mint": "amount.zero",
    "AgentRole: caller does not have the Agent role": "role.not_agent",
    "Ownable: caller is not the owner": "role.not_owner",
    "Permissions: Sender does not have claim signer key": "role.not_claim_signer",
    "Permissions: Sender does not have management key": "role.not_manager",
    "address stored already": "identity.already_registered",
    "address not stored yet": "identity.not_registered",
    "identity not found": "identity.not_registered",
    "wallet already linked to an identity": "identity.already_created",
    "salt already taken": "identity.already_created",
    "invalid claim": "claim.invalid",
    "Claim already revoked": "claim.already_revoked",
    "Conflict: Claim already revoked": "claim.already_revoked",
    "token already deployed": "token.already_deployed",
}

_BY_CUSTOM_ERROR: Final = {
    "NotOperator": "role.not_operator",
    "NotOwner": "role.not_owner",
    "NotMinter": "role.not_minter",
    "NotSelf": "settlement.internal_call",
    "NotAContract": "contract.no_code",
    "TooLittleGas": "settlement.too_little_gas",
    "AlreadySettled": "settlement.already_settled",
    "Expired": "settlement.expired",
    "SelfTrade": "settlement.self_trade",
    "EmptyLeg": "settlement.empty_leg",
    "LegReturnedFalse": "settlement.leg_returned_false",
    "InsufficientCash": "cash.insufficient",
    "InsufficientCashAllowance": "cash.allowance_insufficient",
    "ToZeroAddress": "address.zero",
    "PermitExpired": "cash.permit_expired",
    "PermitNotSigned": "cash.permit_not_signed",
    "NotSubmitter": "role.not_submitter",
    "NotPauser": "role.not_pauser",
    "ZeroAddress": "address.zero",
    "OutOfRange": "setting.out_of_range",
    "ContractPaused": "settlement.paused",
    "ContractNotPaused": "settlement.not_paused",
    "Reentered": "settlement.reentered",
    "AlreadyCancelled": "settlement.already_cancelled",
    "NoLegs": "settlement.no_legs",
    "TooManyLegs": "settlement.too_many_legs",
    "AssetNotListed": "settlement.asset_not_listed",
    "NotAFeeCollector": "settlement.not_a_fee_collector",
    "FeeTooHigh": "settlement.fee_too_high",
    "NotDeliveryVersusPayment": "settlement.not_delivery_versus_payment",
    "OperatorSignatureInvalid": "settlement.operator_signature_invalid",
    "ConsentMissing": "settlement.consent_missing",
    "ConsentInvalid": "settlement.consent_invalid",
    "ConsentTakenBack": "settlement.consent_withdrawn",
    "CustodySignatureInvalid": "settlement.custody_signature_invalid",
    "OnlyCompliance": "compliance.only_compliance",
    "AlreadyBound": "compliance.already_bound",
    "NotBound": "compliance.not_bound",
    "LengthsDiffer": "compliance.lengths_differ",
    "AmountTooLarge": "compliance.amount_too_large",
    "TooManyDays": "setting.out_of_range",
    "WindowTooShort": "setting.out_of_range",
    "TooManyLots": "compliance.too_many_lots",
    "LotsNotSorted": "compliance.lots_not_sorted",
    "UnitsDiffer": "compliance.units_differ",
}
_WRAPPERS: Final = {"LegFailed": 2, "FillRefused": 2}
"""Custom errors that carry another's revert data, and which of their values it is."""


@dataclass(frozen=True)
class Refusal:
    """Why a contract said no. code is stable; detail is the contract's own words."""

    code: str
    detail: str


def decode_revert(data: bytes, custom_errors: dict[bytes, dict[str, Any]]) -> Refusal:
    """The refusal behind revert data. Unknown data becomes 'contract.reverted' with the hex in detail; raises nothing."""
    selector, rest = data[:4], data[4:]
    try:
        if selector == _ERROR_STRING:
            text = str(decode(["string"], rest)[0])
            return Refusal(_BY_TEXT.get(text, UNKNOWN), text)
        if selector == _PANIC:
            return _panic(int(decode(["uint256"], rest)[0]))
        if selector in custom_errors:
            return _custom(custom_errors[selector], rest, custom_errors)
    except DecodingError:
        pass  # malformed revert data is possible: any contract may return any bytes
    return Refusal(UNKNOWN, "0x" + data.hex() if data else "no reason given")


def _panic(number: int) -> Refusal:
    # The stock token subtracts the allowance unchecked by any message, so an underflow there is a missing allowance.
    code = "allowance.insufficient" if number == _PANIC_ARITHMETIC else "contract.panic"
    return Refusal(code, f"Panic(0x{number:02x})")


def _custom(entry: dict[str, Any], rest: bytes, custom_errors: dict[bytes, dict[str, Any]]) -> Refusal:
    types = [collapse_if_tuple(field) for field in entry["inputs"]]
    found = decode(types, rest)
    if (inner := _WRAPPERS.get(entry["name"])) is not None:
        return decode_revert(found[inner], custom_errors)
    values = ", ".join(str(value) for value in found)
    return Refusal(_BY_CUSTOM_ERROR.get(entry["name"], UNKNOWN), f"{entry['name']}({values})")
