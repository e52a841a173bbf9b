-- name: lock_administrators
-- The ids of all active administrators, none of whom can be changed by others until the transaction ends.
SELECT id FROM users WHERE is_admin AND active ORDER BY id FOR NO KEY UPDATE;

-- name: has_administrator
-- Whether there is any administrator, disabled ones included.
SELECT EXISTS (SELECT FROM users WHERE is_admin);

-- name: lock_first_administrator
-- Lets one process at a time make the first administrator, until its transaction ends.
SELECT pg_advisory_xact_lock($1);

-- name: credentials_version
-- The version of a user's credentials; his row is locked by whoever asks.
SELECT credentials_version FROM users WHERE id = $1;

-- name: lock_version
-- Which version of his row a user has (see orm/builder/text.py); it stays that until the transaction ends.
SELECT xmin::text FROM users WHERE id = $1 FOR NO KEY UPDATE;

-- name: replace_password
-- A new password hash, if the old one is still stored; the version of the user's credentials that came of it.
UPDATE users SET password_hash = $3, credentials_version = credentials_version + 1
WHERE id = $1 AND password_hash = $2 RETURNING credentials_version;

-- name: give_base_user
-- Whoever was a user before there were roles is a base user, like those who come later. Once and for all: a role
-- that is taken away afterwards stays away.
WITH done AS (
    INSERT INTO access_presets (key, content)
    SELECT 'users before roles', '{}' WHERE NOT EXISTS (SELECT FROM access_presets WHERE key = 'users before roles')
    ON CONFLICT (key) DO NOTHING
    RETURNING key
)
INSERT INTO user_roles (user_id, role_id)
SELECT users.id, roles.id FROM done, users, roles WHERE roles.code = $1
ON CONFLICT DO NOTHING;
