"""python -m tokenx_chain"""

import sys

from tokenx_chain.app import create_app
from tokenx_chain.contracts.artifacts import ArtifactsMissing
from tokenx_chain.settings import ChainSettings
from tokenx_chain.signers.errors import SignerConfigError
from tokenx_chain.signers.settings import SignerSettings
from tokenx_common.serve import serve
from tokenx_common.settings import load_settings

EXIT_CONFIG = 78


def main() -> None:
    """Serve until SIGTERM. Exit status 78 with one line for a bad configuration, 70 when another instance took over."""
    settings, signers = load_settings(ChainSettings), load_settings(SignerSettings)
    try:
        app = create_app(settings, signers)
    except (SignerConfigError, ArtifactsMissing) as error:
        sys.stderr.write(f"configuration: {error}\n")
        raise SystemExit(EXIT_CONFIG) from None
    serve("chain", app, settings)


if __name__ == "__main__":
    main()
