"""`python -m tokenx_api.openapi > docs/openapi/api.json`: the api's OpenAPI document, without starting anything."""

import json
import sys

from pydantic import SecretStr

from tokenx_api.app import create_app
from tokenx_api.settings import ApiSettings
from tokenx_common.service_auth import new_key_pair


def document() -> str:
    """The document as text: sorted keys, so that a diff shows changes only."""
    private, _ = new_key_pair()
    settings = ApiSettings(
        redis_url=SecretStr("redis://127.0.0.1:6379/0"),
        database_url=SecretStr("postgresql://127.0.0.1/nothing"),
        service_private_key=SecretStr(private),
        service_public_keys={},
    )
    return json.dumps(create_app(settings).openapi(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(document())
