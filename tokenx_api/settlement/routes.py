"""HTTP routes of settlement."""

from fastapi import APIRouter

router = APIRouter(prefix="/v1", tags=["settlement"])
