"""Passwords of the suite: hashed as in production, but in a millisecond instead of a fifth of a second."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class QuickArgon2PasswordHasher(Argon2PasswordHasher):
    """Argon2 with the least it takes. There are hundreds of sign-ins, and none of these secrets is one."""

    time_cost = 1
    memory_cost = 8
    parallelism = 1
