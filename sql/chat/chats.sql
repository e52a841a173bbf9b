-- name: users
-- Names of users, and whether they can sign in.
SELECT id, name, active FROM users WHERE id = ANY ($1::bigint[]);

-- name: create
-- A new chat whose members come next; no row when the direct chat of this pair exists.
INSERT INTO chats (chat_type, name, creator_id, direct_key, last_seq, archived, created_at, active_at)
VALUES ($1, $2, $3, $4, $5, false, now(), now())
ON CONFLICT (direct_key) DO NOTHING
RETURNING id, created_at;

-- name: direct
-- The direct chat of a pair.
SELECT id FROM chats WHERE direct_key = $1;

-- name: page
-- The chats of a user, the one with the newest message first: those behind a place in that order, or all.
SELECT c.id, c.active_at
FROM chat_members m
JOIN chats c ON c.id = m.chat_id
WHERE m.user_id = $1 AND ($2::timestamptz IS NULL OR (c.active_at, c.id) < ($2, $3::bigint))
ORDER BY c.active_at DESC, c.id DESC
LIMIT $4;

-- name: views
-- Chats as a user sees them: himself in it, what he has not read, and the last message. Those he is in,
-- in no order.
SELECT c.id, c.name, c.chat_type, c.description, c.archived, c.creator_id, c.created_at, c.last_seq,
       m.can_read OR m.is_admin AS may_read,
       (SELECT count(*) FROM chat_messages u
        WHERE u.chat_id = c.id AND u.id > COALESCE(m.last_read_message_id, 0)
              AND u.deleted_at IS NULL) AS unread,
       l.id AS message_id, l.author_id, CASE WHEN l.deleted_at IS NULL THEN l.body ELSE '' END AS body,
       l.reply_to_id, l.pinned, l.created_at AS said_at, l.edited_at, l.deleted_at
FROM chats c
JOIN chat_members m ON m.chat_id = c.id AND m.user_id = $2
LEFT JOIN chat_messages l ON l.id = c.last_message_id
WHERE c.id = ANY ($1::bigint[]);
