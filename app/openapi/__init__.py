"""OpenAPI: what the API answers, as a document for programs (/openapi.json) and as a page for people (/docs).

The document is made from what answers: hand-written routes and their Structs by msgspec, the routes of
models from the field metadata and the types that decode their bodies. Nothing is described twice, so nothing
can disagree; what could all the same (statuses, headers, shapes) is held to it by schemathesis, see
tests/e2e/test_openapi.py. It is made at the first request and kept as bytes; the same project gives the same
bytes in every process.

    routes of modules    handwritten, answers, parameters
    routes of models     models: reading, writing, batching; their shapes: records, writings, fields
    the same for all     headers, refusals, keys, language (filters)
    the whole            document, project, paths; documentation serves it

The page is our own: HTML, a style sheet and six ES modules in `static/`, 38 KB, served under a policy that
lets it load nothing from elsewhere, run nothing inline and make no markup of texts. Weighed against it, in
November 2026: the wheels that carry a current Swagger UI (1.9 MB) come with a framework each (fastapi-swagger
and fastapi-offline with FastAPI, flask-swagger-ui and flask-openapi3-swagger with Flask,
drf-spectacular-sidecar, 9.6 MB, with Django); those without one are `swagger-ui-bundle` (8.6 MB, Swagger UI
4.15, which does not read OpenAPI 3.1) and `swagger-ui-py` (25.5 MB with an editor); `scalar-fastapi` loads
its page from a CDN; Redoc 2.5 sets styles inline, which the policy refuses. Who wants another viewer points
it at /openapi.json.
"""

from app.openapi.document import openapi_document
from app.openapi.documentation import Documentation
from app.openapi.project import Project, project_of

__all__ = ["Documentation", "Project", "openapi_document", "project_of"]
