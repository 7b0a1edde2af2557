"""psql scripts about whole databases; `name` and `template` are psql variables, quoted by psql. The schema itself is in migrations/."""

from typing import Final, LiteralString

CREATE_DATABASE: Final[LiteralString] = """
SELECT format('CREATE DATABASE %I OWNER tokenx_owner TEMPLATE %I', :'name', :'template')
 WHERE NOT EXISTS (SELECT 1 FROM pg_database WHERE datname = :'name') \\gexec
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"name" TO tokenx_migrator, tokenx_api, tokenx_ro;
"""

DROP_DATABASE: Final[LiteralString] = """
DROP DATABASE IF EXISTS :"name" WITH (FORCE);
"""

MIGRATION_LOCK: Final[LiteralString] = """
SELECT pg_advisory_lock(hashtext('tokenx.migrate'))
"""
