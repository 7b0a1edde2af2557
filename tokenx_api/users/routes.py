"""HTTP routes of users."""

from fastapi import APIRouter

router = APIRouter(prefix="/v1", tags=["users"])
