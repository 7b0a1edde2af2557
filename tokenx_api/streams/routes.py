"""HTTP routes of streams."""

from fastapi import APIRouter

router = APIRouter(prefix="/v1", tags=["streams"])
