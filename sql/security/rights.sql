-- name: read
-- All rights as one row of JSON, from one snapshot: their revision; roles (id, code); which role has the rights
-- of which (itself included); access lists; active rules.
WITH RECURSIVE closure (role_id, based_id) AS (
    SELECT id, id FROM roles
    UNION  -- not ALL: roles in a circle come to an end, too
    SELECT closure.role_id, bases.based_role_id
    FROM closure JOIN role_bases bases ON bases.role_id = closure.based_id
)
SELECT coalesce((SELECT rights_revision FROM access_revisions WHERE id = 1), 0) AS revision,
    (SELECT coalesce(json_agg(json_build_array(id, code)), '[]') FROM roles)::text AS roles,
    (SELECT coalesce(json_agg(json_build_array(role_id, based_id)), '[]') FROM closure)::text AS closure,
    (SELECT coalesce(json_agg(json_build_array(
        id, role_id, model, can_create, can_read, can_update, can_delete) ORDER BY id), '[]')
     FROM access_lists)::text AS lists,
    (SELECT coalesce(json_agg(json_build_array(
        id, name, model, role_id, domain, operations) ORDER BY id), '[]')
     FROM rules WHERE active)::text AS rules;

-- name: read_revision
-- Which state of the rights `read` would give.
SELECT coalesce((SELECT rights_revision FROM access_revisions WHERE id = 1), 0);

-- name: roles_in_circles
-- The codes of roles that are based on themselves, by whatever way.
WITH RECURSIVE above (role_id, based_id) AS (
    SELECT role_id, based_role_id FROM role_bases
    UNION
    SELECT above.role_id, bases.based_role_id FROM above JOIN role_bases bases ON bases.role_id = above.based_id
)
SELECT roles.code FROM above JOIN roles ON roles.id = above.role_id
WHERE above.role_id = above.based_id ORDER BY roles.code;

-- name: roles_of_user
-- The ids of the roles that a user was given himself, and whether he is an administrator and active; no row
-- for a user that does not exist. By id or by login.
SELECT users.id, users.login, users.name, users.is_admin, users.active,
    ARRAY(SELECT role_id FROM user_roles WHERE user_id = users.id) AS role_ids
FROM users WHERE users.id = $1 OR users.login = $2;

-- name: lock_presets
-- One process at a time brings in access presets, until its transaction ends.
SELECT pg_advisory_xact_lock($1);
