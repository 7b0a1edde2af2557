"""`python -m tokenx_matcher`."""

from tokenx_common.serve import serve
from tokenx_common.settings import load_settings
from tokenx_matcher.app import create_app
from tokenx_matcher.settings import MatcherSettings


def main() -> None:
    """Serve the matcher until SIGTERM."""
    settings = load_settings(MatcherSettings)
    serve("matcher", create_app(settings), settings)


if __name__ == "__main__":
    main()
