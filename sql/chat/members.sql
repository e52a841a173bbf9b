-- name: of_chats
-- The members of some chats, in the order in which they joined.
SELECT m.chat_id, m.user_id, u.name, m.is_admin, m.can_read, m.can_write, m.can_pin, m.can_invite,
       m.can_delete_others, m.last_read_message_id, m.joined_at
FROM chat_members m
JOIN users u ON u.id = m.user_id
WHERE m.chat_id = ANY ($1::bigint[])
ORDER BY m.chat_id, m.joined_seq, m.id;

-- name: insert
-- New members of a chat, in the order of the arrays: users, the seqs of the events that tell of them,
-- their rights.
INSERT INTO chat_members (chat_id, user_id, joined_seq, is_admin, can_read, can_write, can_pin, can_invite,
                          can_delete_others, last_read_message_id, joined_at)
SELECT $1::bigint, n.user_id, n.seq, n.is_admin, n.can_read, n.can_write, n.can_pin, n.can_invite,
       n.can_delete_others, $10::bigint, $11::timestamptz
FROM unnest($2::bigint[], $3::bigint[],
            $4::bool[], $5::bool[], $6::bool[], $7::bool[], $8::bool[], $9::bool[])
     WITH ORDINALITY
     AS n (user_id, seq, is_admin, can_read, can_write, can_pin, can_invite, can_delete_others, place)
ORDER BY n.place;

-- name: invitation
-- What has to be known to add a user ($3) on behalf of a member ($2) of a locked chat; no row when he is
-- none any more.
SELECT m.can_invite OR m.is_admin AS may_invite, c.archived, c.chat_type, c.last_message_id,
       (SELECT u.name FROM users u WHERE u.id = $3 AND u.active) AS name,
       EXISTS (SELECT 1 FROM chat_members o WHERE o.chat_id = $1 AND o.user_id = $3) AS is_member
FROM chat_members m
JOIN chats c ON c.id = m.chat_id
WHERE m.chat_id = $1 AND m.user_id = $2;

-- name: mark_read
-- Moves the watermark of a member ($2) of a locked chat up to a message ($3), and stores the event of it,
-- if that is allowed, the message is there, and it was not as far already.
WITH asked AS (
    SELECT m.id, m.can_read OR m.is_admin AS may_read, COALESCE(m.last_read_message_id, 0) >= $3 AS was_read,
           EXISTS (SELECT 1 FROM chat_messages t WHERE t.id = $3 AND t.chat_id = $1) AS has_message
    FROM chat_members m
    WHERE m.chat_id = $1 AND m.user_id = $2
), changed AS (
    UPDATE chat_members m SET last_read_message_id = $3
    FROM asked
    WHERE m.id = asked.id AND asked.may_read AND asked.has_message AND NOT asked.was_read
    RETURNING m.chat_id
), event AS (
    INSERT INTO chat_events (chat_id, seq, type, frame, ends, joins, at)
    SELECT chat_id, $4::bigint, 'messages_read', $5::text, '[]', '[]', $6::timestamptz FROM changed
), chat AS (
    UPDATE chats c SET last_seq = $4 FROM changed WHERE c.id = changed.chat_id
)
SELECT may_read, has_message, was_read FROM asked;
