// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Days and months in UTC, counted from 1 January 1970.
library Calendar {
    /// The number of the day a time in unix seconds falls on.
    function day(uint256 time) internal pure returns (uint256) {
        return time / 1 days;
    }

    /// The number of the month a time in unix seconds falls on, 0 for January 1970.
    /// @dev Proleptic Gregorian, years beginning in March so that the leap day comes last; the formula is Howard Hinnant's
    /// civil_from_days.
    function month(uint256 time) internal pure returns (uint256) {
        uint256 shifted = time / 1 days + 719_468; // days since 1 March of year 0
        uint256 era = shifted / 146_097;
        uint256 dayOfEra = shifted % 146_097;
        uint256 yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365;
        uint256 dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
        uint256 fromMarch = (5 * dayOfYear + 2) / 153;
        // Months since March of year 0, then since January 1970.
        return (era * 400 + yearOfEra) * 12 + fromMarch + 2 - 1970 * 12;
    }
}
