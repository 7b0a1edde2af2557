"""python -m tokenx_cli"""

from tokenx_cli.app import main

main()
