"""What the order route is measured against: FastAPI and asyncpg, one durable insert a request, nothing else."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import asyncpg
from fastapi import FastAPI
from pydantic import BaseModel


class Body(BaseModel):
    """The same members as an order ticket."""

    client_order_id: str
    offering_id: str
    side: str
    type: str
    time_in_force: str
    quantity: str
    limit_price: str


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
    async with asyncpg.create_pool(os.environ["BASELINE_DATABASE_URL"], min_size=2, max_size=16) as pool:
        await pool.execute(
            "CREATE TABLE IF NOT EXISTS baseline_orders (client_order_id text PRIMARY KEY, body text NOT NULL)"
        )
        app.state.pool = pool
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/v1/orders", status_code=201)
async def place(body: Body) -> dict[str, str]:
    await app.state.pool.execute(
        "INSERT INTO baseline_orders (client_order_id, body) VALUES ($1, $2)",
        body.client_order_id,
        body.model_dump_json(),
    )
    return {"client_order_id": body.client_order_id}
