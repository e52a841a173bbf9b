-- name: lock_owner
-- Lets one key at a time be made for a user, until the transaction ends.
SELECT id FROM users WHERE id = $1 FOR NO KEY UPDATE;

-- name: open
-- A new key, unless its user has as many as he may; keys that ended a month ago are forgotten.
WITH forgotten AS (
    DELETE FROM api_keys
    WHERE user_id = $1 AND (expires_at < now() - interval '30 days' OR revoked_at < now() - interval '30 days')
)
INSERT INTO api_keys (user_id, name, prefix, secret_hash, scopes, created_at, expires_at)
SELECT $1, $2, $3, $4, $5::jsonb, now(), $6
WHERE $7 > (
    SELECT count(*) FROM api_keys
    WHERE user_id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
)
RETURNING id, created_at;

-- name: live
-- The keys of a user that are still honoured, the newest first.
SELECT id, name, prefix, scopes, created_at, expires_at, last_used_at FROM api_keys
WHERE user_id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
ORDER BY id DESC;

-- name: revoke
-- Ends one key of a user, if it was not ended before.
UPDATE api_keys SET revoked_at = now() WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL RETURNING prefix;

-- name: verify
-- The key with a prefix, its hash, and its user, if it is still honoured.
SELECT k.id, k.secret_hash, k.scopes, k.expires_at, u.id AS user_id, u.login, u.name, u.is_admin,
    ARRAY(SELECT role_id FROM user_roles WHERE user_id = u.id) AS role_ids
FROM api_keys k JOIN users u ON u.id = k.user_id
WHERE k.prefix = $1 AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now()) AND u.active;

-- name: verify_again
-- Those of many keys that are still honoured, and their users.
SELECT k.id, k.scopes, k.expires_at, u.id AS user_id, u.login, u.name, u.is_admin,
    ARRAY(SELECT role_id FROM user_roles WHERE user_id = u.id) AS role_ids
FROM api_keys k JOIN users u ON u.id = k.user_id
WHERE k.id = ANY($1::bigint[]) AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
    AND u.active;

-- name: note_uses
-- Moves the last use of keys to now where it is older than that many seconds. A key that another process is
-- writing at this moment is left to it.
UPDATE api_keys SET last_used_at = now() WHERE id IN (
    SELECT id FROM api_keys
    WHERE id = ANY($1::bigint[]) AND (last_used_at IS NULL OR last_used_at < now() - make_interval(secs => $2))
    FOR NO KEY UPDATE SKIP LOCKED
);
