"""Many chats with many messages, made in the database itself: 10,000 and 1,000,000 take a minute."""

from typing import Final

import msgspec

from orm import Database

WORDS: Final = (
    "the quick brown fox jumps over lazy dogs while seventeen engineers discuss quarterly budgets invoices "
    "shipment delays and customers быстрая лиса прыгает через ленивых собак договоры поставки счета "
    "заказчики обсуждают сроки доставки оборудования"
)

_USERS: Final = """
    INSERT INTO users (login, name, password_hash, is_admin, active, credentials_version, created_at)
    SELECT 'user' || n, 'User ' || n, 'x', false, true, 0, now() FROM generate_series(1, $1::bigint) n
    RETURNING id
"""
_CHATS: Final = """
    INSERT INTO chats (name, chat_type, archived, creator_id, created_at, last_seq, active_at, message_count)
    SELECT 'Chat number ' || n, 'group', false, $1, now() - interval '1 year', $3,
           now() - make_interval(secs => (n * 7919) % 1000000), $3
    FROM generate_series(1, $2::bigint) n
    RETURNING id
"""
_MEMBERS: Final = """
    INSERT INTO chat_members (chat_id, user_id, is_admin, can_read, can_write, can_pin, can_invite,
                              can_delete_others, joined_at, joined_seq)
    SELECT c, u, true, true, true, true, true, true, now() - interval '1 year', 1
    FROM unnest($1::bigint[], $2::bigint[]) AS m (c, u)
    ON CONFLICT DO NOTHING
"""
# Neighbours in the table are of different chats, as they are in life; the last word of each is its own.
_MESSAGES: Final = """
    INSERT INTO chat_messages (chat_id, author_id, body, seq, number, pinned, created_at)
    SELECT ($1::bigint[])[1 + n % $3], $2,
           array_to_string(($5::text[])[1 + (n * 31) % 25 : 9 + (n * 31) % 25], ' ') || ' ' || md5(n::text),
           1 + n / $3, 1 + n / $3, false, now() - make_interval(secs => $4 - n)
    FROM generate_series(0, $4::bigint - 1) n
"""
_LAST: Final = """
    UPDATE chats c SET last_message_id = l.id
    FROM (SELECT chat_id, max(id) AS id FROM chat_messages GROUP BY chat_id) l
    WHERE l.chat_id = c.id
"""


class Crowd(msgspec.Struct, frozen=True):
    """`everywhere` is in all chats, `somewhere` in 50 of them, like most."""

    everywhere: int
    somewhere: int
    chat_ids: tuple[int, ...]


async def make_crowd(db: Database, *, chats: int, messages: int, users: int = 1000) -> Crowd:
    """A crowd, each chat with as many messages and four members besides `everywhere`."""
    async with db.transaction():
        user_ids = [row["id"] for row in await db.fetch(_USERS, users)]
        rows = await db.fetch(_CHATS, user_ids[0], chats, messages // chats)
        chat_ids = [row["id"] for row in rows]
        pairs = [(chat_id, user_ids[0]) for chat_id in chat_ids]
        pairs += [(chat_id, user_ids[1]) for chat_id in chat_ids[:: max(1, chats // 50)]]
        pairs += [
            (chat_id, user_ids[2 + (place * 13 + other * 101) % (users - 2)])
            for place, chat_id in enumerate(chat_ids)
            for other in range(4)
        ]
        await db.fetch(_MEMBERS, [pair[0] for pair in pairs], [pair[1] for pair in pairs])
        await db.fetch(_MESSAGES, chat_ids, user_ids[0], chats, messages, WORDS.split())
        await db.fetch(_LAST)
    await db.execute("VACUUM ANALYZE users, chats, chat_members, chat_messages")
    return Crowd(user_ids[0], user_ids[1], tuple(chat_ids))
