"""The document of the small project, made once for each file of tests."""

from typing import Any

import pytest

from tests.unit.app.openapi.project import document_of, project_of


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return document_of(project_of())
