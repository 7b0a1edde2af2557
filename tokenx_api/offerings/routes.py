"""HTTP routes of offerings."""

from fastapi import APIRouter

router = APIRouter(prefix="/v1", tags=["offerings"])
