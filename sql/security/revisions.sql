-- name: read
-- The revision of all rights; 0 before the first change.
SELECT coalesce((SELECT revision FROM access_revisions WHERE id = 1), 0);

-- name: bump
-- The next revision. The row stays locked until the transaction ends: make it the last statement.
INSERT INTO access_revisions (id, revision) VALUES (1, 1)
ON CONFLICT (id) DO UPDATE SET revision = access_revisions.revision + 1
RETURNING revision;
