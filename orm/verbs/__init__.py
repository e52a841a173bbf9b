"""What the verbs of a model do: ask the policy, build the statement, run it, make records. One verb a
file."""
