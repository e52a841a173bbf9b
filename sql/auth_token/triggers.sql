-- name: revocation
-- Moves the revision of rights when a session or a key that is still honoured ends, whoever ends it. Signing in,
-- refreshing and using a key do not move it, nor does forgetting what has ended.
DROP TRIGGER IF EXISTS move_access_revision ON sessions;
CREATE CONSTRAINT TRIGGER move_access_revision
    AFTER UPDATE OF user_id, credentials_version, expires_at, revoked_at ON sessions
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION move_access_revision();
DROP TRIGGER IF EXISTS move_access_revision_on_delete ON sessions;
CREATE CONSTRAINT TRIGGER move_access_revision_on_delete AFTER DELETE ON sessions
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.revoked_at IS NULL AND OLD.expires_at > now())
    EXECUTE FUNCTION move_access_revision();
DROP TRIGGER IF EXISTS move_access_revision_on_truncate ON sessions;
CREATE TRIGGER move_access_revision_on_truncate AFTER TRUNCATE ON sessions
    FOR EACH STATEMENT EXECUTE FUNCTION move_access_revision();
DROP TRIGGER IF EXISTS move_access_revision ON api_keys;
CREATE CONSTRAINT TRIGGER move_access_revision
    AFTER UPDATE OF user_id, prefix, secret_hash, scopes, expires_at, revoked_at ON api_keys
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION move_access_revision();
DROP TRIGGER IF EXISTS move_access_revision_on_delete ON api_keys;
CREATE CONSTRAINT TRIGGER move_access_revision_on_delete AFTER DELETE ON api_keys
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.revoked_at IS NULL AND (OLD.expires_at IS NULL OR OLD.expires_at > now()))
    EXECUTE FUNCTION move_access_revision();
DROP TRIGGER IF EXISTS move_access_revision_on_truncate ON api_keys;
CREATE TRIGGER move_access_revision_on_truncate AFTER TRUNCATE ON api_keys
    FOR EACH STATEMENT EXECUTE FUNCTION move_access_revision();
