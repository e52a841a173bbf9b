"""Who did what and when: a log that is only ever added to, and a chain of hashes that shows when it was
not.

**The log.** `audit_log` (models/audit_entry.py) has an entry for every row that is created, changed or
deleted in the table of a model with `__audit__ = True`, and in the link tables of its Many2many fields; one
for every TRUNCATE of them; and one for every event that a module names with `actions.record`. Changes of rows
are written by a trigger, in the transaction of the change: whoever writes, over the API or at the database
itself, and what is rolled back leaves nothing. Who asks and in which request is announced by the ORM
(orm/database.py, `announce`); a write at the database itself has its database role only. Triggers refuse
UPDATE, DELETE and TRUNCATE on the log and on the chain.

**The chain.** `audit_chain` has one row for each entry: position (1, 2, 3 ...), entry_id, hash.

    hash(0) = 32 zero bytes
    hash(n) = sha256(hash(n - 1) followed by the canonical bytes of the entry at position n)

The canonical bytes are UTF-8 text of a JSON object with exactly these members, in this order, and null for
what is NULL: action, after, at, before, database_role, details, id, model, record_id, request_id, user_id.
`at` is an integer, microseconds since 1970-01-01T00:00:00Z. `after`, `before` and `details` are the documents
themselves. All of it is written in the one way that these rules leave:

- no white space between tokens;
- members of an object ordered by name, compared by Unicode code points;
- a string is in double quotes; `"` and `\\` are preceded by a backslash; backspace, form feed, line feed,
  carriage return and tab are \\b, \\f, \\n, \\r, \\t; other characters below U+0020 are \\u and four
  lower-case hexadecimal digits; everything else stands for itself;
- a number is decimal digits without an exponent, a leading plus, or superfluous zeros; a fraction has a
  point and does not end in 0; zero is 0 and never negative.

So they depend on no version of the server, time zone or setting. For an entry with id 7:

    {"action":"update","after":{"id":3,"name":"Ada"},"at":1795449600000000,"before":{"id":3,"name":"A"},
    "database_role":"starling","details":null,"id":7,"model":"users","record_id":3,"request_id":"r1","user_id":1}

(in one line). `starling audit verify` walks the chain. Who owns the database could recompute all of it: what
was rewritten as a whole, or cut off at the end, is seen only against a position and a hash that somebody
noted elsewhere (`--expect`).

**Trimming.** With AUDIT__RETENTION_DAYS the oldest entries and their links are removed, in two steps: an
entry `audit_trim` announces a position and the hash that is there, and only when that entry is in the chain
itself is everything up to this position removed, by the function audit_trim() and by nothing else. A walk
then begins with that hash. Who removes the oldest links without saying so breaks the chain, as before.

**Closing.** The hash of an entry needs the one before it, so that writers that made links themselves would
queue behind each other until they commit. Therefore a task in each process makes the links a moment later
(closer.py), one process at a time under an advisory lock that ends with its transaction. It takes what is
visible and not chained, by id within a batch; an entry whose transaction commits late comes later in the
chain.

What is not chained is in a table, `audit_waiting`, to which a trigger adds the id in the transaction of the
entry and from which the closer removes it in the transaction of the link. Weighed against it: an anti-join of
log and chain reads all of both every second; a mark of ids, or of transaction ids below which everything is
chained, either misses late commits or waits for the longest transaction of the whole server, and transaction
ids start anew when a backup is restored elsewhere; an unlogged table is empty after a crash and on a standby
that takes over, without anybody noticing. The price is a row of 8 bytes that is written and removed
for each entry. An entry that is in neither table was written past the triggers, and `verify` says so.
"""
