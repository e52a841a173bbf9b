"""DotORM against hand-written asyncpg and three other ORMs, in process.

Every contestant runs in an interpreter of its own and answers lines of JSON (`common.serve`), so that what
one imports or allocates does not slow another one down. The run (`run.py`) tells them in turn what to do.
What contestants import must exist in a peer's environment, too: the standard library, asyncpg, and of this
package nothing that needs more."""
