import re
from pathlib import Path

import pytest

from app.core.errors import SettingsError
from app.core.settings import catalog, check
from app.http.settings import HttpSettings
from app.project_setup import Apps, Settings
from app.realtime.settings import PubSubSettings

ROOT = Path(__file__).parents[3]

# What people may rely on: these names, and these defaults.
CONTRACT = {
    "DATA_DIR": Path(".starling"),
    "DATABASE__URL": None,
    "DATABASE__LISTEN_URL": None,
    "DATABASE__POOLER": False,
    "DATABASE__POOL_MIN": 1,
    "DATABASE__POOL_MAX": 10,
    "DATABASE__POOL_WAIT_SECONDS": 2,
    "DATABASE__STATEMENT_TIMEOUT_SECONDS": 10,
    "HTTP__HOST": "127.0.0.1",
    "HTTP__PORT": 8000,
    "HTTP__WORKERS": 1,
    "HTTP__MAX_BODY_BYTES": 1048576,
    "HTTP__MAX_HEADER_BYTES": 65536,
    "HTTP__HEADER_TIMEOUT_SECONDS": 10,
    "HTTP__BODY_TIMEOUT_SECONDS": 30,
    "HTTP__MAX_CONNECTIONS_PER_ADDRESS": 1000,
    "HTTP__CORS_ORIGINS": (),
    "HTTP__TRUSTED_PROXIES": (),
    "HTTP__ALLOWED_HOSTS": ("*",),
    "HTTP__STOP_SECONDS": 10,
    "AUTH__SECRET": None,
    "AUTH__ISSUER": "starling",
    "AUTH__AUDIENCE": "starling",
    "AUTH__ACCESS_TTL_SECONDS": 900,
    "AUTH__REFRESH_TTL_SECONDS": 2592000,
    "AUTH__IDLE_TTL_SECONDS": 604800,
    "AUTH__ADMIN_LOGIN": "admin",
    "AUTH__ADMIN_PASSWORD": None,
    "PUBSUB__BACKEND": "postgres",
    "PUBSUB__URL": None,
    "CHAT__EVENT_RETENTION_DAYS": 30,
    "CHAT__MAX_BODY_CHARS": 65536,
    "CHAT__SOCKETS_PER_USER": 20,
    "CHAT__FRAMES_PER_SECOND": 50,
    "LOGGER__LEVEL": "info",
    "LOGGER__FORMAT": "text",
}


def test_the_promised_settings_are_there_with_their_defaults() -> None:
    settings = Settings()
    defaults = {setting.name: setting.value_in(settings) for setting in catalog(Settings)}

    assert {name: defaults[name] for name in CONTRACT} == CONTRACT


def test_the_defaults_keep_their_own_limits() -> None:
    check(Settings())


def test_every_secret_is_marked_as_one() -> None:
    assert {setting.name for setting in catalog(Settings) if setting.is_secret} == {
        "AUTH__SECRET",
        "AUTH__ADMIN_PASSWORD",
    }


def test_a_broker_in_memory_does_not_go_with_several_workers() -> None:
    memory = PubSubSettings(backend="memory")
    check(Settings(pubsub=memory))

    with pytest.raises(
        SettingsError, match=r"PUBSUB__BACKEND is memory.*HTTP__WORKERS is 2: take postgres, or one worker"
    ):
        check(Settings(pubsub=memory, http=HttpSettings(workers=2)))


def test_every_listed_service_is_installed_and_listed_once() -> None:
    names = [package.rpartition(".")[2] for package in Apps.installed]
    listed = [*Apps.services_before, *Apps.services_after]

    assert len(set(listed)) == len(listed)
    assert set(listed) <= set(names)


def test_every_setting_stands_in_the_readme() -> None:
    named = set(re.findall(r"\b[A-Z]+_[A-Z_]+\b", (ROOT / "README.md").read_text(encoding="utf-8")))

    assert sorted({setting.name for setting in catalog(Settings)} - named) == []
