"""The commands behind `make`: environment, packages, private services, checks, the suite."""
