-- name: insert
-- New members of a chat, in the order of the arrays: users, the seqs of the events that tell of them,
-- their rights. They have read up to a message ($10), which is the last of so many ($12).
INSERT INTO chat_members (chat_id, user_id, joined_seq, is_admin, can_read, can_write, can_pin, can_invite,
                          can_delete_others, last_read_message_id, joined_at, read_count, admitted_at,
                          admitted_seq)
SELECT $1::bigint, n.user_id, n.seq, n.is_admin, n.can_read, n.can_write, n.can_pin, n.can_invite,
       n.can_delete_others, $10::bigint, $11::timestamptz, $12::bigint, $11::timestamptz, n.seq
FROM unnest($2::bigint[], $3::bigint[],
            $4::bool[], $5::bool[], $6::bool[], $7::bool[], $8::bool[], $9::bool[])
     WITH ORDINALITY
     AS n (user_id, seq, is_admin, can_read, can_write, can_pin, can_invite, can_delete_others, place)
ORDER BY n.place;

-- name: invitation
-- What has to be known to add a user ($3) on behalf of a member ($2) of a locked chat; no row when he is
-- none any more.
SELECT m.can_invite OR m.is_admin AS may_invite, c.archived, c.chat_type, c.last_message_id,
       c.message_count,
       (SELECT u.name FROM users u WHERE u.id = $3 AND u.active) AS name,
       EXISTS (SELECT 1 FROM chat_members o WHERE o.chat_id = $1 AND o.user_id = $3) AS is_member
FROM chat_members m
JOIN chats c ON c.id = m.chat_id
WHERE m.chat_id = $1 AND m.user_id = $2;

-- name: arrival
-- What has to be known to let a user ($2) into a locked chat on behalf of the program.
SELECT c.last_message_id, c.message_count,
       EXISTS (SELECT 1 FROM chat_members m WHERE m.chat_id = $1 AND m.user_id = $2) AS is_member
FROM chats c
WHERE c.id = $1;

-- name: writer
-- Whether a member may write in a chat as it is now. No row: no member.
SELECT m.can_write OR m.is_admin AS may_write, c.archived, c.res_model, c.res_id
FROM chat_members m
JOIN chats c ON c.id = m.chat_id
WHERE m.chat_id = $1 AND m.user_id = $2;

-- name: touched
-- A member ($3) of a locked chat on behalf of another one, or of himself ($2), and who would be left
-- without him; his columns are null when he is none. No row: the asker is no member.
SELECT a.is_admin AS may_manage, c.archived, c.chat_type,
       EXISTS (SELECT 1 FROM chat_members o WHERE o.chat_id = $1 AND o.user_id <> $3) AS has_others,
       EXISTS (SELECT 1 FROM chat_members o
               WHERE o.chat_id = $1 AND o.user_id <> $3 AND o.is_admin) AS has_other_admin,
       m.user_id, u.name, m.is_admin, m.can_read, m.can_write, m.can_pin, m.can_invite,
       m.can_delete_others, m.last_read_message_id, m.joined_at
FROM chat_members a
JOIN chats c ON c.id = a.chat_id
LEFT JOIN chat_members m ON m.chat_id = a.chat_id AND m.user_id = $3
LEFT JOIN users u ON u.id = m.user_id
WHERE a.chat_id = $1 AND a.user_id = $2;

-- name: update
-- A member ($2) of a locked chat has these rights. When he may read now and could not before ($9), he may
-- listen from the event $10 on.
UPDATE chat_members
SET is_admin = $3, can_read = $4, can_write = $5, can_pin = $6, can_invite = $7, can_delete_others = $8,
    admitted_seq = CASE WHEN $9 THEN $10::bigint ELSE admitted_seq END,
    admitted_at = CASE WHEN $9 THEN $11::timestamptz ELSE admitted_at END
WHERE chat_id = $1 AND user_id = $2;

-- name: remove
-- A member ($2) of a locked chat is none any more.
DELETE FROM chat_members WHERE chat_id = $1 AND user_id = $2;

-- name: remove_all
-- A locked chat has no members any more.
DELETE FROM chat_members WHERE chat_id = $1;

-- name: abandon
-- A locked chat without members is gone for everybody; what it stood for may have another one.
UPDATE chats SET gone_at = $2, direct_key = NULL, res_model = NULL, res_id = NULL WHERE id = $1;

-- name: pin_chat
-- A member has the chat at the top of his list, or not. No row: no member.
UPDATE chat_members
SET pinned_at = CASE WHEN NOT $3 THEN NULL ELSE COALESCE(pinned_at, now()) END
WHERE chat_id = $1 AND user_id = $2
RETURNING id;

-- name: mark_read
-- Moves the watermark of a member ($2) of a locked chat up to a message ($3), and stores the event of it,
-- if that is allowed, the message is there, and it was not as far already.
WITH asked AS (
    SELECT m.id, m.can_read OR m.is_admin AS may_read, COALESCE(m.last_read_message_id, 0) >= $3 AS was_read,
           (SELECT t.number FROM chat_messages t WHERE t.id = $3 AND t.chat_id = $1) AS number
    FROM chat_members m
    WHERE m.chat_id = $1 AND m.user_id = $2
), changed AS (
    UPDATE chat_members m SET last_read_message_id = $3, read_count = asked.number
    FROM asked
    WHERE m.id = asked.id AND asked.may_read AND asked.number IS NOT NULL AND NOT asked.was_read
    RETURNING m.chat_id
), event AS (
    INSERT INTO chat_events (chat_id, seq, type, frame, ends, joins, at)
    SELECT chat_id, $4::bigint, 'messages_read', $5::text, '[]', '[]', $6::timestamptz FROM changed
), chat AS (
    UPDATE chats c SET last_seq = $4 FROM changed WHERE c.id = changed.chat_id
)
SELECT may_read, number IS NOT NULL AS has_message, was_read FROM asked;
