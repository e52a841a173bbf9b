-- name: open
-- A new session and its first refresh token; sessions of the same user that ended a week ago are forgotten.
WITH forgotten AS (
    DELETE FROM sessions
    WHERE user_id = $1 AND (expires_at < now() - interval '7 days' OR revoked_at < now() - interval '7 days')
), opened AS (
    INSERT INTO sessions
        (user_id, credentials_version, family, address, user_agent, created_at, last_seen_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, now(), now(), now() + make_interval(secs => $6))
    RETURNING id, expires_at
), issued AS (
    INSERT INTO refresh_tokens (session_id, token_hash, created_at) SELECT id, $7::bytea, now() FROM opened
)
SELECT id, expires_at FROM opened;

-- name: verify
-- The user behind an access token whose session is still honoured, and the roles that he was given himself.
SELECT u.login, u.name, u.is_admin, ARRAY(SELECT role_id FROM user_roles WHERE user_id = u.id) AS role_ids
FROM sessions s JOIN users u ON u.id = s.user_id
WHERE s.id = $1 AND s.user_id = $2 AND s.revoked_at IS NULL AND s.expires_at > now()
    AND u.active AND u.credentials_version = s.credentials_version;

-- name: verify_again
-- The users behind those of many sessions that are still honoured.
SELECT s.id, u.id AS user_id, u.login, u.name, u.is_admin,
    ARRAY(SELECT role_id FROM user_roles WHERE user_id = u.id) AS role_ids
FROM sessions s JOIN users u ON u.id = s.user_id
WHERE s.id = ANY($1::bigint[]) AND s.revoked_at IS NULL AND s.expires_at > now()
    AND u.active AND u.credentials_version = s.credentials_version;

-- name: lock_family
-- The session of a refresh token, its row locked, and whether it may still be refreshed.
SELECT s.id, s.expires_at, u.id AS user_id, u.login, u.name, u.is_admin,
    s.revoked_at IS NULL AND s.expires_at > now() AND s.last_seen_at > now() - make_interval(secs => $2)
    AND u.active AND u.credentials_version = s.credentials_version AS is_live
FROM sessions s JOIN users u ON u.id = s.user_id
WHERE s.family = $1
FOR NO KEY UPDATE OF s;

-- name: find_refresh_token
-- A refresh token of a session, and whether it may (still) be used.
SELECT id, used_at IS NULL OR used_at > now() - make_interval(secs => $3) AS is_good
FROM refresh_tokens WHERE session_id = $1 AND token_hash = $2;

-- name: rotate
-- The successor of a refresh token. Kept are those that were used within the grace, and the newest unused ones.
WITH used AS (
    UPDATE refresh_tokens SET used_at = coalesce(used_at, now()) WHERE id = $2
), forgotten AS (
    DELETE FROM refresh_tokens
    WHERE session_id = $1 AND (
        used_at <= now() - make_interval(secs => $4)
        OR id IN (SELECT id FROM refresh_tokens WHERE session_id = $1 AND id <> $2 ORDER BY id DESC OFFSET $5)
    )
), seen AS (
    UPDATE sessions SET last_seen_at = now(), address = $6, user_agent = $7 WHERE id = $1
)
INSERT INTO refresh_tokens (session_id, token_hash, created_at) VALUES ($1, $3, now());

-- name: live
-- The sessions of a user that are still honoured, the one seen last first.
SELECT s.id, s.created_at, s.last_seen_at, s.address, s.user_agent
FROM sessions s JOIN users u ON u.id = s.user_id
WHERE s.user_id = $1 AND s.revoked_at IS NULL AND s.expires_at > now()
    AND s.last_seen_at > now() - make_interval(secs => $2)
    AND u.active AND u.credentials_version = s.credentials_version
ORDER BY s.last_seen_at DESC, s.id DESC
LIMIT $3;

-- name: revoke
-- Ends one session of a user, if it was not ended before.
UPDATE sessions SET revoked_at = now() WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL RETURNING id;

-- name: revoke_all
-- Ends all sessions of a user but one (0: all).
UPDATE sessions SET revoked_at = now() WHERE user_id = $1 AND id <> $2 AND revoked_at IS NULL RETURNING id;

-- name: carry_over
-- Lets one session outlive a change of its user's credentials.
UPDATE sessions SET credentials_version = $2 WHERE id = $1;

-- name: forget
-- Forgets sessions that ended a week ago, at most so many; those of a user who signs in go then already.
DELETE FROM sessions WHERE id IN (
    SELECT id FROM sessions
    WHERE expires_at < now() - interval '7 days' OR revoked_at < now() - interval '7 days'
    LIMIT $1 FOR UPDATE SKIP LOCKED
) RETURNING id;
