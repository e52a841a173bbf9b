"""Settings: frozen structs, read once from the environment and `.env`, with every problem told at once.

A module declares a `Section`; `app/project_setup.py` composes the sections into its `Settings`; where a
section stands there gives its variables their prefix. `sections.py` knows what settings there are,
`values.py` turns text into values, `source.py` reads.
"""

from app.core.settings.project import ENV_FILE, SettingsCore, check, secret_values
from app.core.settings.sections import SECRET, Section, Setting, catalog
from app.core.settings.source import Loaded, read

__all__ = [
    "ENV_FILE",
    "SECRET",
    "Loaded",
    "Section",
    "Setting",
    "SettingsCore",
    "catalog",
    "check",
    "read",
    "secret_values",
]
