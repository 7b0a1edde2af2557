"""The stored event schema is today's."""

from pathlib import Path

from tokenx_common.events import SCHEMA_MODELS
from tokenx_common.schema import events_schema, rendered

STORED = Path(__file__).parents[2] / "docs" / "asyncapi" / "events.schema.json"


def test_stored_schema_is_todays() -> None:
    assert STORED.read_text(encoding="utf-8") == rendered(), (
        "run: python -m tokenx_common.schema > docs/asyncapi/events.schema.json"
    )


def test_every_event_is_in_it_and_refuses_unknown_members() -> None:
    definitions = events_schema()["$defs"]
    for model in SCHEMA_MODELS:
        assert definitions[model.__name__]["additionalProperties"] is False
