"""The contract suite: one set of cases for this host, `func start`, and a deployed app.

It knows a target by its address alone: nothing of the host is imported here, and what it starts
it starts as a user does.
"""
