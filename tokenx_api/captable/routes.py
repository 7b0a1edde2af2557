"""HTTP routes of captable."""

from fastapi import APIRouter

router = APIRouter(prefix="/v1", tags=["captable"])
