"""`python -m tokenx_kyt`."""

from tokenx_common.serve import serve
from tokenx_common.settings import load_settings
from tokenx_kyt.app import create_app
from tokenx_kyt.settings import KytSettings


def main() -> None:
    """Serve kyt until SIGTERM."""
    settings = load_settings(KytSettings)
    serve("kyt", create_app(settings), settings)


if __name__ == "__main__":
    main()
