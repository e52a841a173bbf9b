"""The tables of the office."""

from tests.integration.access.office.models.folder import Folder
from tests.integration.access.office.models.paper import Drawer, Paper, PaperLine, Tag

__all__ = ["Drawer", "Folder", "Paper", "PaperLine", "Tag"]
