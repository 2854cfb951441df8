"""A fleet in a box: thousands of light devices that fetch, acknowledge, give back and misbehave, for a time.

A light device signs like a real one (trust.md 3) and keeps nothing on disk; what it gets it reads, and does
not verify. appliance/README.md, "The fleet", says how to run one.
"""
