// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {CountryList} from "./CountryList.sol";

/// @title Compliance module: only receivers of listed countries. An empty list admits nobody.
contract CountryAllow is CountryList {
    /// The receiver's country is not on the allow list.
    bytes32 public constant COUNTRY_NOT_ALLOWED = "COUNTRY_NOT_ALLOWED";

    function reason(address, address to, uint256, address compliance) public view override returns (bytes32) {
        return _isReceiverListed(to, compliance) ? bytes32(0) : COUNTRY_NOT_ALLOWED;
    }

    function name() external pure returns (string memory) {
        return "CountryAllow";
    }
}
