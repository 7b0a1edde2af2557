// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Module} from "./Module.sol";

/// @title What CountryAllow and CountryBlock share: a list of countries per suite.
/// @notice Countries are ISO 3166-1 numeric codes, as in the identity registry. Only the receiver is looked at, so that a
/// holder whose country is listed later can still sell.
abstract contract CountryList is Module {
    mapping(bytes32 book => mapping(uint16 country => bool)) private listed;

    event CountryListed(address indexed compliance, uint16 indexed country, bool listed);

    /// Puts countries on the list or takes them off. Called by the compliance contract.
    function setCountries(uint16[] calldata countries, bool listed_) external onlyBound {
        bytes32 book = _book(msg.sender);
        for (uint256 i = 0; i < countries.length; ++i) {
            listed[book][countries[i]] = listed_;
            emit CountryListed(msg.sender, countries[i], listed_);
        }
    }

    /// Whether a country is on the list.
    function isListed(address compliance, uint16 country) external view returns (bool) {
        return listed[_book(compliance)][country];
    }

    function _isReceiverListed(address to, address compliance) internal view returns (bool) {
        Suite memory suite = _suite(compliance);
        return listed[suite.book][suite.registry.investorCountry(to)];
    }
}
