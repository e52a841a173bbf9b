"""Everything that the fixtures are made of, in one module for pytest's plugin manager to load."""

from app.testing.access_matrix import matrix_of
from app.testing.databases import databases_on
from app.testing.project import named_project
from app.testing.server import database_server

__all__ = ["database_server", "databases_on", "matrix_of", "named_project"]
