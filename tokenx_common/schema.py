"""The JSON schema of every event: `python -m tokenx_common.schema > docs/asyncapi/events.schema.json`. A test compares the two."""

import json
import sys
from typing import Any

from pydantic.json_schema import models_json_schema

from tokenx_common.events import SCHEMA_MODELS


def events_schema() -> dict[str, Any]:
    """One document with all models as definitions."""
    _, document = models_json_schema([(model, "validation") for model in SCHEMA_MODELS], title="Token-x events")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **document}


def rendered() -> str:
    """As stored: sorted keys, so that a change shows as a change and nothing else does."""
    return json.dumps(events_schema(), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(rendered())
