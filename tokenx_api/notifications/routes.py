"""HTTP routes of notifications."""

from fastapi import APIRouter

router = APIRouter(prefix="/v1", tags=["notifications"])
