-- name: read
-- How often anything that sessions or rights rest on was changed, and how often rights themselves were.
SELECT coalesce(max(revision), 0) AS revision, coalesce(max(rights_revision), 0) AS rights_revision
FROM access_revisions WHERE id = 1;

-- name: move_function
-- The function of triggers on every table that sessions or rights rest on; with an argument, rights
-- themselves. Triggers are deferred to the commit: the row stays locked for a moment only, and is the last
-- lock that a transaction takes. Once a transaction has moved the revision, doing so again says nothing new.
CREATE OR REPLACE FUNCTION move_access_revision() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO access_revisions AS stored (id, revision, rights_revision) VALUES (1, 1, TG_NARGS)
    ON CONFLICT (id) DO UPDATE
    SET revision = stored.revision + 1, rights_revision = stored.rights_revision + TG_NARGS
    WHERE TG_NARGS > 0 OR stored.xmin::text <> pg_current_xact_id()::xid::text;
    RETURN NULL;
END $$;

-- name: triggers
-- Moves the revision of rights with every change of them, whoever makes it.
DROP TRIGGER IF EXISTS move_access_revision ON roles;
CREATE CONSTRAINT TRIGGER move_access_revision AFTER INSERT OR UPDATE OR DELETE ON roles
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION move_access_revision('rights');
DROP TRIGGER IF EXISTS move_access_revision ON role_bases;
CREATE CONSTRAINT TRIGGER move_access_revision AFTER INSERT OR UPDATE OR DELETE ON role_bases
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION move_access_revision('rights');
DROP TRIGGER IF EXISTS move_access_revision ON access_lists;
CREATE CONSTRAINT TRIGGER move_access_revision AFTER INSERT OR UPDATE OR DELETE ON access_lists
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION move_access_revision('rights');
DROP TRIGGER IF EXISTS move_access_revision ON rules;
CREATE CONSTRAINT TRIGGER move_access_revision AFTER INSERT OR UPDATE OR DELETE ON rules
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION move_access_revision('rights');
