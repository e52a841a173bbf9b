-- name: is_waiting
-- Whether any entry waits for the chain.
SELECT EXISTS (SELECT FROM audit_waiting);

-- name: take_lease
-- Whether this transaction may close the chain of this schema; nobody else may until it ends. $1 is a number of ours. A
-- statement of its own: what is read after it is what the last holder has committed.
SELECT pg_try_advisory_xact_lock($1::integer, 'audit_chain'::regclass::oid::integer);

-- name: head
-- The last link.
SELECT position, hash FROM audit_chain ORDER BY position DESC LIMIT 1;

-- name: waiting
-- The next $2 entries behind $1 that are not in the chain.
SELECT entry_id FROM audit_waiting WHERE entry_id > $1 ORDER BY entry_id LIMIT $2;

-- name: entries
-- The entries $1 by id, as their canonical form reads them: times as texts of microseconds since 1970 (null where there is
-- no such number), documents as texts of JSON.
SELECT id, CASE WHEN isfinite(at) THEN trunc(extract(epoch FROM at) * 1000000)::text END AS at, user_id, request_id,
       database_role, action, model, record_id, before::text AS before, after::text AS after, details::text AS details
FROM audit_log WHERE id = ANY ($1::bigint[]) ORDER BY id;

-- name: append
-- New links: $1 their positions, $2 their entries, $3 their hashes.
INSERT INTO audit_chain (position, entry_id, hash) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bytea[]);

-- name: no_longer_waiting
-- The entries $1 are in the chain now.
DELETE FROM audit_waiting WHERE entry_id = ANY ($1::bigint[]);

-- name: links
-- The next $2 links behind position $1.
SELECT position, entry_id, hash FROM audit_chain WHERE position > $1 ORDER BY position LIMIT $2;

-- name: link_at
-- The hash at position $1.
SELECT hash FROM audit_chain WHERE position = $1;

-- name: entry_ids
-- The next $2 entries behind id $1.
SELECT id FROM audit_log WHERE id > $1 ORDER BY id LIMIT $2;

-- name: has_tables
-- Whether there is an audit log in this schema.
SELECT to_regclass('audit_log') IS NOT NULL AND to_regclass('audit_chain') IS NOT NULL
   AND to_regclass('audit_waiting') IS NOT NULL;

-- name: outside
-- What is not in the chain, all at one moment: how many entries wait; the first that waits and is gone; the first that
-- is there and neither in the chain nor waiting.
SELECT (SELECT count(*) FROM audit_waiting) AS waiting,
       (SELECT min(w.entry_id) FROM audit_waiting w
        WHERE NOT EXISTS (SELECT FROM audit_log e WHERE e.id = w.entry_id)) AS gone,
       (SELECT min(e.id) FROM audit_log e
        WHERE NOT EXISTS (SELECT FROM audit_chain c WHERE c.entry_id = e.id)
          AND NOT EXISTS (SELECT FROM audit_waiting w WHERE w.entry_id = e.id)) AS unchained;

-- name: links_of
-- The links of the entries $1.
SELECT position, entry_id, hash FROM audit_chain WHERE entry_id = ANY ($1::bigint[]);
