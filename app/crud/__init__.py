"""Auto CRUD: the REST API of every registered model, made from its metadata.

`CrudTable` is a plain ASGI application that a service mounts on `/api`; hand-written routes win over it. A
request finds its model by one look-up and its handler by another, whatever the number of models; bodies are
decoded once, into Structs that carry the fields' limits; answers are encoded from the driver's rows without
making records. Rights, rules and hidden fields are the ORM's business (`orm/verbs/scope.py`), problems and
their statuses the edge's: nothing here knows of users.

Handlers are in files named after what they do (`reading`, `writing`, `aggregating`, `describing`,
`exporting`, `acting`, `batch`); what they decide is in files that await nothing (`query`, `bodies`,
`relations`, `bounds`, `links`, `etags`, `references`, `csv_lines`). `actions.action` is for models.
"""
