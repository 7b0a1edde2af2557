"""Accounts and their passwords."""

from tokenx_api.users.service.accounts import create_user, credential, list_users, taken
from tokenx_api.users.service.passwords import hash_password, verify_password

__all__ = ["create_user", "credential", "hash_password", "list_users", "taken", "verify_password"]
