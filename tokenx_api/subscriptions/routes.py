"""HTTP routes of subscriptions."""

from fastapi import APIRouter

router = APIRouter(prefix="/v1", tags=["subscriptions"])
