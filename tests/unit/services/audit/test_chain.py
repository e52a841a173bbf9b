import hashlib

from services.audit.chain import GENESIS, LEASE, Link, link_hash


def test_a_hash_is_over_the_one_before_and_the_entry() -> None:
    first = link_hash(GENESIS, b'{"id":1}')

    assert first.hex() == hashlib.sha256(bytes(32) + b'{"id":1}').hexdigest()
    assert link_hash(first, b'{"id":2}') == hashlib.sha256(first + b'{"id":2}').digest()


def test_a_link_follows_from_one_hash_only() -> None:
    link = Link(1, 1, link_hash(GENESIS, b"entry"), b"entry")

    assert link.follows(GENESIS)
    assert not link.follows(link.hash)
    assert not Link(1, 1, link.hash, b"Entry").follows(GENESIS)
    assert not Link(1, 1, link.hash, None).follows(GENESIS)


def test_the_lease_is_the_number_that_its_comment_says() -> None:
    digest = hashlib.sha256(b"starling audit").digest()

    assert int.from_bytes(digest[:4], "big") & 0x7FFFFFFF == LEASE
