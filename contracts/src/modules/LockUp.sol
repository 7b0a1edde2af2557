// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Calendar} from "./Calendar.sol";
import {HolderBook} from "./HolderBook.sol";

/// @title Rule: what was acquired less than N days ago may not be sent.
/// @notice Lots per identity, first in first out, whole days in UTC: a lot acquired on day d may be sent from the beginning
/// of day d + N. Minted units and units received from another identity form a lot of that day; movements between wallets of
/// one identity change nothing. Burns and forced transfers take the oldest units, locked or not.
/// A lock-up of up to 60 days is kept to the day. A longer one is kept in 60 steps, rounded up: a year's lock-up may end up
/// to six days late, never early. What has become free stays free when the lock-up is lengthened.
abstract contract LockUpRule is HolderBook {
    struct LockUpSetting {
        bool configured;
        uint16 lockDays;
    }

    /// Units acquired on a day (as counted from 1970).
    struct Lot {
        uint64 day;
        uint192 units;
    }

    /// free: units whose lots have ended. The lots from head to before tail are sorted by day.
    struct Queue {
        uint128 free;
        uint64 head;
        uint64 tail;
    }

    /// The sender's free units do not suffice.
    bytes32 public constant LOCKED_UP = "LOCKED_UP";
    uint16 public constant MAX_LOCK_DAYS = 3_650;
    /// In how many steps a lock-up is kept at most.
    uint256 public constant STEPS = 60;
    /// The most lots an identity has: what the checks may have to read. Changing the setting can need more than STEPS.
    uint256 public constant MAX_LOTS = 64;

    mapping(bytes32 book => LockUpSetting) private lockUps;
    mapping(bytes32 book => mapping(address identity => Queue)) private queues;
    mapping(bytes32 book => mapping(address identity => mapping(uint256 index => Lot))) private lots;

    event LockUpSet(address indexed compliance, uint16 lockDays);
    event LotsSet(address indexed compliance, address indexed identity, uint256 freeUnits, uint256 lots);

    error TooManyDays(uint16 lockDays);
    error TooManyLots(uint256 lots);
    error LotsNotSorted(uint256 index);
    error UnitsDiffer(uint256 held, uint256 given);

    /// Sets the lock-up in days. Called by the compliance contract.
    function setLockUp(uint16 lockDays) external onlyBound {
        if (lockDays > MAX_LOCK_DAYS) revert TooManyDays(lockDays);
        lockUps[_book(msg.sender)] = LockUpSetting(true, lockDays);
        emit LockUpSet(msg.sender, lockDays);
    }

    /// Replaces an identity's lots, for holdings older than the rule or acquisition dates that carry over. Days strictly
    /// rising; free units and lots together must be what the identity holds. Called by the compliance contract.
    function setLots(address identity, uint128 freeUnits, Lot[] calldata given) external onlyBound {
        if (given.length > MAX_LOTS) revert TooManyLots(given.length);
        Suite memory suite = _suite(msg.sender);
        Lot[] memory list = new Lot[](given.length);
        uint256 sum = freeUnits;
        for (uint256 i = 0; i < given.length; ++i) {
            if (i > 0 && given[i].day <= given[i - 1].day) revert LotsNotSorted(i);
            list[i] = given[i];
            sum += given[i].units;
        }
        if (sum != _held(suite, identity)) revert UnitsDiffer(_held(suite, identity), sum);
        _store(suite.book, identity, freeUnits, list, list.length);
        emit LotsSet(msg.sender, identity, freeUnits, given.length);
    }

    /// The lock-up in force in days; configured = false when none was ever set.
    function lockUpOf(address compliance) external view returns (bool configured, uint16 lockDays) {
        LockUpSetting memory setting = lockUps[_book(compliance)];
        return (setting.configured, setting.lockDays);
    }

    /// What an identity may send now.
    function freeUnitsOf(address compliance, address identity) external view returns (uint256 freeUnits) {
        bytes32 book = _book(compliance);
        (freeUnits,) = _free(book, identity, lockUps[book].lockDays);
    }

    /// Units of ended lots already set aside, and the lots not yet set aside, oldest first.
    function lotsOf(address compliance, address identity) external view returns (uint256 freeUnits, Lot[] memory list) {
        bytes32 book = _book(compliance);
        Queue memory queue = queues[book][identity];
        list = new Lot[](queue.tail - queue.head);
        for (uint256 i = 0; i < list.length; ++i) list[i] = lots[book][identity][queue.head + i];
        return (queue.free, list);
    }

    /// Zero when allowed; where no lock-up was ever set, `unset`. sender is zero for a mint.
    function _lockUp(Suite memory suite, address sender, address receiver, uint256 amount, bytes32 unset)
        internal
        view
        returns (bytes32)
    {
        LockUpSetting memory setting = lockUps[suite.book];
        if (!setting.configured) return unset;
        if (sender == address(0) || sender == receiver) return bytes32(0);
        (uint256 freeUnits,) = _free(suite.book, sender, setting.lockDays);
        return amount <= freeUnits ? bytes32(0) : LOCKED_UP;
    }

    function _move(Suite memory suite, address sender, address receiver, uint256 amount, Cause cause)
        internal
        virtual
        override
    {
        super._move(suite, sender, receiver, amount, cause);
        if (amount == 0) return;
        if (cause == Cause.Rekey) {
            _carryOver(suite.book, sender, receiver, amount);
            return;
        }
        if (sender != address(0)) _consume(suite.book, sender, amount);
        if (receiver != address(0)) _acquire(suite.book, receiver, amount);
    }

    /// Adds units to the lot of today.
    function _acquire(bytes32 book, address identity, uint256 amount) private {
        Queue memory queue = _settled(book, identity);
        uint64 day = _lotDay(lockUps[book].lockDays);
        mapping(uint256 => Lot) storage list = lots[book][identity];
        Lot storage last = list[queue.tail - (queue.tail > queue.head ? 1 : 0)];
        bool full = queue.tail - queue.head >= MAX_LOTS;
        if (queue.tail > queue.head && (last.day >= day || full)) {
            if (last.day < day) last.day = day; // no room: the younger day counts for both
            last.units += uint192(amount);
        } else {
            list[queue.tail++] = Lot(day, uint192(amount));
        }
        queues[book][identity] = queue;
    }

    /// Takes the oldest units.
    function _consume(bytes32 book, address identity, uint256 amount) private {
        Queue memory queue = _settled(book, identity);
        mapping(uint256 => Lot) storage list = lots[book][identity];
        uint256 fromFree = amount < queue.free ? amount : queue.free;
        queue.free -= uint128(fromFree);
        for (uint256 rest = amount - fromFree; rest > 0;) {
            uint256 inLot = list[queue.head].units;
            if (rest < inLot) {
                list[queue.head].units = uint192(inLot - rest);
                break;
            }
            rest -= inLot;
            delete list[queue.head++];
        }
        queues[book][identity] = queue;
    }

    /// Moves the oldest units of one identity to another, with their days.
    function _carryOver(bytes32 book, address sender, address receiver, uint256 amount) private {
        Queue memory source = _settled(book, sender);
        Queue memory target = _settled(book, receiver);
        uint256 fromFree = amount < source.free ? amount : source.free;
        (Lot[] memory taken, uint256 count) = _oldest(book, sender, source, amount - fromFree);
        _consume(book, sender, amount);
        uint128 freeUnits = target.free + uint128(fromFree);
        (Lot[] memory merged, uint256 length) = _merged(book, receiver, target, taken, count);
        _store(book, receiver, freeUnits, merged, length);
    }

    function _oldest(bytes32 book, address identity, Queue memory queue, uint256 amount)
        private
        view
        returns (Lot[] memory taken, uint256 count)
    {
        taken = new Lot[](queue.tail - queue.head);
        for (uint256 i = queue.head; amount > 0; ++i) {
            Lot memory lot = lots[book][identity][i];
            if (lot.units > amount) lot.units = uint192(amount);
            amount -= lot.units;
            taken[count++] = lot;
        }
    }

    /// The target's lots and the taken ones in the order of their days; at most MAX_LOTS, the last one taking the rest.
    function _merged(bytes32 book, address identity, Queue memory queue, Lot[] memory taken, uint256 count)
        private
        view
        returns (Lot[] memory merged, uint256 length)
    {
        uint256 i = queue.head;
        uint256 j = 0;
        merged = new Lot[](MAX_LOTS);
        while (i < queue.tail || j < count) {
            Lot memory next;
            Lot memory own = lots[book][identity][i];
            if (j == count || (i < queue.tail && own.day <= taken[j].day)) (next, i) = (own, i + 1);
            else (next, j) = (taken[j], j + 1);
            if (length > 0 && (merged[length - 1].day == next.day || length == MAX_LOTS)) {
                merged[length - 1].day = next.day;
                merged[length - 1].units += next.units;
            } else {
                merged[length++] = next;
            }
        }
    }

    function _store(bytes32 book, address identity, uint128 freeUnits, Lot[] memory list, uint256 length) private {
        Queue memory queue = queues[book][identity];
        mapping(uint256 => Lot) storage stored = lots[book][identity];
        for (uint256 i = 0; i < length; ++i) stored[queue.head + i] = list[i];
        for (uint256 i = queue.head + length; i < queue.tail; ++i) delete stored[i];
        queues[book][identity] = Queue(freeUnits, queue.head, uint64(queue.head + length));
    }

    /// The queue with ended lots counted as free and dropped. The caller stores it.
    function _settled(bytes32 book, address identity) private returns (Queue memory queue) {
        queue = queues[book][identity];
        (uint256 freeUnits, uint256 head) = _free(book, identity, lockUps[book].lockDays);
        for (uint256 i = queue.head; i < head; ++i) delete lots[book][identity][i];
        (queue.free, queue.head) = (uint128(freeUnits), uint64(head));
        queues[book][identity] = queue;
    }

    function _free(bytes32 book, address identity, uint256 lockDays)
        private
        view
        returns (uint256 freeUnits, uint256 head)
    {
        Queue memory queue = queues[book][identity];
        uint256 today = Calendar.day(block.timestamp);
        (freeUnits, head) = (queue.free, queue.head);
        for (; head < queue.tail; ++head) {
            Lot memory lot = lots[book][identity][head];
            if (lot.day + lockDays > today) break;
            freeUnits += lot.units;
        }
    }

    /// Today, rounded up to the end of a step.
    function _lotDay(uint256 lockDays) private view returns (uint64) {
        uint256 step = (lockDays + STEPS - 1) / STEPS;
        uint256 today = Calendar.day(block.timestamp);
        return uint64(step < 2 ? today : today - today % step + step - 1);
    }
}

/// @title Compliance module: LockUpRule for itself. Refuses with NOT_CONFIGURED until a lock-up is set.
contract LockUp is LockUpRule {
    function reason(address from, address to, uint256 amount, address compliance)
        public
        view
        override
        returns (bytes32)
    {
        Suite memory suite = _suite(compliance);
        (bytes32 code, address sender, address receiver) = _parties(suite, from, to, amount);
        return code != bytes32(0) ? code : _lockUp(suite, sender, receiver, amount, NOT_CONFIGURED);
    }

    function name() external pure returns (string memory) {
        return "LockUp";
    }
}
