-- name: function
-- Posts a message that mentions nobody, in one statement and so in one transaction: what the statements
-- `lock_to_post` and `post` do one after the other, and in their order. Each statement in here sees what was
-- committed before it began: the one behind the lock every earlier change of the chat.
--
-- `rest` is the JSON of the message without its opening brace, its id and its time, which are found out here.
-- No `new_seq`: no such chat for this author, or where `is_of_record` says so one whose record has to be asked
-- about first. No `new_id`: it was not posted, because `first_id` is the message that had the nonce before, he
-- may not write, the chat is archived, or the message that it replies to is not in it.
CREATE OR REPLACE FUNCTION chat_post(
    in_chat bigint, by_author bigint, said text, reply_to bigint, of_nonce varchar, rest text,
    OUT new_seq bigint, OUT said_at timestamptz, OUT new_id bigint, OUT first_id bigint, OUT may_write boolean,
    OUT is_archived boolean, OUT has_reply_to boolean, OUT is_of_record boolean
) LANGUAGE plpgsql AS $$
DECLARE
    new_number bigint;
    at_text text;
BEGIN
    SELECT c.last_seq + 1, c.message_count + 1, c.archived, c.res_model IS NOT NULL
    INTO new_seq, new_number, is_archived, is_of_record
    FROM chats c
    WHERE c.id = in_chat
          AND EXISTS (SELECT 1 FROM chat_members m WHERE m.chat_id = c.id AND m.user_id = by_author)
    FOR NO KEY UPDATE OF c;
    IF NOT FOUND OR is_of_record THEN
        new_seq := NULL;
        RETURN;
    END IF;

    said_at := clock_timestamp();
    SELECT m.can_write OR m.is_admin INTO may_write
    FROM chat_members m WHERE m.chat_id = in_chat AND m.user_id = by_author;
    IF NOT FOUND THEN
        new_seq := NULL;
        RETURN;
    END IF;
    IF of_nonce IS NOT NULL THEN
        SELECT f.id INTO first_id FROM chat_messages f
        WHERE f.chat_id = in_chat AND f.author_id = by_author AND f.nonce = of_nonce;
    END IF;
    has_reply_to := reply_to IS NULL
        OR EXISTS (SELECT 1 FROM chat_messages r WHERE r.id = reply_to AND r.chat_id = in_chat);
    IF first_id IS NOT NULL OR NOT may_write OR is_archived OR NOT has_reply_to THEN
        RETURN;
    END IF;

    INSERT INTO chat_messages (chat_id, author_id, body, created_at, reply_to_id, nonce, seq, number, pinned,
                               mentions)
    VALUES (in_chat, by_author, said, said_at, reply_to, of_nonce, new_seq, new_number, false, '[]')
    RETURNING id INTO new_id;

    at_text := to_char(said_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
    INSERT INTO chat_events (chat_id, seq, type, frame, ends, joins, at)
    VALUES (in_chat, new_seq, 'new_message',
            '{"type":"new_message","message":{"id":' || new_id || ',"created_at":"' || at_text || '",' || rest
            || ',"chat_id":' || in_chat || ',"seq":' || new_seq || ',"at":"' || at_text || '"}',
            '[]', '[]', said_at);

    UPDATE chat_members m SET last_read_message_id = new_id, read_count = new_number
    WHERE m.chat_id = in_chat AND m.user_id = by_author;
    UPDATE chats c
    SET last_seq = new_seq, last_message_id = new_id, active_at = said_at, message_count = new_number
    WHERE c.id = in_chat;
END $$;

-- name: post
-- See the function.
SELECT new_seq, said_at, new_id, first_id, may_write, is_archived, has_reply_to, is_of_record
FROM chat_post($1, $2, $3, $4, $5, $6);
