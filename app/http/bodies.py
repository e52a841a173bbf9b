"""Request bodies: read whole, decoded once into the declared Struct, and what is said when that fails."""

from typing import Any, Final, Generic, TypeVar

import msgspec
from starlette.requests import ClientDisconnect
from starlette.requests import Request as StarletteRequest
from starlette.types import Message

from app.core.errors import Malformed, UnsupportedMediaType
from app.http.places import places_in
from orm.errors import Invalid

T = TypeVar("T")

_JSON: Final = b"application/json"


class Body(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Base of what a route reads: fields by keyword, an unknown one in the JSON is refused."""


class Request(StarletteRequest):
    """Starlette's request, with the common case made cheap: a body that comes in one message is no stream."""

    async def body(self) -> bytes:
        """The whole body, the same one when asked again. Raises ClientDisconnect when its end never came."""
        if hasattr(self, "_body") or self._stream_consumed:
            return await super().body()
        message = await self._receive()
        parts = [_part(message)]
        while message.get("more_body"):
            message = await self._receive()
            parts.append(_part(message))
        self._body = parts[0] if len(parts) == 1 else b"".join(parts)
        self._stream_consumed = True
        return self._body


class BodyDecoder(Generic[T]):
    """Turns request bodies into one type. Made once for each route."""

    def __init__(self, body_type: type[T]) -> None:
        self.body_type = body_type
        self._decode = msgspec.json.Decoder(body_type).decode

    async def read(self, request: Request) -> T:
        """The decoded body.

        Raises UnsupportedMediaType when it is not declared to be JSON in UTF-8, Malformed when it is not
        JSON, and Invalid with all the places that can be told when it does not fit the type.
        """
        text = await request.body()
        content_type = _header(request.scope["headers"], b"content-type")
        if content_type != _JSON:
            _check_content_type(content_type, is_empty=not text)
        return self.decode(text)

    def decode(self, text: bytes) -> T:
        """The same for a text at hand."""
        try:
            return self._decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise _problem(error, text, self.body_type) from error


def is_json(content_type: bytes) -> bool:
    """Whether a Content-Type is JSON in UTF-8: application/json or application/*+json, no other charset."""
    media_type, *parameters = (part.strip() for part in content_type.lower().split(b";"))
    if media_type != _JSON and not (media_type.startswith(b"application/") and media_type.endswith(b"+json")):
        return False
    charsets = [part.partition(b"=")[2].strip(b' "') for part in parameters if part.startswith(b"charset")]
    return all(charset in (b"utf-8", b"utf8", b"us-ascii") for charset in charsets)


def _part(message: Message) -> bytes:
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    part: bytes = message.get("body", b"")
    return part


def _header(headers: list[tuple[bytes, bytes]], wanted: bytes) -> bytes | None:
    for name, value in headers:
        if name == wanted:
            return value
    return None


def _check_content_type(content_type: bytes | None, *, is_empty: bool) -> None:
    if is_empty:
        raise Malformed("This route reads a JSON body, and there is none.")
    if content_type is None or not is_json(content_type):
        raise UnsupportedMediaType("This route reads JSON: send Content-Type: application/json, in UTF-8.")


def _problem(error: Exception, text: bytes, body_type: Any) -> Malformed | Invalid:
    if not text:
        return Malformed("This route reads a JSON body, and there is none.")
    try:
        places = places_in(text, body_type) if isinstance(error, msgspec.ValidationError) else ()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as worse:
        error, places = worse, ()
    if isinstance(error, RecursionError):
        return Malformed("The body is nested too deep.")
    if not places:
        return Malformed(f"The body is not JSON, or has half of a character in it: {error}.")
    detail = places[0].message if len(places) == 1 else f"The body is wrong in {len(places)} places."
    return Invalid(detail, errors=places)
