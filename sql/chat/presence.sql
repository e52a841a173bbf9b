-- name: online
-- Who of these users ($2; null: of all) is in each of some chats ($1).
SELECT chat_id, array_agg(user_id ORDER BY user_id) AS user_ids
FROM chat_members
WHERE chat_id = ANY ($1::bigint[]) AND ($2::bigint[] IS NULL OR user_id = ANY ($2::bigint[]))
GROUP BY chat_id;

-- name: shared
-- Which of these users ($1) are in which of some chats ($2).
SELECT chat_id, user_id FROM chat_members
WHERE user_id = ANY ($1::bigint[]) AND chat_id = ANY ($2::bigint[])
ORDER BY chat_id, user_id;
