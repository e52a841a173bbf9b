-- name: of_chats
-- The records that some chats are about; chats of no record are absent.
SELECT id, res_model, res_id FROM chats WHERE id = ANY ($1::bigint[]) AND res_model IS NOT NULL;

-- name: moment
-- Which transactions are over and which are not: when that has not changed, nothing was written, whoever by.
SELECT pg_current_snapshot()::text;
