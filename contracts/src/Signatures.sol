// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Who signed: plain keys by ecrecover, contracts by ERC-1271.
library Signatures {
    bytes4 private constant ERC1271_YES = 0x1626ba7e;
    /// What an account's contract may use to check a signature: it is foreign code and must not starve what follows.
    uint256 internal constant ERC1271_GAS = 200_000;
    /// Half of the curve's order: a signature with a larger s is a second form of another one.
    uint256 private constant HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;

    /// The EIP-712 digest of a struct hash.
    function typedDigest(bytes32 domain, bytes32 content) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", domain, content));
    }

    /// The signer, or zero when the signature is malformed. The caller must never compare with an account that may be zero.
    function recover(bytes32 digest, uint8 v, bytes32 r, bytes32 s) internal pure returns (address) {
        if (uint256(s) > HALF_ORDER || (v != 27 && v != 28)) return address(0);
        return ecrecover(digest, v, r, s);
    }

    /// Whether an account signed a digest. A key's own signature counts also where the account has code (EIP-7702).
    function isSignedBy(address account, bytes32 digest, bytes calldata signature) internal view returns (bool) {
        if (account == address(0)) return false;
        if (signature.length == 65) {
            (bytes32 r, bytes32 s) = (bytes32(signature[0:32]), bytes32(signature[32:64]));
            if (recover(digest, uint8(signature[64]), r, s) == account) return true;
        }
        return account.code.length != 0 && _isAcceptedBy(account, digest, signature);
    }

    /// Only the first word of the answer is read, so that a long one costs nothing.
    function _isAcceptedBy(address account, bytes32 digest, bytes calldata signature) private view returns (bool yes) {
        bytes memory question = abi.encodeWithSelector(ERC1271_YES, digest, signature);
        uint256 gasLimit = ERC1271_GAS;
        bytes32 answer;
        assembly ("memory-safe") {
            let ok := staticcall(gasLimit, account, add(question, 32), mload(question), 0, 32)
            if and(ok, gt(returndatasize(), 31)) { answer := mload(0) }
        }
        return answer == bytes32(ERC1271_YES);
    }
}
