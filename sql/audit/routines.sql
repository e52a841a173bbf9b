-- name: tables
-- The chain over the log, and which entries are not in it yet. They belong to the triggers and to the one who closes
-- the chain: nothing else reads or writes them, so no model stands for them. What waited leaves dead rows behind, which
-- are to be cleared away by their number, not by their share of a table that is mostly empty.
CREATE TABLE IF NOT EXISTS audit_chain (
    position bigint PRIMARY KEY,
    entry_id bigint NOT NULL UNIQUE,
    hash bytea NOT NULL CHECK (length(hash) = 32)
);
CREATE TABLE IF NOT EXISTS audit_waiting (entry_id bigint PRIMARY KEY)
    WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- name: refuse_function
-- What is written stays: refuses whatever would change or remove it, but for audit_trim.
CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('starling.audit_trim', true) = 'on' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '% of % is refused: the audit log is only ever added to', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'object_not_in_prerequisite_state';
END $$;

-- name: stamp_function
-- When an entry was written and by which database role is not for its writer to say.
CREATE OR REPLACE FUNCTION audit_stamp() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.at := clock_timestamp();
    NEW.database_role := session_user;
    RETURN NEW;
END $$;

-- name: enqueue_function
-- A new entry waits for the chain. In the transaction of the entry: one becomes visible with the other.
CREATE OR REPLACE FUNCTION audit_enqueue() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO audit_waiting (entry_id) VALUES (NEW.id);
    RETURN NULL;
END $$;

-- name: trim_function
-- Removes the oldest entries and their links: up to the last position that an entry in the chain announces, together with
-- the hash that is there. From then on the chain begins behind that position. Says how many entries were removed.
CREATE OR REPLACE FUNCTION audit_trim() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    last bigint;
    removed bigint;
BEGIN
    SELECT max(announced.position) INTO last
    FROM audit_log e
    JOIN audit_chain own ON own.entry_id = e.id
    JOIN audit_chain announced ON announced.position = e.record_id AND announced.position < own.position
         AND encode(announced.hash, 'hex') = e.details ->> 'hash'
    WHERE e.model = 'audit_chain' AND e.action = 'audit_trim';
    PERFORM set_config('starling.audit_trim', 'on', true);
    WITH links AS (DELETE FROM audit_chain WHERE position <= last RETURNING entry_id)
    DELETE FROM audit_log WHERE id IN (SELECT entry_id FROM links);
    GET DIAGNOSTICS removed = ROW_COUNT;
    PERFORM set_config('starling.audit_trim', '', true);
    RETURN removed;
END $$;

-- name: row_function
-- Writes down a change of one row (or that a table was emptied). Its arguments are columns whose values are nobody's
-- business: they are shown as [redacted], and still that they changed. Whoever may write the table is logged, without
-- any right on the log. Texts made of values do not depend on what the session has set.
CREATE OR REPLACE FUNCTION audit_row() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET timezone = 'UTC' SET bytea_output = 'hex' SET extra_float_digits = 1
AS $$
DECLARE
    old_row jsonb;
    new_row jsonb;
    row_id bigint;
BEGIN
    IF TG_OP IN ('UPDATE', 'DELETE') THEN
        old_row := to_jsonb(OLD);
    END IF;
    IF TG_OP IN ('UPDATE', 'INSERT') THEN
        new_row := to_jsonb(NEW);
    END IF;
    row_id := (coalesce(old_row, new_row) ->> 'id')::bigint;
    IF TG_OP = 'UPDATE' THEN
        IF old_row = new_row THEN
            RETURN NULL;
        END IF;
        IF row_id IS NOT NULL THEN
            SELECT jsonb_object_agg(o.key, o.value), jsonb_object_agg(n.key, n.value) INTO old_row, new_row
            FROM jsonb_each(old_row) o JOIN jsonb_each(new_row) n ON n.key = o.key
            WHERE n.value <> o.value OR n.key = 'id';
        END IF;
    END IF;
    FOR number IN 0 .. TG_NARGS - 1 LOOP
        IF old_row ? TG_ARGV[number] THEN
            old_row := old_row || jsonb_build_object(TG_ARGV[number], '[redacted]');
        END IF;
        IF new_row ? TG_ARGV[number] THEN
            new_row := new_row || jsonb_build_object(TG_ARGV[number], '[redacted]');
        END IF;
    END LOOP;
    INSERT INTO audit_log (user_id, request_id, action, model, record_id, before, after)
    VALUES (
        nullif(current_setting('starling.user_id', true), '')::bigint,
        nullif(current_setting('starling.request_id', true), ''),
        CASE TG_OP WHEN 'INSERT' THEN 'create' ELSE lower(TG_OP) END,
        TG_TABLE_NAME, row_id, old_row, new_row
    );
    RETURN NULL;
