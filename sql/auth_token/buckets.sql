-- name: charge
-- Charges one failure in advance: to the bucket of the device ($1[1]) where the account knows it ($4, or a session
-- that was opened at the same address with the same user agent), else to that of the address ($1[2]) and then, when
-- that one lets it, to that of the account ($1[3]); where the account is seen to be full from the start, the address
-- pays nothing. For each of them $2 has how many seconds it can be filled for, $3 how many of them a failure takes.
-- Answers which were asked, which refused (0: none), for how many seconds it will, and whether the audit log should
-- hear of it. Buckets that are empty are swept on the way, a few each time.
WITH asked AS (
    SELECT CASE WHEN $4::boolean OR EXISTS (
        SELECT FROM sessions s JOIN users u ON u.id = s.user_id
        WHERE u.login = $5 AND s.address = $6 AND s.user_agent = $7
    ) THEN 1 ELSE 2 END AS first
), full_account AS (
    SELECT FROM sign_in_buckets, asked
    WHERE first = 2 AND key = ($1::bytea[])[3]
        AND empty_at + make_interval(secs => ($3::float8[])[3]) > now() + make_interval(secs => ($2::float8[])[3])
), charged_first AS (
    INSERT INTO sign_in_buckets AS stored (key, empty_at)
    SELECT ($1::bytea[])[first], now() + make_interval(secs => ($3::float8[])[first])
    FROM asked WHERE NOT EXISTS (SELECT FROM full_account)
    ON CONFLICT (key) DO UPDATE SET empty_at = greatest(stored.empty_at, now()) + (excluded.empty_at - now())
    WHERE greatest(stored.empty_at, now()) + (excluded.empty_at - now())
        <= now() + (SELECT make_interval(secs => ($2::float8[])[first]) FROM asked)
    RETURNING stored.key
), charged_account AS (
    INSERT INTO sign_in_buckets AS stored (key, empty_at)
    SELECT ($1::bytea[])[3], now() + make_interval(secs => ($3::float8[])[3])
    FROM charged_first, asked WHERE asked.first = 2
    ON CONFLICT (key) DO UPDATE SET empty_at = greatest(stored.empty_at, now()) + (excluded.empty_at - now())
    WHERE greatest(stored.empty_at, now()) + (excluded.empty_at - now())
        <= now() + make_interval(secs => ($2::float8[])[3])
    RETURNING stored.key
), verdict AS (
    SELECT first, CASE
        WHEN EXISTS (SELECT FROM full_account) THEN 3
        WHEN NOT EXISTS (SELECT FROM charged_first) THEN first
        WHEN first = 2 AND NOT EXISTS (SELECT FROM charged_account) THEN 3
        ELSE 0
    END AS refused FROM asked
), swept AS (  -- after all that one may have to wait for: whoever has swept a row waits for nobody
    DELETE FROM sign_in_buckets WHERE id IN (
        SELECT id FROM sign_in_buckets
        WHERE empty_at < now() AND key <> ALL ($1::bytea[]) AND (SELECT refused FROM verdict) IS NOT NULL
        ORDER BY empty_at LIMIT 10 FOR UPDATE SKIP LOCKED
    )
)
SELECT first, refused,
    extract(epoch FROM b.empty_at - now())::float8 + ($3::float8[])[refused] - ($2::float8[])[refused] AS wait_seconds,
    b.refused_at IS NULL OR b.refused_at < now() - interval '1 hour' AS is_news
FROM verdict LEFT JOIN sign_in_buckets b ON b.key = ($1::bytea[])[refused];

-- name: refund
-- Takes back what was charged to one or two buckets, in the order in which they were charged: whoever waits for a
-- bucket's row holds none that comes later.
WITH refunded AS (
    UPDATE sign_in_buckets SET empty_at = empty_at - make_interval(secs => ($2::float8[])[1])
    WHERE key = ($1::bytea[])[1] RETURNING 1
)
UPDATE sign_in_buckets SET empty_at = empty_at - make_interval(secs => ($2::float8[])[2])
WHERE key = ($1::bytea[])[2] AND (SELECT count(*) FROM refunded) >= 0;

-- name: note_refusal
-- Remembers that the audit log was told of a refusal, if nobody told it within the hour; and the user whom the
-- login belongs to, if any.
UPDATE sign_in_buckets SET refused_at = now()
WHERE key = $1 AND (refused_at IS NULL OR refused_at < now() - interval '1 hour')
RETURNING (SELECT id FROM users WHERE login = $2) AS user_id;
