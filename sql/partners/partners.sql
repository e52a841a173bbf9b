-- name: lock_tree
-- Lets one transaction at a time give partners another parent, until it ends.
SELECT pg_advisory_xact_lock($1);

-- name: at_or_above
-- One of the partners $2 that is the partner $1 itself or stands above it; none when all may go below it.
WITH RECURSIVE above AS (
    SELECT id, parent_id FROM partners WHERE id = $1
    UNION
    SELECT partners.id, partners.parent_id FROM partners JOIN above ON partners.id = above.parent_id
)
SELECT id FROM above WHERE id = ANY($2::bigint[]) ORDER BY id LIMIT 1;
