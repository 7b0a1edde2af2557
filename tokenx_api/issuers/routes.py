"""HTTP routes of issuers."""

from fastapi import APIRouter

router = APIRouter(prefix="/v1", tags=["issuers"])
