"""Tests of the reference device; none of them needs the portal, its settings or a database."""
