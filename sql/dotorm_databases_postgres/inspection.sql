-- name: state
-- What a restore would meet: tables that are there, and how many others work in this database.
SELECT (SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema') AS tables,
       (SELECT count(*) FROM pg_catalog.pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend') AS others;

-- name: about
-- The server at this moment: its clock, its connections, and whether this session is that of the backend it talks to.
SELECT extract(epoch FROM clock_timestamp())::float8 AS clock,
       pg_backend_pid() AS pid,
       current_setting('transaction_read_only') = 'on' AS read_only,
       current_setting('max_connections')::int AS max_connections,
       current_setting('superuser_reserved_connections')::int
           + coalesce(current_setting('reserved_connections', true), '0')::int AS reserved,
       (SELECT count(*) FROM pg_catalog.pg_stat_activity
        WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()) AS connections,
       (SELECT count(*) FROM pg_catalog.pg_stat_activity
        WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
          AND datname = current_database() AND application_name LIKE 'starling%') AS ours,
       EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'pg_trgm') AS has_trigrams;

-- name: audit_waiting
-- How many entries of the audit log wait for the chain, and for how many seconds the first of them.
SELECT count(*) AS waiting,
       coalesce(extract(epoch FROM clock_timestamp() - min(e.at)), 0)::float8 AS seconds
FROM audit_waiting w JOIN audit_log e ON e.id = w.entry_id;
