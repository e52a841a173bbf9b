"""`starling explain`: why a user may, or may not, do something with a model or a row."""

import argparse
import asyncio

import msgspec

from app.cli.output import print_json, print_table
from app.core.environment import Environment
from app.core.errors import StartError
from app.project_setup import Apps, Models, Settings
from app.server.borrowed import borrowed_database
from orm.access import OPERATIONS
from orm.database import Database
from orm.metadata import ModelMeta
from services.security.app import SecurityService
from services.security.explain import Explanation, RuleReason, explain
from services.users.rules import canonical_login


def configure(parser: argparse.ArgumentParser) -> None:
    """Add whom, what, and the format."""
    parser.add_argument("user", metavar="USER", help="login, or id, of the user")
    parser.add_argument("model", metavar="MODEL", help="table, route or name of the model")
    parser.add_argument("operation", metavar="OP", choices=OPERATIONS, help=", ".join(OPERATIONS))
    parser.add_argument("id", metavar="ID", nargs="?", type=int, help="id of a row")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print the reasons; 0 whether or not it is allowed."""
    settings = Settings.load()
    env = Environment(settings, Models, Apps)
    with borrowed_database(settings) as url:
        explanation = asyncio.run(_explain(arguments, env, url))
    if arguments.json:
        print_json(msgspec.to_builtins(explanation))
    else:
        _print(explanation)
    return 0


async def _explain(arguments: argparse.Namespace, env: Environment, url: str) -> Explanation:
    await env.setup_services()
    meta = _model(env, arguments.model)
    db = Database(url, max_size=1)
    db.registry = env.registry
    await db.open()
    try:
        is_id = arguments.user.isascii() and arguments.user.isdigit()
        return await explain(
            db,
            env.service(SecurityService).every_guard,
            meta,
            user_id=int(arguments.user) if is_id else None,
            login=None if is_id else canonical_login(arguments.user),
            id=arguments.id,
            operations=(arguments.operation,),
        )
    finally:
        await db.close()


def _model(env: Environment, name: str) -> ModelMeta:
    found = env.registry.table(name) or next((meta for meta in env.registry if meta.route == name), None)
    if found is None and name in env.registry.names():
        found = env.registry.model(name)
    if found is None:
        known = ", ".join(sorted(meta.table for meta in env.registry))
        raise StartError(f"there is no model {name!r}; there are: {known}")
    return found


def _print(explanation: Explanation) -> None:
    user, (verdict,) = explanation.user, explanation.data
    what = explanation.model if explanation.id is None else f"{explanation.model} {explanation.id}"
    print(f"{user.login} {'may' if verdict.allowed else 'may not'} {verdict.operation} {what}.")
    print(verdict.reason)
    lines = [("role", one.code, "his own" if one.given else "inherited") for one in explanation.roles]
    lines += [(f"access list {one.id}", one.role, "allows" if one.allows else "") for one in verdict.lists]
    lines += [(f"rule {one.id}", one.role or "everybody", _said_of(one)) for one in verdict.rules]
    if verdict.hidden_fields:
        lines.append(("hidden", "", ", ".join(verdict.hidden_fields)))
    if lines:
        print()
        print_table(lines)


def _said_of(rule: RuleReason) -> str:
    if rule.flaw is not None:
        return rule.flaw
    matches = {True: ", lets the row through", False: ", hides the row", None: ""}[rule.matches]
    return f"{rule.name}: {msgspec.json.encode(rule.domain).decode()}{matches}"
