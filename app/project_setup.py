"""What this project is made of: its settings, its models, its modules. A module of your own gets its line in
here.
"""

from collections.abc import Iterable, Sequence
from typing import ClassVar

import msgspec

from app.core.models import ModelsCore
from app.core.service import AppsCore
from app.core.settings import SettingsCore
from app.http.settings import HttpSettings
from app.realtime.settings import PubSubSettings
from services.audit.models import AuditEntry
from services.audit.settings import AuditSettings
from services.auth_token.models import ApiKey, RefreshToken, SignInBucket, SignInSession
from services.auth_token.settings import AuthSettings
from services.chat.models import Chat, ChatEdit, ChatEvent, ChatMember, ChatMention, ChatMessage
from services.chat.settings import ChatSettings
from services.dotorm_crud_auto.models import IdempotencyKey
from services.dotorm_crud_auto.settings import CrudSettings
from services.dotorm_databases_postgres.settings import DatabaseSettings
from services.logger.settings import LoggerSettings
from services.partners.models import Partner, PartnerCategory
from services.security.models import AccessList, AccessPreset, AccessRevision, Role, Rule
from services.users.models import User


class Settings(SettingsCore, frozen=True, kw_only=True):
    """Every setting of the project; `database: DatabaseSettings` is read from DATABASE__*, and so on."""

    database: DatabaseSettings = msgspec.field(default_factory=DatabaseSettings)
    http: HttpSettings = msgspec.field(default_factory=HttpSettings)
    auth: AuthSettings = msgspec.field(default_factory=AuthSettings)
    pubsub: PubSubSettings = msgspec.field(default_factory=PubSubSettings)
    chat: ChatSettings = msgspec.field(default_factory=ChatSettings)
    crud: CrudSettings = msgspec.field(default_factory=CrudSettings)
    audit: AuditSettings = msgspec.field(default_factory=AuditSettings)
    logger: LoggerSettings = msgspec.field(default_factory=LoggerSettings)

    def problems(self) -> Iterable[str]:
        """Contradictions between sections."""
        if self.pubsub.backend == "memory" and self.http.workers > 1:
            yield (
                "PUBSUB__BACKEND is memory, which reaches one process only, "
                f"and HTTP__WORKERS is {self.http.workers}: take postgres, or one worker"
            )


class Models(ModelsCore):
    """The models of the project. Each one gets its table, and its API unless it says otherwise."""

    user = User
    role = Role
    access_list = AccessList
    rule = Rule
    access_preset = AccessPreset
    access_revision = AccessRevision
    audit_entry = AuditEntry
    sign_in_session = SignInSession
    refresh_token = RefreshToken
    sign_in_bucket = SignInBucket
    api_key = ApiKey
    chat = Chat
    chat_member = ChatMember
    chat_message = ChatMessage
    chat_edit = ChatEdit
    chat_mention = ChatMention
    chat_event = ChatEvent
    partner = Partner
    partner_category = PartnerCategory
    idempotency_key = IdempotencyKey


class Apps(AppsCore):
    """The modules of the project, and the order in which its services start."""

    installed: ClassVar[Sequence[str]] = (
        "services.logger",
        "services.dotorm_databases_postgres",
        "services.audit",
        "services.security",
        "services.users",
        "services.auth_token",
        "services.dotorm_crud_auto",
        "services.schedule",
        "services.chat",
        "services.partners",
    )
    services_before: ClassVar[Sequence[str]] = (
        "logger",
        "dotorm_databases_postgres",
        "audit",
        "security",
        "users",
        "auth_token",
    )
    services_after: ClassVar[Sequence[str]] = ("dotorm_crud_auto", "chat", "schedule")
