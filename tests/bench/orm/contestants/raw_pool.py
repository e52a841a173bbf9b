"""asyncpg by hand, behind its own pool."""

from tests.bench.orm.common import serve
from tests.bench.orm.contestants.raw import RawPool

if __name__ == "__main__":
    serve(RawPool())
