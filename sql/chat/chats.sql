-- name: users
-- Names of users, and whether they can sign in.
SELECT id, name, active FROM users WHERE id = ANY ($1::bigint[]);

-- name: create
-- A new chat whose members come next; no row when the direct chat of this pair, or the chat of this record,
-- exists.
INSERT INTO chats (chat_type, name, creator_id, direct_key, last_seq, archived, created_at, active_at,
                   message_count, res_model, res_id)
VALUES ($1, $2, $3, $4, $5, false, now(), now(), 0, $6, $7)
ON CONFLICT DO NOTHING
RETURNING id, created_at;

-- name: direct
-- The direct chat of a pair.
SELECT id FROM chats WHERE direct_key = $1;

-- name: of_record
-- The chat of a record, and whether a user is in it.
SELECT c.id, EXISTS (SELECT 1 FROM chat_members m WHERE m.chat_id = c.id AND m.user_id = $3) AS is_member
FROM chats c
WHERE c.res_model = $1 AND c.res_id = $2;

-- name: page
-- The chats of a user: those that he has pinned, then the others, each part with the newest message first;
-- those behind a place in that order, or all. With $6, only those whose name contains it, or for a direct
-- chat the name or login of the other one.
SELECT c.id, c.active_at, m.pinned_at IS NOT NULL AS is_pinned, c.res_model, c.res_id
FROM chat_members m
JOIN chats c ON c.id = m.chat_id
WHERE m.user_id = $1
      AND ($3::timestamptz IS NULL
           OR (m.pinned_at IS NOT NULL, c.active_at, c.id) < ($2::bool, $3, $4::bigint))
      AND ($6::text IS NULL
           OR strpos(lower(c.name), $6) > 0
           OR c.chat_type = 'direct'
              AND EXISTS (SELECT 1 FROM chat_members o
                          JOIN users u ON u.id = o.user_id
                          WHERE o.chat_id = c.id AND o.user_id <> $1
                                AND (strpos(lower(u.name), $6) > 0 OR strpos(u.login, $6) > 0)))
ORDER BY is_pinned DESC, c.active_at DESC, c.id DESC
LIMIT $5;

-- name: views
-- Chats as a user sees them: himself in it, what he has not read, the last message, and who is in it, in the
-- order in which they joined. All at one moment, that of last_seq: whoever applies the events after it must miss
-- nothing and meet nothing twice. Those he is in, in no order.
SELECT c.id, c.name, c.chat_type, c.description, c.archived, c.creator_id, c.created_at, c.last_seq,
       c.res_model, c.res_id, m.pinned_at IS NOT NULL AS is_pinned, m.can_read OR m.is_admin AS may_read,
       GREATEST(
           c.message_count - m.read_count
           - (SELECT count(*) FROM chat_messages d
              WHERE d.chat_id = c.id AND d.id > COALESCE(m.last_read_message_id, 0)
                    AND d.deleted_at IS NOT NULL),
           0) AS unread,
       (SELECT count(*) FROM chat_mentions n
        WHERE n.user_id = $2 AND n.chat_id = c.id
              AND n.message_id > COALESCE(m.last_read_message_id, 0)) AS mentioned,
       (SELECT json_agg(json_build_object(
                   'user_id', o.user_id, 'name', u.name, 'is_admin', o.is_admin, 'can_read', o.can_read,
                   'can_write', o.can_write, 'can_pin', o.can_pin, 'can_invite', o.can_invite,
                   'can_delete_others', o.can_delete_others,
                   'last_read_message_id', o.last_read_message_id,
                   'joined_at', to_char(o.joined_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
               ORDER BY o.joined_seq, o.id)
        FROM chat_members o
        JOIN users u ON u.id = o.user_id
        WHERE o.chat_id = c.id)::text AS members,
       l.id AS last_id, l.chat_id AS last_chat_id, l.author_id AS last_author_id, l.body AS last_body,
       l.reply_to_id AS last_reply_to_id, l.forwarded_from_id AS last_forwarded_from_id,
       l.pinned AS last_pinned, l.created_at AS last_created_at, l.edited_at AS last_edited_at,
       l.deleted_at AS last_deleted_at, l.reactions AS last_reactions, l.mentions AS last_mentions
FROM chats c
JOIN chat_members m ON m.chat_id = c.id AND m.user_id = $2
LEFT JOIN chat_messages l ON l.id = c.last_message_id
WHERE c.id = ANY ($1::bigint[]);

-- name: standing
-- What a member of a locked chat may do with it as a whole, and what it is like. No row: no member.
SELECT m.is_admin AS may_manage, c.id, c.name, c.chat_type, c.description, c.archived, c.creator_id,
       c.created_at, c.res_model, c.res_id
FROM chat_members m
JOIN chats c ON c.id = m.chat_id
WHERE m.chat_id = $1 AND m.user_id = $2;

-- name: change
-- A locked chat is called, described and archived like this.
UPDATE chats SET name = $2, description = $3, archived = $4 WHERE id = $1;

-- name: members
-- Who is in a locked chat.
SELECT user_id FROM chat_members WHERE chat_id = $1 ORDER BY joined_seq, id;

-- name: advance
-- The stream of a locked chat has come to this number.
UPDATE chats SET last_seq = $2 WHERE id = $1;
