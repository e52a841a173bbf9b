-- name: table
-- What was done when. A job is claimed by a lease: whoever dies in the middle of it loses it with the time. The clock
-- is the database's alone.
CREATE TABLE IF NOT EXISTS scheduled_jobs (
    name text PRIMARY KEY,
    interval_seconds double precision NOT NULL,
    due_at timestamptz NOT NULL,
    claim uuid,
    claimed_until timestamptz,
    started_at timestamptz,
    finished_at timestamptz,
    runs bigint NOT NULL DEFAULT 0,
    failures_in_a_row integer NOT NULL DEFAULT 0,
    last_error text
);

-- name: announce
-- Job $1 is done every $2 seconds. A new one is due at once; a shorter interval brings the next time nearer.
INSERT INTO scheduled_jobs (name, interval_seconds, due_at)
VALUES ($1, $2::float8, clock_timestamp())
ON CONFLICT (name) DO UPDATE
SET interval_seconds = EXCLUDED.interval_seconds,
    due_at = least(scheduled_jobs.due_at, clock_timestamp() + make_interval(secs => EXCLUDED.interval_seconds))
WHERE scheduled_jobs.interval_seconds <> EXCLUDED.interval_seconds;

-- name: claim
-- Take one of the jobs $1 that is due and that nobody does, for as long as $2 says for it, under the claim $3. Of
-- several processes that ask at the same moment each gets another one.
UPDATE scheduled_jobs j
SET claim = $3::uuid, started_at = clock_timestamp(),
    claimed_until = clock_timestamp() + make_interval(secs => l.seconds)
FROM (
    SELECT d.name, w.seconds
    FROM scheduled_jobs d JOIN unnest($1::text[], $2::float8[]) AS w (name, seconds) ON w.name = d.name
    WHERE d.due_at <= clock_timestamp() AND (d.claimed_until IS NULL OR d.claimed_until < clock_timestamp())
    ORDER BY d.due_at
    LIMIT 1
    FOR UPDATE OF d SKIP LOCKED
) AS l
WHERE j.name = l.name
RETURNING j.name;

-- name: finish
-- The job claimed as $1 is done; $2 is what went wrong, null when nothing did. A claim that was lost changes nothing.
UPDATE scheduled_jobs
SET claim = NULL, claimed_until = NULL, finished_at = clock_timestamp(), runs = runs + 1,
    due_at = clock_timestamp() + make_interval(secs => interval_seconds),
    failures_in_a_row = CASE WHEN $2::text IS NULL THEN 0 ELSE failures_in_a_row + 1 END,
    last_error = $2::text
WHERE claim = $1::uuid;

-- name: release
-- The job claimed as $1 was not done to its end: it is still due.
UPDATE scheduled_jobs SET claim = NULL, claimed_until = NULL WHERE claim = $1::uuid;

-- name: next_due
-- In how many seconds the first of the jobs $1 can be claimed.
SELECT min(extract(epoch FROM greatest(due_at, coalesce(claimed_until, due_at)) - clock_timestamp()))::float8
FROM scheduled_jobs WHERE name = ANY ($1::text[]);

-- name: state
-- Every job as it stands, for people.
SELECT name, interval_seconds, extract(epoch FROM clock_timestamp() - due_at)::float8 AS overdue_seconds,
       claimed_until > clock_timestamp() AS is_running, finished_at, runs, failures_in_a_row, last_error
FROM scheduled_jobs ORDER BY name;

-- name: has_table
-- Whether there is a schedule in this schema.
SELECT to_regclass('scheduled_jobs') IS NOT NULL;