END $$;

-- name: pin_functions
-- The functions find their tables in this schema, whatever the session searches: a temporary table of the same name
-- would take the entries in. And nobody else puts them on tables of his own.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['audit_refuse', 'audit_stamp', 'audit_enqueue', 'audit_trim', 'audit_row'] LOOP
        EXECUTE format('ALTER FUNCTION %1$I.%2$I() SET search_path = %1$I, pg_temp', current_schema(), name);
        EXECUTE format('REVOKE ALL ON FUNCTION %I.%I() FROM PUBLIC', current_schema(), name);
    END LOOP;
END $$;

-- name: guards
-- Puts the triggers on the tables of the log itself. They are not locked where all four are there.
DO $$
BEGIN
    IF 4 > (
        SELECT count(*) FROM pg_trigger
        WHERE tgname IN ('audit_refuse', 'audit_stamp', 'audit_enqueue') AND tgenabled <> 'D'
          AND tgrelid IN ('audit_log'::regclass, 'audit_chain'::regclass)
    ) THEN
        CREATE OR REPLACE TRIGGER audit_refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
            FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
        CREATE OR REPLACE TRIGGER audit_refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_chain
            FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
        CREATE OR REPLACE TRIGGER audit_stamp BEFORE INSERT ON audit_log
            FOR EACH ROW EXECUTE FUNCTION audit_stamp();
        CREATE OR REPLACE TRIGGER audit_enqueue AFTER INSERT ON audit_log
            FOR EACH ROW EXECUTE FUNCTION audit_enqueue();
    END IF;
END $$;

-- name: watch_function
-- From now on exactly the tables that are keys of `wanted` are watched, each value an array of columns to be redacted.
-- A table whose trigger is as it should be is not locked.
CREATE OR REPLACE FUNCTION audit_watch(wanted jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    watched record;
    columns text;
    arguments bytea;
BEGIN
    FOR watched IN
        SELECT t.tgname AS trigger, c.oid::regclass AS name
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE t.tgname IN ('audit_row', 'audit_truncate') AND NOT t.tgisinternal
          AND c.relnamespace = current_schema()::regnamespace AND NOT wanted ? c.relname
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', watched.trigger, watched.name);
    END LOOP;
    FOR watched IN SELECT format('%I.%I', current_schema(), key)::regclass AS name, value FROM jsonb_each(wanted) LOOP
        -- as the catalogue keeps them: each followed by a zero byte
        SELECT coalesce(string_agg(quote_literal(name), ', ' ORDER BY name), ''),
               coalesce(string_agg(convert_to(name, 'UTF8') || '\x00', '' ORDER BY name), '')
        INTO columns, arguments
        FROM jsonb_array_elements_text(watched.value) AS name;
        CONTINUE WHEN 2 = (
            SELECT count(*) FROM pg_trigger t
            WHERE t.tgrelid = watched.name AND t.tgenabled <> 'D'
              AND t.tgfoid = format('%I.audit_row()', current_schema())::regprocedure
              AND (t.tgname = 'audit_truncate' OR t.tgname = 'audit_row' AND t.tgargs = arguments)
        );
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER audit_row AFTER INSERT OR UPDATE OR DELETE ON %s '
            'FOR EACH ROW EXECUTE FUNCTION audit_row(%s)', watched.name, columns
        );
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER audit_truncate BEFORE TRUNCATE ON %s '
            'FOR EACH STATEMENT EXECUTE FUNCTION audit_row()', watched.name
        );
    END LOOP;
END $$;
