// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {HolderBook} from "./HolderBook.sol";

/// @title Rule: at most so many units per identity, over all its wallets.
/// @notice Refuses a mint or a transfer that would lift the receiving identity above the maximum. Movements between
/// wallets of one identity are always allowed. A forced transfer may exceed it; then the identity can only send.
abstract contract MaxBalanceRule is HolderBook {
    struct MaxBalanceSetting {
        bool configured;
        uint96 maxUnits;
    }

    /// The receiver would hold more than the maximum.
    bytes32 public constant MAX_BALANCE = "MAX_BALANCE";

    mapping(bytes32 book => MaxBalanceSetting) private maxBalances;

    event MaxBalanceSet(address indexed compliance, uint96 maxUnits);

    /// Sets the maximum. Holdings already above a lowered one stay. Called by the compliance contract.
    function setMaxBalance(uint96 maxUnits) external onlyBound {
        maxBalances[_book(msg.sender)] = MaxBalanceSetting(true, maxUnits);
        emit MaxBalanceSet(msg.sender, maxUnits);
    }

    /// The maximum in force; zero with configured = false when none was ever set.
    function maxBalanceOf(address compliance) external view returns (bool configured, uint96 maxUnits) {
        MaxBalanceSetting memory setting = maxBalances[_book(compliance)];
        return (setting.configured, setting.maxUnits);
    }

    /// Zero when allowed; where no maximum was ever set, `unset`.
    function _maxBalance(Suite memory suite, address sender, address receiver, uint256 amount, bytes32 unset)
        internal
        view
        returns (bytes32)
    {
        MaxBalanceSetting memory setting = maxBalances[suite.book];
        if (!setting.configured) return unset;
        if (amount == 0 || sender == receiver) return bytes32(0);
        return _held(suite, receiver) + amount <= setting.maxUnits ? bytes32(0) : MAX_BALANCE;
    }
}

/// @title Compliance module: MaxBalanceRule for itself. Refuses with NOT_CONFIGURED until a maximum is set.
contract MaxBalance is MaxBalanceRule {
    function reason(address from, address to, uint256 amount, address compliance)
        public
        view
        override
        returns (bytes32)
    {
        Suite memory suite = _suite(compliance);
        (bytes32 code, address sender, address receiver) = _parties(suite, from, to, amount);
        return code != bytes32(0) ? code : _maxBalance(suite, sender, receiver, amount, NOT_CONFIGURED);
    }

    function name() external pure returns (string memory) {
        return "MaxBalance";
    }
}
