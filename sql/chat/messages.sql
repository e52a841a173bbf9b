-- name: post
-- A message ($3) of a member ($2) in a locked chat, with its event, the author's own watermark and the
-- chat's; unless he has used the nonce ($7) before, may not write, replies to a message ($6) that is not
-- in the chat, or the chat is archived. No row: no member.
WITH asked AS (
    SELECT m.can_write OR m.is_admin AS may_write, c.archived,
           $6::bigint IS NULL
           OR EXISTS (SELECT 1 FROM chat_messages r WHERE r.id = $6 AND r.chat_id = $1) AS has_reply_to,
           (SELECT f.id FROM chat_messages f
            WHERE f.chat_id = $1 AND f.author_id = $2 AND f.nonce = $7) AS first_id
    FROM chat_members m
    JOIN chats c ON c.id = m.chat_id
    WHERE m.chat_id = $1 AND m.user_id = $2
), message AS (
    INSERT INTO chat_messages (id, chat_id, author_id, body, created_at, reply_to_id, nonce, seq, pinned)
    SELECT $3::bigint, $1::bigint, $2::bigint, $4::text, $5::timestamptz,
           $6::bigint, $7::varchar, $8::bigint, false
    FROM asked
    WHERE may_write AND NOT archived AND has_reply_to AND first_id IS NULL
    RETURNING id, chat_id, author_id, created_at
), event AS (
    INSERT INTO chat_events (chat_id, seq, type, frame, ends, joins, at)
    SELECT chat_id, $8::bigint, 'new_message', $9::text, '[]', '[]', created_at FROM message
), own AS (
    UPDATE chat_members m SET last_read_message_id = message.id
    FROM message
    WHERE m.chat_id = message.chat_id AND m.user_id = message.author_id
), chat AS (
    UPDATE chats c SET last_seq = $8, last_message_id = message.id, active_at = message.created_at
    FROM message
    WHERE c.id = message.chat_id
)
SELECT first_id, may_write, archived, has_reply_to FROM asked;

-- name: pin
-- Pins or unpins ($4) a message ($3) of a locked chat on behalf of a member ($2), with the event; unless
-- he may not, the message is not in the chat or deleted, the chat is archived, or it is so already. No
-- row: no member.
WITH asked AS (
    SELECT m.can_pin OR m.is_admin AS may_pin, c.archived, t.id, t.deleted_at IS NOT NULL AS is_deleted,
           t.pinned = $4 AS is_done
    FROM chat_members m
    JOIN chats c ON c.id = m.chat_id
    LEFT JOIN chat_messages t ON t.id = $3 AND t.chat_id = m.chat_id
    WHERE m.chat_id = $1 AND m.user_id = $2
), changed AS (
    UPDATE chat_messages t SET pinned = $4
    FROM asked
    WHERE t.id = asked.id AND asked.may_pin AND NOT (asked.archived OR asked.is_deleted OR asked.is_done)
    RETURNING t.chat_id
), event AS (
    INSERT INTO chat_events (chat_id, seq, type, frame, ends, joins, at)
    SELECT chat_id, $5::bigint, 'message_pinned', $6::text, '[]', '[]', $7::timestamptz FROM changed
), chat AS (
    UPDATE chats c SET last_seq = $5 FROM changed WHERE c.id = changed.chat_id
)
SELECT may_pin, archived, id IS NOT NULL AS has_message, is_deleted, is_done FROM asked;

-- name: one
-- One message of a chat, and the seq of the event that told of it.
SELECT id, chat_id, author_id, CASE WHEN deleted_at IS NULL THEN body ELSE '' END AS body,
       reply_to_id, pinned, created_at, edited_at, deleted_at, seq
FROM chat_messages
WHERE chat_id = $1 AND id = $2;

-- name: newest
-- Messages of a chat between two ids (both excluded), the newest of them, newest first.
SELECT id, chat_id, author_id, CASE WHEN deleted_at IS NULL THEN body ELSE '' END AS body,
       reply_to_id, pinned, created_at, edited_at, deleted_at
FROM chat_messages
WHERE chat_id = $1 AND id > $2 AND id < $3
ORDER BY id DESC
LIMIT $4;

-- name: following
-- Messages of a chat after an id, the ones that follow it, oldest first.
SELECT id, chat_id, author_id, CASE WHEN deleted_at IS NULL THEN body ELSE '' END AS body,
       reply_to_id, pinned, created_at, edited_at, deleted_at
FROM chat_messages
WHERE chat_id = $1 AND id > $2
ORDER BY id
LIMIT $3;

-- name: pinned
-- The pinned messages of a chat, newest first.
SELECT id, chat_id, author_id, body, reply_to_id, pinned, created_at, edited_at, deleted_at
FROM chat_messages
WHERE chat_id = $1 AND pinned AND deleted_at IS NULL
ORDER BY id DESC;
