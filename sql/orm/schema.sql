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

-- name: indexes
-- The indexes of the tables named in $1 that no constraint stands on. $2 is the mark of our own. The columns are as a
-- model declares them; null where no model could have declared the index.
SELECT i.relname AS "name", t.relname AS "table",
       CASE WHEN am.amname = 'btree' AND x.indexprs IS NULL AND x.indnatts = x.indnkeyatts
             AND bool_and(part."option" IN (0, 3) AND op.opcdefault AND part."collation" = a.attcollation)
            THEN array_agg(CASE part."option" WHEN 3 THEN '-' ELSE '' END || a.attname ORDER BY part."place")
       END AS "columns",
       x.indisunique AS "is_unique", x.indpred IS NOT NULL AS "is_partial",
       coalesce(obj_description(i.oid, 'pg_class') = $2::text, false) AS "is_ours"
FROM pg_index x
JOIN pg_class i ON i.oid = x.indexrelid
JOIN pg_class t ON t.oid = x.indrelid
JOIN pg_am am ON am.oid = i.relam
CROSS JOIN LATERAL unnest(x.indkey, x.indoption, x.indclass, x.indcollation)
     WITH ORDINALITY AS part ("number", "option", "class", "collation", "place")
LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = part."number" AND part."number" > 0
LEFT JOIN pg_opclass op ON op.oid = part."class"
WHERE t.relnamespace = current_schema()::regnamespace AND t.relname = ANY ($1::text[])
  AND NOT EXISTS (SELECT FROM pg_constraint con WHERE con.conindid = i.oid)
GROUP BY i.oid, i.relname, t.relname, am.amname, x.indexrelid, x.indexprs, x.indnatts, x.indnkeyatts, x.indisunique,
         x.indpred;

-- name: server
-- The major version of the server.
SELECT current_setting('server_version_num')::integer / 10000;

-- name: may_compare
-- Whether a temporary table can be made here, and where the tables of this schema are.
SELECT has_database_privilege(current_database(), 'TEMPORARY') AND NOT pg_is_in_recovery()
       AND current_setting('transaction_read_only') = 'off' AS "may",
       quote_ident(current_schema()) AS "schema";

-- name: temporary_expressions
-- The defaults of a temporary table, or what computes its columns, as the server says them.
SELECT a.attname AS "column", pg_get_expr(def.adbin, def.adrelid) AS "expression"
FROM pg_attrdef def JOIN pg_attribute a ON a.attrelid = def.adrelid AND a.attnum = def.adnum
WHERE def.adrelid = ('pg_temp.' || quote_ident($1))::regclass;

-- name: unmarked
-- Those of the indexes named in $1 of which nobody has said anything, and that are built.
SELECT i.relname AS "name"
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
WHERE x.indisvalid AND i.relnamespace = current_schema()::regnamespace AND i.relname = ANY ($1::text[])
  AND obj_description(i.oid, 'pg_class') IS NULL;

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
