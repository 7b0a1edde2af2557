"""`python -m tokenx_api`."""

from tokenx_api.app import create_app
from tokenx_api.settings import ApiSettings
from tokenx_common.serve import serve
from tokenx_common.settings import load_settings


def main() -> None:
    """Serve the api until SIGTERM."""
    settings = load_settings(ApiSettings)
    serve("api", create_app(settings), settings)


if __name__ == "__main__":
    main()
