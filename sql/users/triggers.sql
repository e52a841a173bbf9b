-- name: rights_of_users
-- Moves the revision of rights when anything changes that a verified session says of its user, whoever changes it.
DROP TRIGGER IF EXISTS move_access_revision ON users;
CREATE CONSTRAINT TRIGGER move_access_revision
    AFTER UPDATE OF login, name, is_admin, active, credentials_version ON users
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION move_access_revision();
DROP TRIGGER IF EXISTS move_access_revision_on_delete ON users;
CREATE CONSTRAINT TRIGGER move_access_revision_on_delete AFTER DELETE ON users
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION move_access_revision();
DROP TRIGGER IF EXISTS move_access_revision ON user_roles;
CREATE CONSTRAINT TRIGGER move_access_revision AFTER INSERT OR UPDATE OR DELETE ON user_roles
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION move_access_revision();
DROP TRIGGER IF EXISTS move_access_revision_on_truncate ON user_roles;
CREATE TRIGGER move_access_revision_on_truncate AFTER TRUNCATE ON user_roles
    FOR EACH STATEMENT EXECUTE FUNCTION move_access_revision();
