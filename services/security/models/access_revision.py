"""The revision of all rights: one row."""

from orm import BigInteger, DotModel


class AccessRevision(DotModel):
    """`revision` grows with each change of anything that sessions or rights rest on, `rights_revision` with
    each change of roles, access lists and rules. The row's id is 1.

    A row rather than a sequence: a sequence moves before the change that it speaks of can be seen, and a
    process that looked in between would remember the old state under the new number.
    """

    __table__ = "access_revisions"
    __auto_crud__ = False

    revision: int = BigInteger(required=True)
    rights_revision: int = BigInteger(default=0, required=True)
