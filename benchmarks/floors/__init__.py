"""Floors: the least that a request of some kind can cost on this stack, served like the portal itself.

Each floor does one thing more than the one before it, and nothing that is only good to have: a Django project
of its own, on the same database.
"""
