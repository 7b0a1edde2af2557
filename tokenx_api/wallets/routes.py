"""HTTP routes of wallets: none of its own, wallets are shown with the investor they belong to."""

from fastapi import APIRouter

router = APIRouter(prefix="/v1", tags=["wallets"])
