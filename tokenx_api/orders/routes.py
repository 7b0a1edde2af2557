"""HTTP routes of orders."""

from fastapi import APIRouter

router = APIRouter(prefix="/v1", tags=["orders"])
