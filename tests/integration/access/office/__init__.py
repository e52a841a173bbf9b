"""A module whose rights are as tangled as rights get: what the access matrix is filled with.

Clerks work in folders, their own and open ones. Papers and their lines are seen by whoever sees the folder,
by `allowed`; auditors see all papers, and grades; a rule without a role keeps sealed papers from everybody.
"""
