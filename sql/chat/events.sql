-- The stream of a chat. Its writers lock the row of the chat first; what they then see and write is in
-- the order of the stream. `seq` and `at` of a turn are those that the next event gets.

-- name: lock_for_member
-- Locks a chat on behalf of a member; no row when it is not there for this user. The membership is only a
-- sieve that keeps strangers from locking: it may have ended while the lock was waited for, and is looked
-- at again under it.
SELECT c.res_model, c.res_id, c.last_seq + 1 AS seq, clock_timestamp() AS at
FROM chats c
WHERE c.id = $1 AND EXISTS (SELECT 1 FROM chat_members m WHERE m.chat_id = c.id AND m.user_id = $2)
FOR NO KEY UPDATE OF c;

-- name: lock_to_post
-- The same, with the id of the message to come: taken under the lock, so that ids ascend as the stream
-- does.
SELECT c.res_model, c.res_id, c.last_seq + 1 AS seq, clock_timestamp() AS at,
       nextval(pg_get_serial_sequence('chat_messages', 'id')) AS message_id
FROM chats c
WHERE c.id = $1 AND EXISTS (SELECT 1 FROM chat_members m WHERE m.chat_id = c.id AND m.user_id = $2)
FOR NO KEY UPDATE OF c;

-- name: lock
-- Locks a chat on behalf of the program itself.
SELECT c.last_seq + 1 AS seq, clock_timestamp() AS at FROM chats c WHERE c.id = $1 FOR NO KEY UPDATE OF c;

-- name: append
-- Stores the next event of a locked chat.
WITH chat AS (
    UPDATE chats SET last_seq = $2 WHERE id = $1
)
INSERT INTO chat_events (chat_id, seq, type, frame, ends, joins, at) VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: append_all
-- Stores several events of a locked chat, or of a new one: arrays of seqs, types, frames, ends and joins,
-- and the one moment of all of them.
INSERT INTO chat_events (chat_id, seq, type, frame, ends, joins, at)
SELECT $1::bigint, e.seq, e.type, e.frame, e.ends, e.joins, $7::timestamptz
FROM unnest($2::bigint[], $3::text[], $4::text[], $5::jsonb[], $6::jsonb[])
     AS e (seq, type, frame, ends, joins);

-- name: heads
-- How far the streams of these chats reach.
SELECT id, last_seq FROM chats WHERE id = ANY ($1::bigint[]);

-- name: after
-- The events of a chat after a seq, ascending.
SELECT seq, frame, ends, joins FROM chat_events WHERE chat_id = $1 AND seq > $2 ORDER BY seq LIMIT $3;

-- name: between
-- The events of a chat after a seq ($2) up to another one ($3), ascending, at most $4.
SELECT seq, frame FROM chat_events
WHERE chat_id = $1 AND seq > $2 AND seq <= $3
ORDER BY seq
LIMIT $4;

-- name: recent_joins
-- The events by which these users became members who may read in the last seconds, as far as they still
-- are.
SELECT e.chat_id, e.seq, e.frame, e.ends, e.joins
FROM chat_members m
JOIN chat_events e ON e.chat_id = m.chat_id AND e.seq = m.admitted_seq
WHERE m.admitted_at > now() - make_interval(secs => $2) AND m.user_id = ANY ($1::bigint[])
      AND (m.can_read OR m.is_admin)
ORDER BY e.chat_id, e.seq;

-- name: subscribable
-- A chat that a user may listen to, with the head of its stream.
SELECT c.last_seq, m.can_read OR m.is_admin AS may_read, c.res_model, c.res_id
FROM chats c
JOIN chat_members m ON m.chat_id = c.id AND m.user_id = $2
WHERE c.id = $1;

-- name: all_subscribable
-- All chats that a user may listen to, with the heads of their streams; those with the newest message
-- first.
SELECT c.id, c.last_seq, c.res_model, c.res_id
FROM chat_members m
JOIN chats c ON c.id = m.chat_id
WHERE m.user_id = $1 AND (m.can_read OR m.is_admin)
ORDER BY c.active_at DESC, c.id DESC;
