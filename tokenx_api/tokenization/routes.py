"""HTTP routes of tokenization."""

from fastapi import APIRouter

router = APIRouter(prefix="/v1", tags=["tokenization"])
