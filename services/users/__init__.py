"""Users: who they are, how their passwords are kept, and the one way in which they are changed."""
