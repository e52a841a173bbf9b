"""OpenAPI: what the API answers, as a document for programs (/openapi.json) and as a page for people (/docs).

The document is made from what answers: hand-written routes and their Structs by msgspec, the routes of models
from the field metadata that their bodies are made from. Nothing is described twice, so nothing can disagree.
It is made at the first request and kept as bytes; the same project gives the same bytes in every process.

The page is our own: one HTML file, one ES module and one style sheet, in `static/`, served under a policy
that lets it load nothing from elsewhere and run nothing inline. Weighed against it: `swagger-ui-bundle` (the
last release has Swagger UI 4.15, and OpenAPI 3.1 is read from 5.0 on; 8.6 MB unpacked; with Jinja2 and
MarkupSafe three distributions), `swagger-ui-py` (26 MB unpacked, of which most is an editor; with Jinja2,
MarkupSafe, packaging and PyYAML five) and `scalar-fastapi` (its page loads from a CDN). The page that we keep
instead is 18 KB; who wants another viewer points it at /openapi.json.
"""

from app.openapi.document import Project
from app.openapi.documentation import Documentation

__all__ = ["Documentation", "Project"]
