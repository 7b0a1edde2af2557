// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Owned} from "./Owned.sol";
import {Signatures} from "./Signatures.sol";

/// A stand-in for a regulated stablecoin on test networks. It is backed by nothing and worth nothing.
contract TestUSD is Owned {
    string public constant name = "Test US Dollar (no value)";
    string public constant symbol = "TestUSD";
    uint8 public constant decimals = 6;
    bytes32 private constant DOMAIN_TYPE =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant PERMIT_TYPE =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");

    uint256 public totalSupply;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;
    mapping(address => bool) public isMinter;
    mapping(address => uint256) public nonces;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);
    event MinterSet(address indexed minter, bool allowed);

    error NotMinter(address caller);
    error InsufficientCash(address account, uint256 balance, uint256 needed);
    error InsufficientCashAllowance(address account, uint256 allowance, uint256 needed);
    error ToZeroAddress();
    error PermitExpired(uint256 deadline);
    error PermitNotSigned(address owner);

    constructor(address owner_) Owned(owner_) {
        isMinter[owner_] = true;
        emit MinterSet(owner_, true);
    }

    function setMinter(address minter, bool allowed) external onlyOwner {
        isMinter[minter] = allowed;
        emit MinterSet(minter, allowed);
    }

    function mint(address to, uint256 amount) external {
        if (!isMinter[msg.sender]) revert NotMinter(msg.sender);
        if (to == address(0)) revert ToZeroAddress();
        totalSupply += amount;
        balanceOf[to] += amount;
        emit Transfer(address(0), to, amount);
    }

    function burn(uint256 amount) external {
        _take(msg.sender, amount);
        totalSupply -= amount;
        emit Transfer(msg.sender, address(0), amount);
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        emit Approval(msg.sender, spender, amount);
        return true;
    }

    /// Adds to an allowance, so that two who ask for one at the same time do not overwrite each other.
    function increaseAllowance(address spender, uint256 added) external returns (bool) {
        uint256 amount = allowance[msg.sender][spender] + added;
        allowance[msg.sender][spender] = amount;
        emit Approval(msg.sender, spender, amount);
        return true;
    }

    /// Takes back part of an allowance; refuses to go below zero.
    function decreaseAllowance(address spender, uint256 taken) external returns (bool) {
        uint256 allowed = allowance[msg.sender][spender];
        if (allowed < taken) revert InsufficientCashAllowance(msg.sender, allowed, taken);
        allowance[msg.sender][spender] = allowed - taken;
        emit Approval(msg.sender, spender, allowed - taken);
        return true;
    }

    /// ERC-2612: an allowance given by signature, once, until `deadline`.
    function permit(address holder, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
    {
        if (block.timestamp > deadline) revert PermitExpired(deadline);
        bytes32 content = keccak256(abi.encode(PERMIT_TYPE, holder, spender, value, nonces[holder]++, deadline));
        bytes32 digest = Signatures.typedDigest(DOMAIN_SEPARATOR(), content);
        if (holder == address(0) || Signatures.recover(digest, v, r, s) != holder) revert PermitNotSigned(holder);
        allowance[holder][spender] = value;
        emit Approval(holder, spender, value);
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        _move(msg.sender, to, amount);
        return true;
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        uint256 allowed = allowance[from][msg.sender];
        if (allowed < amount) revert InsufficientCashAllowance(from, allowed, amount);
        // An unlimited allowance stays unlimited: saves a storage write on each fill.
        if (allowed != type(uint256).max) allowance[from][msg.sender] = allowed - amount;
        _move(from, to, amount);
        return true;
    }

    /// ERC-2612: the EIP-712 domain permits are signed under. Computed anew, so that a forked chain has another one.
    function DOMAIN_SEPARATOR() public view returns (bytes32) {
        return keccak256(
            abi.encode(DOMAIN_TYPE, keccak256(bytes(name)), keccak256("1"), block.chainid, address(this))
        );
    }

    function _move(address from, address to, uint256 amount) private {
        if (to == address(0)) revert ToZeroAddress();
        _take(from, amount);
        balanceOf[to] += amount;
        emit Transfer(from, to, amount);
    }

    function _take(address from, uint256 amount) private {
        uint256 balance = balanceOf[from];
        if (balance < amount) revert InsufficientCash(from, balance, amount);
        balanceOf[from] = balance - amount;
    }
}
