-- name: record
-- An event: $1 who, $2 in which request, $3 what, $4 on which table, $5 and row, $6 anything else about it.
INSERT INTO audit_log (user_id, request_id, action, model, record_id, details) VALUES ($1, $2, $3, $4, $5, $6);
