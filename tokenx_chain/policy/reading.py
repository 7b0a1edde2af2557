"""What a call does, in the words of the rules: which contract, which function, how much."""

from collections.abc import Callable
from typing import Any, Final, cast

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from eth_abi.grammar import parse
from eth_utils.abi import function_signature_to_4byte_selector

from tokenx_chain.contracts.calls import Call
from tokenx_chain.contracts.settlement import LegKind
from tokenx_chain.policy.rules import Request
from tokenx_chain.registry import ContractRegistry

Amount = Callable[[Any], int]


def _second(values: Any) -> int:
    return int(values[1])


def _third(values: Any) -> int:
    return int(values[2])


def _sum_of_second(values: Any) -> int:
    return sum(values[1])


def _sum_of_third(values: Any) -> int:
    return sum(values[2])


def _cash_paid(values: Any) -> int:
    """Payments and fees of all fills, in base units: what of a settlement a limit in money is about."""
    return sum(leg[4] for signed in values[0] for leg in signed[0][2] if leg[0] != LegKind.DELIVERY)


_FILLS: Final = "((bytes32,uint64,(uint8,address,address,address,uint256)[]),address,bytes,bytes[],(address,address,uint256,uint256,uint8,bytes32,bytes32)[])[]"
_AMOUNTS: Final[dict[str, Amount]] = {
    "mint(address,uint256)": _second,
    "burn(address,uint256)": _second,
    "transfer(address,uint256)": _second,
    "approve(address,uint256)": _second,
    "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)": _third,
    "increaseAllowance(address,uint256)": _second,
    "decreaseAllowance(address,uint256)": _second,
    f"settleBatch({_FILLS})": _cash_paid,
    f"settleAll({_FILLS})": _cash_paid,
    "freezePartialTokens(address,uint256)": _second,
    "unfreezePartialTokens(address,uint256)": _second,
    "forcedTransfer(address,address,uint256)": _third,
    "transferFrom(address,address,uint256)": _third,
    "batchMint(address[],uint256[])": _sum_of_second,
    "batchFreezePartialTokens(address[],uint256[])": _sum_of_second,
    "batchUnfreezePartialTokens(address[],uint256[])": _sum_of_second,
    "batchBurn(address[],uint256[])": _sum_of_second,
    "batchTransfer(address[],uint256[])": _sum_of_second,
    "batchForcedTransfer(address[],address[],uint256[])": _sum_of_third,
}
_WITHOUT_AMOUNT: Final = (
    "setAddressFrozen(address,bool)", "batchSetAddressFrozen(address[],bool[])",
    "batchRegisterIdentity(address[],address[],uint16[])", "removeClaim(bytes32)", "recoveryAddress(address,address,address)", "pause()", "unpause()",
    "addAgent(address)", "removeAgent(address)", "addKey(bytes32,uint256,uint256)", "removeKey(bytes32,uint256)", "addClaim(uint256,uint256,address,bytes,bytes,string)", "revokeClaimBySignature(bytes)",
    "createIdentity(address,string)", "createIdentityWithManagementKeys(address,string,bytes32[])",
    "registerIdentity(address,address,uint16)", "deleteIdentity(address)", "updateIdentity(address,address)", "updateCountry(address,uint16)",
    "setAsset(address,uint8)", "setOperator(address,bool)", "setSubmitter(address,bool)", "setPauser(address,bool)", "setFeeCollector(address,bool)",
    "setMaxFeeBps(uint256)", "setLegGas(uint256)", "cancel(bytes32)", "approveFill(bytes32)", "withdrawConsent(bytes32)", "setCustodian(address)",
    "setCustodianBySignature(address,address,uint64,bytes)",
    "callModuleFunction(bytes,address)", "addModule(address)", "removeModule(address)", "sync(address,address[])",
    "deployTREXSuite(string,(address,string,string,uint8,address,address,address[],address[],address[],bytes[]),(uint256[],address[],uint256[][]))",
)  # fmt: skip
SIGNATURES: Final = {function_signature_to_4byte_selector(text): text for text in (*_AMOUNTS, *_WITHOUT_AMOUNT)}
"""By selector: the functions whose name and amount the rules may speak of."""


def read_call(call: Call, *, kind: str, key_ref: str, registry: ContractRegistry) -> Request:
    """The request behind a call. A function nobody told us about goes by its selector, so that a rule can name it so."""
    if call.to is None:
        return Request(kind, key_ref, "create", None, "create", None)
    address = call.to.lower()
    if not call.data:
        return Request(kind, key_ref, "coin", address, "transfer", call.value)
    signature = SIGNATURES.get(call.data[:4])
    function = signature.partition("(")[0] if signature else "0x" + call.data[:4].hex()
    amount = None if call.value else _amount(signature, call.data[4:])
    return Request(kind, key_ref, registry.name_of(address) or "unlisted", address, function, amount)


def _amount(signature: str | None, arguments: bytes) -> int | None:
    """What the arguments move or make; None when they cannot be read."""
    if signature is None:
        return None
    how = _AMOUNTS.get(signature)
    if how is None:
        return 0
    arguments_type = cast(Any, parse)(signature[signature.index("(") :])  # the library tells no types
    types = [str(component.to_type_str()) for component in arguments_type.components]
    try:
        return how(decode(types, arguments))
    except (DecodingError, ValueError, OverflowError):
        return None
