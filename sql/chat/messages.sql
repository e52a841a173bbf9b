-- name: post
-- A message ($3) of a member ($2) in a locked chat, with its event, the author's own watermark and the
-- chat's; unless he has used the nonce ($7) before, may not write, replies to a message ($6) that is not
-- in the chat, or the chat is archived. No row: no member.
WITH asked AS (
    SELECT m.can_write OR m.is_admin AS may_write, c.archived, c.message_count + 1 AS number,
           $6::bigint IS NULL
           OR EXISTS (SELECT 1 FROM chat_messages r WHERE r.id = $6 AND r.chat_id = $1) AS has_reply_to,
           (SELECT f.id FROM chat_messages f
            WHERE f.chat_id = $1 AND f.author_id = $2 AND f.nonce = $7) AS first_id
    FROM chat_members m
    JOIN chats c ON c.id = m.chat_id
    WHERE m.chat_id = $1 AND m.user_id = $2
), message AS (
    INSERT INTO chat_messages (id, chat_id, author_id, body, created_at, reply_to_id, nonce, seq, number,
                               pinned, forwarded_from_id, mentions)
    SELECT $3::bigint, $1::bigint, $2::bigint, $4::text, $5::timestamptz,
           $6::bigint, $7::varchar, $8::bigint, number, false, $10::bigint, $11::jsonb
    FROM asked
    WHERE may_write AND NOT archived AND has_reply_to AND first_id IS NULL
    RETURNING id, chat_id, author_id, created_at, number
), event AS (
    INSERT INTO chat_events (chat_id, seq, type, frame, ends, joins, at)
    SELECT chat_id, $8::bigint, 'new_message', $9::text, '[]', '[]', created_at FROM message
), own AS (
    UPDATE chat_members m SET last_read_message_id = message.id, read_count = message.number
    FROM message
    WHERE m.chat_id = message.chat_id AND m.user_id = message.author_id
), chat AS (
    UPDATE chats c
    SET last_seq = $8, last_message_id = message.id, active_at = message.created_at,
        message_count = message.number
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

-- name: touched
-- A message ($3) and what a member ($2) of its chat may do with it; the columns of the message are null
-- when it is not in the chat. No row: no member.
SELECT m.can_read OR m.is_admin AS may_read, m.can_write OR m.is_admin AS may_write,
       m.can_delete_others OR m.is_admin AS may_delete_others, c.archived, c.res_model, c.res_id,
       t.id, t.chat_id, t.author_id, t.body, t.reply_to_id, t.forwarded_from_id, t.pinned, t.created_at,
       t.edited_at, t.deleted_at, t.reactions, t.mentions, t.seq
FROM chat_members m
JOIN chats c ON c.id = m.chat_id
LEFT JOIN chat_messages t ON t.id = $3 AND t.chat_id = m.chat_id
WHERE m.chat_id = $1 AND m.user_id = $2;

-- name: edit
-- A message ($2) of a locked chat says something else ($3), and what it said is kept; with the event.
WITH before AS (
    INSERT INTO chat_edits (message_id, body, written_at, seq)
    SELECT t.id, t.body, COALESCE(t.edited_at, t.created_at), $6::bigint FROM chat_messages t WHERE t.id = $2
), changed AS (
    UPDATE chat_messages SET body = $3, edited_at = $4, mentions = $5::jsonb WHERE id = $2
), event AS (
    INSERT INTO chat_events (chat_id, seq, type, frame, ends, joins, at)
    VALUES ($1, $6, 'message_edited', $7, '[]', '[]', $4)
)
UPDATE chats SET last_seq = $6 WHERE id = $1;

-- name: delete
-- A message ($2) of a locked chat says nothing any more, nor do its older versions and the events that
-- told of them; with the event.
WITH told AS (
    SELECT seq FROM chat_messages WHERE id = $2
    UNION ALL
    SELECT seq FROM chat_edits WHERE message_id = $2
), silenced AS (
    UPDATE chat_events e
    SET frame = jsonb_set(jsonb_set(e.frame::jsonb, '{message,body}', '""'), '{message,mentions}', '[]')::text
    FROM told
    WHERE e.chat_id = $1 AND e.seq = told.seq
), forgotten AS (
    DELETE FROM chat_edits WHERE message_id = $2
), unmentioned AS (
    DELETE FROM chat_mentions WHERE message_id = $2
), changed AS (
    UPDATE chat_messages
    SET body = '', deleted_at = $3, pinned = false, reactions = '[]', mentions = '[]'
    WHERE id = $2
), event AS (
    INSERT INTO chat_events (chat_id, seq, type, frame, ends, joins, at)
    VALUES ($1, $4, 'message_deleted', $5, '[]', '[]', $3)
)
UPDATE chats SET last_seq = $4 WHERE id = $1;

-- name: react
-- A message ($2) of a locked chat has these reactions ($3); with the event.
WITH changed AS (
    UPDATE chat_messages SET reactions = $3::jsonb WHERE id = $2
), event AS (
    INSERT INTO chat_events (chat_id, seq, type, frame, ends, joins, at)
    VALUES ($1, $4, 'reaction_update', $5, '[]', '[]', $6)
)
UPDATE chats SET last_seq = $4 WHERE id = $1;

-- name: logins
-- Which of these logins are of members of a chat.
SELECT u.login, u.id FROM users u
JOIN chat_members m ON m.user_id = u.id
WHERE m.chat_id = $1 AND u.login = ANY ($2::varchar[]);

-- name: mention
-- A message ($2) mentions these users, and nobody else.
WITH others AS (
    DELETE FROM chat_mentions WHERE message_id = $2 AND NOT user_id = ANY ($3::bigint[])
)
INSERT INTO chat_mentions (chat_id, message_id, user_id)
SELECT $1::bigint, $2::bigint, unnest($3::bigint[])
ON CONFLICT DO NOTHING;

-- name: one
-- One message of a chat, and the seq of the event that told of it.
SELECT id, chat_id, author_id, body, reply_to_id, forwarded_from_id, pinned, created_at, edited_at,
       deleted_at, reactions, mentions, seq
FROM chat_messages
WHERE chat_id = $1 AND id = $2;

-- name: versions
-- What a message said before it was edited, newest first.
SELECT body, written_at FROM chat_edits WHERE message_id = $1 ORDER BY id DESC LIMIT $2;

-- name: newest
-- Messages of a chat between two ids (both excluded), the newest of them, newest first.
SELECT id, chat_id, author_id, body, reply_to_id, forwarded_from_id, pinned, created_at, edited_at,
       deleted_at, reactions, mentions
FROM chat_messages
WHERE chat_id = $1 AND id > $2 AND id < $3
ORDER BY id DESC
LIMIT $4;

-- name: following
-- Messages of a chat after an id, the ones that follow it, oldest first.
SELECT id, chat_id, author_id, body, reply_to_id, forwarded_from_id, pinned, created_at, edited_at,
       deleted_at, reactions, mentions
FROM chat_messages
WHERE chat_id = $1 AND id > $2
ORDER BY id
LIMIT $3;

-- name: pinned
-- The newest pinned messages of a chat, newest first.
SELECT id, chat_id, author_id, body, reply_to_id, forwarded_from_id, pinned, created_at, edited_at,
       deleted_at, reactions, mentions
FROM chat_messages
WHERE chat_id = $1 AND pinned
ORDER BY id DESC
LIMIT $2;
