-- name: tables
-- Every column of the tables named in $1, as they are in the current schema; one row a column.
SELECT c.relname AS "table", a.attname AS "column", format_type(a.atttypid, a.atttypmod) AS "type",
       a.attnotnull AS "not_null", (a.atthasdef OR a.attidentity <> '') AS "has_default",
       a.attgenerated <> '' AS "is_computed"
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace AND c.relname = ANY ($1::text[])
ORDER BY c.relname, a.attnum;

-- name: names
-- The names of the constraints and indexes on the tables named in $1; an index whose build broke off is none.
SELECT con.conname AS "name"
FROM pg_constraint con JOIN pg_class c ON c.oid = con.conrelid
WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY ($1::text[])
UNION
SELECT i.relname
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
WHERE x.indisvalid AND c.relnamespace = current_schema()::regnamespace AND c.relname = ANY ($1::text[]);

-- name: constraints
-- The unique constraints and the foreign keys of the tables named in $1, with their columns in order.
SELECT con.conname AS "name", c.relname AS "table", t.relname AS "target",
       CASE con.confdeltype WHEN 'c' THEN 'cascade' WHEN 'n' THEN 'set null' WHEN 'r' THEN 'restrict' ELSE '' END AS "ondelete",
       ARRAY(SELECT a.attname::text FROM unnest(con.conkey) WITH ORDINALITY AS k("number", "place")
             JOIN pg_attribute a ON a.attrelid = con.conrelid AND a.attnum = k."number"
             ORDER BY k."place") AS "columns"
FROM pg_constraint con
JOIN pg_class c ON c.oid = con.conrelid
LEFT JOIN pg_class t ON t.oid = con.confrelid
WHERE con.contype IN ('u', 'f') AND c.relnamespace = current_schema()::regnamespace AND c.relname = ANY ($1::text[]);

-- name: make_state
-- The table in which the schema keeps what it knows about itself.
CREATE TABLE starling_schema (
    "key" text PRIMARY KEY,
    "value" text NOT NULL,
    "at" timestamptz NOT NULL DEFAULT now()
);

-- name: read_state
-- What is known: the fingerprint of the models that this database was last brought up to, and the key of cursors.
SELECT "key", "value" FROM starling_schema WHERE "key" IN ('fingerprint', 'cursor_key');

-- name: write_state
-- Remember a value.
INSERT INTO starling_schema ("key", "value") VALUES ($1, $2)
ON CONFLICT ("key") DO UPDATE SET "value" = excluded."value", "at" = now();

-- name: lock
-- One process at a time changes the schema; the number is the first 8 bytes of sha256("starling schema").
SELECT pg_advisory_xact_lock($1::bigint);
