"""Signing in: sessions, the access tokens that stand for them, the refresh tokens that keep them alive; and
API keys for programs.

A session is one sign-in on one device. Its access tokens (JWT, minutes) carry its id and are verified without
a query while a cache of this process knows them. Its refresh tokens (random, days) are each good for one use;
all of one session form a family, and whoever shows one that was used before ends the family: either the user
or a thief has it twice, and nobody can say which of them is asking.

An API key (random, until it expires or is removed) stands for its user, narrowed to its scopes, in the same
place as an access token and through the same cache. It makes no keys, ends no sessions and sets no passwords.

What ends a session or a key moves the revision of rights by triggers (sql/auth_token/triggers.sql): it does
not matter who ends it, nor whether any process is told. How often signing in may fail, and why nobody can
lock a user out of the device where he was before, is told in limits.py.
"""
