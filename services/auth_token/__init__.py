"""Signing in: sessions, the access tokens that stand for them, and the refresh tokens that keep them alive.

A session is one sign-in on one device. Its access tokens (JWT, minutes) carry its id and are verified without
a query while a cache of this process knows them. Its refresh tokens (random, days) are each good for one use;
all of one session form a family, and whoever shows one that was used before ends the family: either the user
or a thief has it twice, and nobody can say which of them is asking.
"""
