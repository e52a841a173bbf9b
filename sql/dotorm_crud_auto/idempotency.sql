-- name: claim
-- Whether nobody else is at work under a digest (its lock is number $2), and what was kept under it within a day.
SELECT pg_try_advisory_xact_lock($2::bigint), k.fingerprint, k.status, k.headers, k.body
FROM (SELECT $1::bytea AS digest) asked
LEFT JOIN idempotency_keys k ON k.digest = asked.digest AND k.created_at > now() - interval '24 hours';

-- name: keep
-- Keeps an answer, in place of one that is older than a day; no row when a younger one is there. Forgets a few old ones.
WITH forgotten AS (
    DELETE FROM idempotency_keys WHERE id IN (
        SELECT id FROM idempotency_keys
        WHERE created_at <= now() - interval '24 hours' AND digest <> $1
        ORDER BY created_at LIMIT 20
        FOR UPDATE SKIP LOCKED
    )
)
INSERT INTO idempotency_keys AS k (digest, fingerprint, status, headers, body, created_at)
VALUES ($1::bytea, $2::bytea, $3::smallint, $4::jsonb, $5::bytea, now())
ON CONFLICT (digest) DO UPDATE SET
    fingerprint = excluded.fingerprint, status = excluded.status, headers = excluded.headers,
    body = excluded.body, created_at = excluded.created_at
    WHERE k.created_at <= now() - interval '24 hours'
RETURNING k.id;

-- name: forget
-- Forgets answers that are older than a day, at most so many.
DELETE FROM idempotency_keys WHERE id IN (
    SELECT id FROM idempotency_keys
    WHERE created_at <= now() - interval '24 hours'
    ORDER BY created_at LIMIT $1
    FOR UPDATE SKIP LOCKED
);
