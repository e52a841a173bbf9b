-- name: trim
-- How many entries were removed, because an entry in the chain announces it.
SELECT audit_trim();

-- name: old
-- The last link, of the $2 oldest, up to which all entries are older than $1; none where it was announced already.
WITH oldest AS (
    SELECT c.position, c.hash, e.at FROM audit_chain c JOIN audit_log e ON e.id = c.entry_id ORDER BY c.position LIMIT $2
), old AS (
    SELECT position, hash FROM oldest
    WHERE position < coalesce((SELECT min(position) FROM oldest WHERE at >= $1), 9223372036854775807)
    ORDER BY position DESC LIMIT 1
)
SELECT position, hash FROM old
WHERE NOT EXISTS (
    SELECT FROM audit_log WHERE model = 'audit_chain' AND record_id = old.position AND action = 'audit_trim'
);

-- name: announced
-- The hash at position $1 as an entry in the chain behind it announces it.
SELECT e.details ->> 'hash' FROM audit_log e JOIN audit_chain own ON own.entry_id = e.id
WHERE e.model = 'audit_chain' AND e.record_id = $1 AND e.action = 'audit_trim' AND own.position > $1;
