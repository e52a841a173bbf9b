-- The indexes that find words and parts of them: of kinds that models do not declare.

-- name: state
-- Which of them are there, whether trigrams are known to this database and to which schema, and whether the table
-- has less than $1 rows, so that building an index holds nobody up.
SELECT to_regclass('chat_messages_words') IS NOT NULL AS has_words,
       to_regclass('chat_messages_trigrams') IS NOT NULL AS has_trigrams,
       (SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
        WHERE e.extname = 'pg_trgm') AS trigram_schema,
       (SELECT count(*) FROM (SELECT 1 FROM chat_messages LIMIT $1) AS few) < $1 AS is_small;

-- name: lock
-- One process at a time makes them.
SELECT pg_advisory_xact_lock($1);

-- name: words
-- Finds words.
CREATE INDEX IF NOT EXISTS chat_messages_words ON chat_messages USING gin (words);

-- name: trigrams
-- Finds parts of words; the extension's schema need not be in the search path.
CREATE INDEX IF NOT EXISTS chat_messages_trigrams ON chat_messages USING gin (body {schema}.gin_trgm_ops);
