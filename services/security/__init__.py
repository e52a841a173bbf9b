"""Who may do what: the access policy, and the one number by which every process notices that rights
changed.

Deny by default. Nothing in here knows users or tokens; modules that do depend on this one, and call
`Revisions.bump` in the transaction of every change that a cached right rests on.
"""
