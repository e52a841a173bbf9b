-- What is kept of events, and chats that nobody is in any more. Events of a chat go from the oldest on and leave no
-- hole: which are left has to be told by the first one.

-- name: trim
-- Of $4 chats after an id ($3), the events from before a moment ($1), and those that are more than $2 behind the
-- latest (null: none are), are gone: of each chat the oldest, at most $5. How many, and the last of the chats.
WITH page AS (
    SELECT id, last_seq - $2::bigint AS through FROM chats WHERE id > $3 ORDER BY id LIMIT $4
), expired AS (
    SELECT p.id AS chat_id, max(o.seq) AS through
    FROM page p,
         LATERAL (SELECT seq, at FROM chat_events WHERE chat_id = p.id ORDER BY seq LIMIT 1) AS first,
         LATERAL (SELECT seq, at FROM chat_events WHERE chat_id = p.id ORDER BY seq LIMIT $5) AS o
    WHERE (first.at < $1 OR first.seq <= p.through) AND (o.at < $1 OR o.seq <= p.through)
    GROUP BY p.id
), gone AS (
    DELETE FROM chat_events e USING expired x
    WHERE e.chat_id = x.chat_id AND e.seq <= x.through
    RETURNING 1
)
SELECT (SELECT count(*) FROM gone) AS gone, (SELECT max(id) FROM page) AS last_id;

-- name: gone_chats
-- Chats that nobody is in since before a moment.
SELECT id FROM chats WHERE gone_at < $1 ORDER BY id LIMIT $2;

-- name: remove_messages
-- The first $2 messages of a chat that nobody is in are gone; how many.
WITH gone AS (
    DELETE FROM chat_messages WHERE id IN (
        SELECT t.id FROM chat_messages t
        JOIN chats c ON c.id = t.chat_id AND c.gone_at IS NOT NULL
        WHERE t.chat_id = $1
        ORDER BY t.id
        LIMIT $2)
    RETURNING 1
)
SELECT count(*) FROM gone;

-- name: remove_events
-- The first $2 events of a chat that nobody is in are gone; how many.
WITH gone AS (
    DELETE FROM chat_events WHERE id IN (
        SELECT e.id FROM chat_events e
        JOIN chats c ON c.id = e.chat_id AND c.gone_at IS NOT NULL
        WHERE e.chat_id = $1
        ORDER BY e.seq
        LIMIT $2)
    RETURNING 1
)
SELECT count(*) FROM gone;

-- name: remove_chat
-- A chat that nobody is in is gone; whether it was there.
WITH gone AS (
    DELETE FROM chats WHERE id = $1 AND gone_at IS NOT NULL RETURNING 1
)
SELECT count(*) FROM gone;

-- name: record_chats
-- Chats of records after an id.
SELECT id, res_model, res_id FROM chats WHERE res_model IS NOT NULL AND id > $1 ORDER BY id LIMIT $2;
