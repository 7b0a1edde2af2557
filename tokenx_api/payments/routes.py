"""HTTP routes of payments."""

from fastapi import APIRouter

router = APIRouter(prefix="/v1", tags=["payments"])
