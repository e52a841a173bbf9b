"""What `starling doctor` looks at in the database."""

from collections.abc import Iterator

from app.cli.finding import Finding, fail, ok, warn
from app.core.environment import Environment
from app.project_setup import Apps, Models, Settings
from app.server.supervisor import CONNECTIONS_BESIDE_POOL
from orm.database import OLDEST_SERVER, Database
from orm.errors import DatabaseUnavailable
from orm.schema import migrate
from orm.schema.apply import read_difference
from orm.schema.migrations import FOLDER, read_folder
from services.dotorm_databases_postgres.inspection import About, about, audit_backlog
from services.schedule.store import states

_NEWEST_TESTED = 18
_SKEW_SECONDS = 2.0  # tokens are signed here and sessions end by the database's clock
_BACKLOG_SECONDS = 60.0
_LATE_SECONDS = 600.0


async def database_checks(settings: Settings, url: str) -> list[Finding]:
    """One finding for each, or the one that keeps us from the others."""
    try:
        found = await about(url)
    except DatabaseUnavailable as error:
        reason = f"{error} ({error.__cause__})" if error.__cause__ else str(error)
        return [fail("database", reason, "see that PostgreSQL runs and that DATABASE__URL is right")]
    findings = [_version(found), _writable(found), _clock(found), _connections(settings, found)]
    findings += [_pooler(settings, found), _extensions(found)]
    db = Database(url, max_size=1, pooler=settings.database.pooler or found.is_pooled)
    await db.open()
    try:
        findings += await _schema(settings, db)
        findings += await _audit(db)
        findings += await _jobs(db)
    finally:
        await db.close()
    return findings


def _version(found: About) -> Finding:
    if found.major < OLDEST_SERVER:
        return fail("database", f"PostgreSQL {found.major}", f"take PostgreSQL {OLDEST_SERVER} or newer")
    if found.major > _NEWEST_TESTED:
        return warn(
            "database",
            f"PostgreSQL {found.major}",
            f"newer than what is tested, {_NEWEST_TESTED}: look at the log",
        )
    return ok("database", f"it answers: PostgreSQL {found.major}")


def _writable(found: About) -> Finding:
    if found.is_read_only:
        return fail(
            "read-write",
            "the database can only be read",
            "name the primary in DATABASE__URL, or all hosts, separated by commas",
        )
    return ok("read-write", "it can be written to")


def _clock(found: About) -> Finding:
    skew = found.skew_seconds
    if abs(skew) > _SKEW_SECONDS:
        return warn(
            "clock",
            f"the database's clock is {abs(skew):.1f} s {'before' if skew > 0 else 'behind'} ours",
            "let both machines follow NTP",
        )
    return ok("clock", "it agrees with the database's")


def _connections(settings: Settings, found: About) -> Finding:
    workers, pool = settings.http.workers, settings.database.pool_max
    wanted = workers * (pool + CONNECTIONS_BESIDE_POOL)
    free = found.max_connections - found.reserved - (found.connections - found.ours)
    usable = f"{max(free, 0)} of {found.max_connections}"
    detail = f"{workers} workers may want {wanted} connections, and {usable} are free for us"
    if wanted > free and not found.is_pooled:
        return warn(
            "connections",
            detail,
            "lower DATABASE__POOL_MAX or HTTP__WORKERS, raise max_connections, or put a pooler in between",
        )
    return ok("connections", detail)


def _pooler(settings: Settings, found: About) -> Finding:
    if found.is_pooled and not settings.database.pooler:
        return fail(
            "pooler", "DATABASE__URL leads to a pooler", "set DATABASE__POOLER=true and DATABASE__LISTEN_URL"
        )
    if settings.database.pooler and settings.database.listen_url is None:
        return fail(
            "pooler",
            "a pooler carries no notifications",
            "set DATABASE__LISTEN_URL to the PostgreSQL server itself",
        )
    return ok("pooler", "there is one, and it is known" if found.is_pooled else "there is none")


def _extensions(found: About) -> Finding:
    if found.has_trigrams:
        return ok("extensions", "pg_trgm is there: parts of words are found in all messages")
    return warn(
        "extensions",
        "pg_trgm is missing: parts of words are found in the newest messages only",
        "CREATE EXTENSION pg_trgm; then restart",
    )


async def _schema(settings: Settings, db: Database) -> Iterator[Finding]:
    return iter([await _models(settings, db), await _migrations(db)])


async def _models(settings: Settings, db: Database) -> Finding:
    env = Environment(settings, Models, Apps)
    await env.setup_services()
    difference = await read_difference(db, env.registry)
    if difference.obstacles:
        return fail(
            "schema", "; ".join(difference.obstacles), "starling migrate plan, look at it, migrate apply"
        )
    if difference.changes:
        sentences = "; ".join(change.sentence for change in difference.changes)
        return warn("schema", sentences, "starling migrate plan, look at it, migrate apply")
    if difference.safe:
        return ok("schema", f"the next start makes {len(difference.safe)} additions")
    return ok("schema", "; ".join(["it fits the models", *difference.notes]))


async def _migrations(db: Database) -> Finding:
    link = await db.connect()
    try:
        done = await migrate.applied(link)
    finally:
        await link.close()
    waiting = [
        one.file for one in read_folder(FOLDER) if one.number not in done or not done[one.number].is_finished
    ]
    if waiting:
        return warn("migrations", f"{', '.join(waiting)} not applied", "starling migrate apply")
    return ok("migrations", "none waits")


async def _audit(db: Database) -> list[Finding]:
    backlog = await audit_backlog(db)
    if backlog is None:
        return [ok("audit", "there is no audit log yet")]
    detail = f"{backlog.waiting} entries wait for the chain"
    if backlog.waiting and backlog.seconds > _BACKLOG_SECONDS:
        return [
            warn(
                "audit", f"{detail}, the first for {backlog.seconds:.0f} s", "see that `starling serve` runs"
            )
        ]
    return [ok("audit", detail)]


async def _jobs(db: Database) -> list[Finding]:
    found = await states(db)
    failing = [job for job in found if job.failures_in_a_row]
    late = [job for job in found if job.overdue_seconds > max(job.interval_seconds, _LATE_SECONDS)]
    findings = [
        warn("jobs", f"{job.name} failed {job.failures_in_a_row} times: {job.last_error}", "look at the log")
        for job in failing
    ]
    findings += [
        warn("jobs", f"{job.name} is {job.overdue_seconds:.0f} s overdue", "see that `starling serve` runs")
        for job in late
    ]
    return findings or [ok("jobs", f"{len(found)} at intervals, none late and none failing")]
