-- name: make_table
-- What this database remembers of the migrations that were applied to it: the checksum is that of the file, and of
-- the statements that are done as long as some are not.
CREATE TABLE IF NOT EXISTS starling_migrations (
    "number" integer PRIMARY KEY,
    "name" text NOT NULL,
    "checksum" text NOT NULL,
    "steps" integer NOT NULL DEFAULT 0,
    "started_at" timestamptz NOT NULL DEFAULT now(),
    "finished_at" timestamptz
);

-- name: has_table
-- Whether any migration was ever applied here.
SELECT to_regclass('starling_migrations') IS NOT NULL;

-- name: applied
-- Every migration of which anything was done, oldest first.
SELECT "number", "name", "checksum", "steps", "finished_at" IS NOT NULL AS "is_finished"
FROM starling_migrations ORDER BY "number";

-- name: step
-- Notes how many statements of a migration are done.
INSERT INTO starling_migrations ("number", "name", "checksum", "steps") VALUES ($1, $2, $3, $4)
ON CONFLICT ("number") DO UPDATE
SET "name" = excluded."name", "checksum" = excluded."checksum", "steps" = excluded."steps";

-- name: finish
-- Notes that a migration is done.
INSERT INTO starling_migrations ("number", "name", "checksum", "steps", "finished_at") VALUES ($1, $2, $3, $4, now())
ON CONFLICT ("number") DO UPDATE
SET "name" = excluded."name", "checksum" = excluded."checksum", "steps" = excluded."steps", "finished_at" = now();

-- name: try_lock
-- One process at a time migrates; the lock lasts as long as the connection.
SELECT pg_try_advisory_lock($1::bigint);

-- name: lock_holder
-- Who migrates at the moment.
SELECT a.pid, a.application_name, a.client_addr::text AS "address", a.backend_start AS "since"
FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND ((l.classid::bigint << 32) | l.objid::bigint) = $1::bigint AND l.objsubid = 1;
