-- Searching what was said. `words` of a message are its words, and its chat as one more ('#7'), so that the
-- index alone finds the few messages of a chat among the many that have a common word. A message that was
-- deleted has no words and no text. All of these give ids, the newest first, of messages before an id ($2). A
-- question without a word that has to be there, only signs or only what must not be there, finds nothing by words:
-- its `querytree` is empty, or T.

-- name: worded_in_chats
-- Messages of a few chats ($1, as words $4) that have the words ($3), at most $5.
WITH found AS MATERIALIZED (
    SELECT t.id, t.chat_id FROM chat_messages t
    WHERE t.words @@ (websearch_to_tsquery('russian', $3) && $4::text::tsquery) AND t.id < $2
          AND querytree(websearch_to_tsquery('russian', $3)) NOT IN ('', 'T')
)
SELECT id FROM found WHERE chat_id = ANY ($1::bigint[]) ORDER BY id DESC LIMIT $5;

-- name: worded
-- Messages of some chats ($1) that have the words ($3), at most $4.
WITH found AS MATERIALIZED (
    SELECT t.id, t.chat_id FROM chat_messages t
    WHERE t.words @@ websearch_to_tsquery('russian', $3) AND t.id < $2
          AND querytree(websearch_to_tsquery('russian', $3)) NOT IN ('', 'T')
)
SELECT id FROM found WHERE chat_id = ANY ($1::bigint[]) ORDER BY id DESC LIMIT $4;

-- name: texted
-- Messages of some chats ($1) that have the text ($3, a pattern), at most $4. It takes the index of trigrams.
WITH found AS MATERIALIZED (
    SELECT t.id, t.chat_id FROM chat_messages t WHERE t.body ILIKE $3 AND t.id < $2
)
SELECT id FROM found WHERE chat_id = ANY ($1::bigint[]) ORDER BY id DESC LIMIT $4;

-- name: recently_texted_in_chats
-- Of the newest $4 messages of each of some chats ($1), those that have the text ($3, in lower case), at most
-- $5.
SELECT t.id
FROM unnest($1::bigint[]) AS c (id),
     LATERAL (SELECT m.id, m.body FROM chat_messages m
              WHERE m.chat_id = c.id AND m.id < $2
              ORDER BY m.id DESC
              LIMIT $4) AS t
WHERE strpos(lower(t.body), $3) > 0
ORDER BY t.id DESC
LIMIT $5;

-- name: recent
-- Of the newest $5 messages, whatever their chat, those of some chats ($1) that have the words ($3) or the text
-- ($4, in lower case), at most $6.
SELECT t.id
FROM (SELECT * FROM chat_messages WHERE id < $2 ORDER BY id DESC LIMIT $5) AS t
WHERE t.chat_id = ANY ($1::bigint[])
      AND (t.words @@ websearch_to_tsquery('russian', $3)
           AND querytree(websearch_to_tsquery('russian', $3)) NOT IN ('', 'T')
           OR strpos(lower(t.body), $4) > 0)
ORDER BY t.id DESC
LIMIT $6;

-- name: horizon
-- The oldest of the newest $1 messages before an id.
SELECT min(id) FROM (SELECT id FROM chat_messages WHERE id < $2 ORDER BY id DESC LIMIT $1) AS newest;

-- name: found
-- Messages by their ids, newest first, of chats that a user ($2) may read now, too.
SELECT t.id, t.chat_id, t.author_id, t.body, t.reply_to_id, t.forwarded_from_id, t.pinned, t.created_at,
       t.edited_at, t.deleted_at, t.reactions, t.mentions
FROM chat_messages t
JOIN chat_members m ON m.chat_id = t.chat_id AND m.user_id = $2 AND (m.can_read OR m.is_admin)
WHERE t.id = ANY ($1::bigint[]) AND t.deleted_at IS NULL
ORDER BY t.id DESC;

-- name: plan_for_each
-- The statements of this transaction are planned for their parameters: a plan that fits any word takes seconds
-- for one that is everywhere.
SELECT set_config('plan_cache_mode', 'force_custom_plan', true);
