// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {HolderBook} from "./HolderBook.sol";

/// @title Rule: at most so many holders, counted by identity.
/// @notice Refuses a mint or a transfer that would give a first unit to one identity too many. A transfer of a seller's
/// whole holding frees his place. Movements between wallets of one identity are always allowed.
/// Forced transfers are not refused; the count may then stand above the cap until holders leave.
abstract contract HolderCapRule is HolderBook {
    struct HolderCapSetting {
        bool configured;
        uint64 cap;
    }

    /// The receiver would be one holder too many.
    bytes32 public constant HOLDER_CAP = "HOLDER_CAP";

    mapping(bytes32 book => HolderCapSetting) private holderCaps;

    event CapSet(address indexed compliance, uint64 cap);

    /// Sets the cap. Holders already beyond a lowered cap stay. Called by the compliance contract.
    function setCap(uint64 cap) external onlyBound {
        holderCaps[_book(msg.sender)] = HolderCapSetting(true, cap);
        emit CapSet(msg.sender, cap);
    }

    /// The cap in force; zero with configured = false when none was ever set.
    function capOf(address compliance) external view returns (bool configured, uint64 cap) {
        HolderCapSetting memory setting = holderCaps[_book(compliance)];
        return (setting.configured, setting.cap);
    }

    /// Zero when allowed; where no cap was ever set, `unset`.
    function _holderCap(Suite memory suite, address sender, address receiver, uint256 amount, bytes32 unset)
        internal
        view
        returns (bytes32)
    {
        HolderCapSetting memory setting = holderCaps[suite.book];
        if (!setting.configured) return unset;
        if (amount == 0 || sender == receiver || _held(suite, receiver) != 0) return bytes32(0);
        uint256 others = totals[suite.book].holders;
        if (sender != address(0) && _held(suite, sender) == amount) --others;
        return others < setting.cap ? bytes32(0) : HOLDER_CAP;
    }
}

/// @title Compliance module: HolderCapRule for itself. Refuses with NOT_CONFIGURED until a cap is set.
contract HolderCap is HolderCapRule {
    function reason(address from, address to, uint256 amount, address compliance)
        public
        view
        override
        returns (bytes32)
    {
        Suite memory suite = _suite(compliance);
        (bytes32 code, address sender, address receiver) = _parties(suite, from, to, amount);
        return code != bytes32(0) ? code : _holderCap(suite, sender, receiver, amount, NOT_CONFIGURED);
    }

    function name() external pure returns (string memory) {
        return "HolderCap";
    }
}
