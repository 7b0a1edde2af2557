"""What a call does, in the words of the rules: which contract, which function, how much."""

from collections.abc import Callable
from typing import Any, Final

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from eth_utils.abi import function_signature_to_4byte_selector

from tokenx_chain.contracts.calls import Call
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


_AMOUNTS: Final[dict[str, Amount]] = {
    "mint(address,uint256)": _second,
    "burn(address,uint256)": _second,
    "transfer(address,uint256)": _second,
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
    "approve(address,uint256)", "setAddressFrozen(address,bool)", "batchSetAddressFrozen(address[],bool[])",
    "batchRegisterIdentity(address[],address[],uint16[])", "removeClaim(bytes32)", "recoveryAddress(address,address,address)", "pause()", "unpause()",
    "addAgent(address)", "addClaim(uint256,uint256,address,bytes,bytes,string)", "revokeClaimBySignature(bytes)",
    "createIdentity(address,string)", "createIdentityWithManagementKeys(address,string,bytes32[])",
    "registerIdentity(address,address,uint16)", "deleteIdentity(address)", "updateIdentity(address,address)", "updateCountry(address,uint16)",
    "setListed(address,bool)", "setAsset(address,uint8)", "setOperator(address,bool)", "cancel(bytes32)",
    "deployTREXSuite(string,(address,string,string,uint8,address,address,address[],address[],address[],bytes[]),(uint256[],address[],uint256[][]))",
    "settle((bytes32,address,address,address,uint256,uint256,uint64)[])",
    "settleBatch(((bytes32,uint64,(uint8,address,address,address,uint256)[]),address,bytes,bytes[],(address,address,uint256,uint256,uint8,bytes32,bytes32)[])[])",
    "settleAll(((bytes32,uint64,(uint8,address,address,address,uint256)[]),address,bytes,bytes[],(address,address,uint256,uint256,uint8,bytes32,bytes32)[])[])",
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
    types = signature[signature.index("(") + 1 : -1].split(",")
    try:
        return how(decode(types, arguments))
    except (DecodingError, ValueError, OverflowError):
        return None
