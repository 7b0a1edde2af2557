// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {HolderMemory} from "./HolderMemory.sol";

/// @title Compliance module: at most so many units sent per identity within a rolling window.
/// @notice Counts what leaves an identity to another one, forced transfers included; mints, burns and movements between
/// wallets of one identity do not count. The window is kept in 24 pieces: what was sent counts for the window's length
/// and, to the end of its piece, up to a twenty-fourth longer; never shorter.
contract VolumeWindow is HolderMemory {
    struct Setting {
        uint32 windowSeconds; // zero: never configured
        uint192 maxUnits;
    }

    /// What was sent from `start` for the length of one piece.
    struct Piece {
        uint64 start;
        uint192 units;
    }

    /// A queue of pieces, oldest at head; total: their sum.
    struct Volume {
        uint192 total;
        uint32 head;
        uint32 tail;
    }

    /// The sender would have sent more than the maximum within the window.
    bytes32 public constant VOLUME_WINDOW = "VOLUME_WINDOW";
    /// Into how many pieces a window is divided: the bound on what a check has to read.
    uint256 public constant PIECES = 24;

    mapping(bytes32 book => Setting) private settings;
    mapping(bytes32 book => mapping(address identity => Volume)) private volumes;
    mapping(bytes32 book => mapping(address identity => mapping(uint256 index => Piece))) private pieces;

    event VolumeLimitSet(address indexed compliance, uint32 windowSeconds, uint192 maxUnits);

    error WindowTooShort(uint32 windowSeconds);

    /// Sets window and maximum; what was sent so far keeps counting. Called by the compliance contract.
    function setVolumeLimit(uint32 windowSeconds, uint192 maxUnits) external onlyBound {
        if (windowSeconds < PIECES) revert WindowTooShort(windowSeconds);
        settings[_book(msg.sender)] = Setting(windowSeconds, maxUnits);
        emit VolumeLimitSet(msg.sender, windowSeconds, maxUnits);
    }

    /// The limit in force; zero seconds when none was ever set.
    function volumeLimitOf(address compliance) external view returns (uint32 windowSeconds, uint192 maxUnits) {
        Setting memory setting = settings[_book(compliance)];
        return (setting.windowSeconds, setting.maxUnits);
    }

    /// What an identity has sent within the window that ends now.
    function volumeOf(address compliance, address identity) external view returns (uint256 sent) {
        bytes32 book = _book(compliance);
        (sent,) = _within(book, identity, settings[book].windowSeconds);
    }

    function reason(address from, address to, uint256 amount, address compliance)
        public
        view
        override
        returns (bytes32)
    {
        Suite memory suite = _suite(compliance);
        Setting memory setting = settings[suite.book];
        if (setting.windowSeconds == 0) return NOT_CONFIGURED;
        if (from == address(0)) return bytes32(0);
        address sender = _recall(suite, from);
        if (sender == _recall(suite, to)) return bytes32(0);
        (uint256 sent,) = _within(suite.book, sender, setting.windowSeconds);
        return sent <= setting.maxUnits && amount <= setting.maxUnits - sent ? bytes32(0) : VOLUME_WINDOW;
    }

    function name() external pure returns (string memory) {
        return "VolumeWindow";
    }

    /// Drops what has left the window, then adds to the piece of now. Nothing is counted before there is a setting.
    function _moved(Suite memory suite, address sender, address, address, uint256 amount) internal override {
        uint256 window = settings[suite.book].windowSeconds;
        if (window == 0) return;
        Volume memory volume = volumes[suite.book][sender];
        mapping(uint256 => Piece) storage queue = pieces[suite.book][sender];
        (uint256 total, uint256 head) = _within(suite.book, sender, window);
        for (uint256 i = volume.head; i < head; ++i) delete queue[i];
        // A sum past 2^192 - 1 stays there: far beyond any maximum, and a hook must not fail.
        uint192 added = uint192(_min(amount, type(uint192).max - total));
        uint64 start = uint64(block.timestamp - block.timestamp % _pieceSeconds(window));
        uint256 tail = volume.tail;
        if (tail > head && queue[tail - 1].start >= start) queue[tail - 1].units += added;
        else queue[tail++] = Piece(start, added);
        volumes[suite.book][sender] = Volume(uint192(total) + added, uint32(head), uint32(tail));
    }

    /// The sum still inside the window, and the index of the oldest piece that is.
    function _within(bytes32 book, address identity, uint256 window) private view returns (uint256 sum, uint256 head) {
        Volume memory volume = volumes[book][identity];
        mapping(uint256 => Piece) storage queue = pieces[book][identity];
        (sum, head) = (volume.total, volume.head);
        for (uint256 span = window + _pieceSeconds(window); head < volume.tail; ++head) {
            Piece memory piece = queue[head];
            if (piece.start + span > block.timestamp) break;
            sum -= piece.units;
        }
    }

    function _pieceSeconds(uint256 window) private pure returns (uint256) {
        return (window + PIECES - 1) / PIECES;
    }

    function _min(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }
}
