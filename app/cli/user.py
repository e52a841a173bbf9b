"""`starling user`: users, whether or not `starling serve` runs."""

import argparse
import asyncio
import getpass
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import msgspec

from app.cli.output import print_json, print_table
from app.core.environment import Environment
from app.core.errors import StartError
from app.main import create_app
from app.project_setup import Apps, Models, Settings
from app.server.borrowed import borrowed_database
from orm.errors import Invalid
from services.security.app import SecurityService
from services.users import actions
from services.users.models import User
from services.users.rules import canonical_login

_CONNECTIONS = 2


class UserLine(msgspec.Struct, frozen=True):
    """A user as a line of the list, and as what a change answers. `roles` are codes."""

    id: int
    login: str
    name: str
    is_admin: bool
    active: bool
    roles: list[str]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the actions with their arguments."""
    commands = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    create = commands.add_parser("create", help="make a user")
    create.add_argument("login", metavar="LOGIN")
    create.add_argument("--name", help="as others see the user (default: the login)")
    create.add_argument(
        "--role",
        metavar="CODE",
        action="extend",
        nargs="+",
        default=[],
        help="roles besides base_user",
    )
    create.add_argument("--admin", action="store_true", help="may do everything")
    passwd = commands.add_parser("passwd", help="give a user a new password; all his sessions end")
    passwd.add_argument("login", metavar="LOGIN")
    for one in (create, passwd):
        one.add_argument(
            "--password-stdin", action="store_true", help="read the password from standard input, one line"
        )
    listing = commands.add_parser("list", help="list all users")
    disable = commands.add_parser("disable", help="a user cannot sign in any more; all his sessions end")
    disable.add_argument("login", metavar="LOGIN")
    for one in (create, passwd, listing, disable):
        one.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Do it; 2 when a password is needed and there is nobody to ask."""
    password = ""
    if arguments.action in ("create", "passwd"):
        if not (arguments.password_stdin or sys.stdin.isatty()):
            print(
                "starling: there is no terminal to ask for a password: add --password-stdin", file=sys.stderr
            )
            return 2
        password = _read_password() if arguments.password_stdin else _ask_for_password()
    settings = Settings.load()
    with borrowed_database(settings) as url:
        asyncio.run(_run(arguments, settings, url, password))
    return 0


async def _run(arguments: argparse.Namespace, settings: Settings, url: str, password: str) -> None:
    async with _environment(settings, url) as env:
        with env.system(), _told_by_name():
            if arguments.action == "list":
                _print_list(await _lines(), as_json=arguments.json)
                return
            user_id, done = await _change(arguments, password)
            (line,) = await _lines(user_id)
    if arguments.json:
        print_json(line)
    else:
        print(f"user {line.login} (id {line.id}) {done}")


async def _change(arguments: argparse.Namespace, password: str) -> tuple[int, str]:
    """The id of the user that was made or changed, and what was done."""
    if arguments.action == "create":
        user = await actions.create_user(
            login=arguments.login,
            name=arguments.name,
            password=password,
            is_admin=arguments.admin,
            role_ids=sorted(await actions.role_ids_of_codes(arguments.role)),
        )
        return user.id, "is made"
    user_id = await _id_of(arguments.login)
    if arguments.action == "passwd":
        await actions.set_password(user_id, password)
        return user_id, "has a new password; all sessions have ended"
    await actions.disable_user(user_id)
    return user_id, "is disabled; all sessions have ended"


async def _id_of(login: str) -> int:
    found = await User.search([("login", "=", canonical_login(login))], ["id"], limit=1)
    if not found:
        raise StartError(f"there is no user {login!r}: `starling user list` shows all of them")
    return found[0].id


async def _lines(user_id: int | None = None) -> list[UserLine]:
    """One user, or all of them by login."""
    wanted = [] if user_id is None else [("id", "=", user_id)]
    fields = ["id", "login", "name", "is_admin", "active", "role_ids.code"]
    return [
        UserLine(
            user.id,
            user.login,
            user.name,
            user.is_admin,
            user.active,
            sorted(role.code for role in user.role_ids),
        )
        for user in await User.search(wanted, fields, order="login")
    ]


def _print_list(lines: list[UserLine], *, as_json: bool) -> None:
    if as_json:
        print_json({"data": lines})
        return
    for_people = [
        (
            str(line.id),
            line.login,
            line.name,
            "administrator" if line.is_admin else "",
            "" if line.active else "disabled",
            ", ".join(line.roles),
        )
        for line in lines
    ]
    print_table([("id", "login", "name", "rights", "state", "roles"), *for_people])


@asynccontextmanager
async def _environment(settings: Settings, url: str) -> AsyncIterator[Environment]:
    """An environment with a database, users and roles to begin with, that answers no requests."""
    database = msgspec.structs.replace(settings.database, url=url, pool_min=1, pool_max=_CONNECTIONS)
    logger = msgspec.structs.replace(settings.logger, level="warning")
    env = Environment(msgspec.structs.replace(settings, database=database, logger=logger), Models, Apps)
    app = create_app(env)
    with env.bind():
        try:
            await env.setup_services()
            await env.start_services_before(app)
            # Roles for new users are there then. Not the rest of post-init: it would make an administrator
            # with a random password, and the one who is about to be made may be the first.
            await env.service(SecurityService).post_init(app)
            yield env
        finally:
            await env.stop_services(app)


@contextmanager
def _told_by_name() -> Iterator[None]:
    """What is wrong with a value is said with the name of the value, there being no JSON to point into."""
    try:
        yield
    except Invalid as error:
        if not error.errors:
            raise
        places = (f"{place.pointer.removeprefix('/')}: {place.message}" for place in error.errors)
        raise StartError("; ".join(places)) from error


def _read_password() -> str:
    return sys.stdin.readline().rstrip("\r\n")


def _ask_for_password() -> str:
    password = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != password:
        raise StartError("the two passwords are not the same: nothing was changed")
    return password
