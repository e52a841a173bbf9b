-- Lets a role of its own serve: it writes every table and adds to the log, but owns nothing, so that it can neither
-- change the log nor switch a trigger off. Run it once, after the first start, as the role that owns the tables:
--
--     CREATE ROLE starling_app LOGIN PASSWORD '...';
--     \i sql/audit/role.sql
--
-- With AUDIT__RETENTION_DAYS it has to be let do that one thing more: GRANT EXECUTE ON FUNCTION audit_trim() TO starling_app;
-- whoever holds it can remove entries, though never without an entry that says so.
--
-- Tables that the owner makes later are granted by themselves. The owner starts Starling after an upgrade (or runs
-- `starling migrate apply`), because this role cannot change the schema; starling_app is the role of DATABASE__URL.

-- name: grant_app
-- Gives the role starling_app what serving needs, in the current schema.
DO $$
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO starling_app', current_schema());
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO starling_app', current_schema());
    EXECUTE format(
        'ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO starling_app',
        current_schema()
    );
END $$;

-- name: revoke_audit
-- Of the log it adds entries and links, and takes out of the queue what is chained; all else belongs to the owner.
REVOKE UPDATE, DELETE ON audit_log, audit_chain FROM starling_app;
REVOKE INSERT, UPDATE ON audit_waiting FROM starling_app;
