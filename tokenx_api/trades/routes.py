"""HTTP routes of trades."""

from fastapi import APIRouter

router = APIRouter(prefix="/v1", tags=["trades"])
