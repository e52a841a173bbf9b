"""What grows with a project: its models, the rules of its roles, its rows."""
