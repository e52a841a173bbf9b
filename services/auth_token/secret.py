"""The key that signs tokens where AUTH__SECRET gives none: made once, in DATA_DIR/secret."""

import logging
import secrets
import stat
from pathlib import Path
from typing import Final

from app.core.errors import StartError
from app.core.private_files import create_private_file
from services.auth_token.settings import AuthSettings, SigningKey, key_problems, signing_keys

FILE_NAME: Final = "secret"

_logger = logging.getLogger(__name__)


def keys_of(settings: AuthSettings, data_dir: Path) -> tuple[SigningKey, ...]:
    """The keys of AUTH__SECRET, else those in DATA_DIR/secret, which is made when it is missing.

    Workers that start at the same time get the same key. The file may be edited: it takes whatever
    AUTH__SECRET does. Raises StartError for a file that cannot be made or read, or holds no usable key.
    """
    return settings.keys() or _stored_keys(data_dir / FILE_NAME)


def _stored_keys(file: Path) -> tuple[SigningKey, ...]:
    if not file.exists() and create_private_file(file, secrets.token_hex(32) + "\n"):
        _logger.info("made a key that signs access tokens, in %s", file)
    try:
        text = file.read_text(encoding="utf-8").strip()
        mode = file.stat().st_mode
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(
            f"{file}, with the key that signs tokens, cannot be read ({error}): make it readable, or set "
            "AUTH__SECRET"
        ) from error
    problems = list(key_problems(text))
    if problems:
        raise StartError(f"{file} holds no usable key: {problems[0]}")
    if stat.S_IMODE(mode) & 0o077:
        # Not refused: where volumes are mounted for a group, as in Kubernetes, their files are always so.
        _logger.warning("%s can be read by others than its owner: chmod 600 it if you can", file)
    return signing_keys(text)
