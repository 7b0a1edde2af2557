// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {CountryList} from "./CountryList.sol";

/// @title Compliance module: no receivers of listed countries. An empty list blocks nobody.
contract CountryBlock is CountryList {
    /// The receiver's country is on the block list.
    bytes32 public constant COUNTRY_BLOCKED = "COUNTRY_BLOCKED";

    function reason(address, address to, uint256, address compliance) public view override returns (bytes32) {
        return _isReceiverListed(to, compliance) ? COUNTRY_BLOCKED : bytes32(0);
    }

    function name() external pure returns (string memory) {
        return "CountryBlock";
    }
}
