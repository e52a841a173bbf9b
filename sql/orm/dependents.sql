-- What a comparison asks for beyond names: PostgreSQL locks a table, to read, for each definition that it says.

-- name: expressions
-- The default, or what computes it, of each column of the tables named in $1 that has either, in the server's words.
SELECT t.relname AS "table", a.attname AS "column", pg_get_expr(def.adbin, def.adrelid) AS "expression"
FROM pg_class t
JOIN pg_attribute a ON a.attrelid = t.oid
JOIN pg_attrdef def ON def.adrelid = t.oid AND def.adnum = a.attnum
WHERE t.relkind IN ('r', 'p') AND t.relnamespace = current_schema()::regnamespace AND t.relname = ANY ($1::text[]);

-- name: of_columns
-- What stands on each column of the tables named in $1 and would go with it, or keep it: indexes, constraints,
-- columns that are computed from it, and the rest by its description. $2 is the mark of our own indexes. Definitions
-- name a table with its schema only where the search path does not lead to it.
SELECT t.relname, a.attname,
       CASE WHEN i.oid IS NOT NULL THEN 'index' WHEN con.oid IS NOT NULL THEN 'constraint'
            WHEN made.attname IS NOT NULL THEN 'computed' ELSE 'other' END AS "kind",
       coalesce(i.relname::text, con.conname::text, made.attname::text,
                pg_describe_object('pg_class'::regclass, view.ev_class, 0),
                pg_describe_object(d.classid, d.objid, d.objsubid)) AS "name",
       coalesce(pg_get_indexdef(i.oid, 0, true), pg_get_constraintdef(con.oid, true), '') AS "definition",
       coalesce(x.indisunique, false) AS "is_unique",
       coalesce(obj_description(i.oid, 'pg_class') = $2::text, false) AS "is_ours"
FROM pg_class t
JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN (SELECT DISTINCT classid, objid, objsubid, refobjid, refobjsubid FROM pg_depend
      WHERE refclassid = 'pg_class'::regclass AND refobjsubid > 0) d
  ON d.refobjid = t.oid AND d.refobjsubid = a.attnum
LEFT JOIN pg_class i ON d.classid = 'pg_class'::regclass AND i.oid = d.objid AND i.relkind IN ('i', 'I')
LEFT JOIN pg_index x ON x.indexrelid = i.oid
LEFT JOIN pg_constraint con ON d.classid = 'pg_constraint'::regclass AND con.oid = d.objid AND con.conrelid = t.oid
LEFT JOIN pg_rewrite view ON d.classid = 'pg_rewrite'::regclass AND view.oid = d.objid
LEFT JOIN pg_attrdef def ON d.classid = 'pg_attrdef'::regclass AND def.oid = d.objid
LEFT JOIN pg_attribute made ON made.attrelid = def.adrelid AND made.attnum = def.adnum
WHERE t.relkind IN ('r', 'p') AND t.relnamespace = current_schema()::regnamespace AND t.relname = ANY ($1::text[])
  AND (made.attnum IS NULL OR made.attnum <> a.attnum)
  AND (con.contype IS NULL OR con.contype <> 'n')
ORDER BY 1, 2, 3, 4;
