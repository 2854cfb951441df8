"""The reference device: a small appliance that fetches, verifies and runs its licenses.

It knows the portal only over HTTP and by the signed formats, and shares no code with it on purpose: what it
accepts shows that the formats can be implemented from their description alone.
"""
