"""What Alembic runs: the revisions, on the connection and in the unit of work that it is given."""

from typing import Any

from alembic import context
from sqlmodel import SQLModel

import models

# Importing the models is what fills the metadata.
assert models.Wallet.__tablename__ in SQLModel.metadata.tables

attributes: dict[str, Any] = context.config.attributes
context.configure(
    connection=attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,  # SQLite alters a table by copying it
    transactional_ddl=True,  # on SQLite too: we begin the unit of work ourselves
)
context.run_migrations()
