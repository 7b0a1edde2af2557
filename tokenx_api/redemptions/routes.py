"""HTTP routes of redemptions."""

from fastapi import APIRouter

router = APIRouter(prefix="/v1", tags=["redemptions"])
