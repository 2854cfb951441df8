"""The manufacturer's side: certificate authorities and device identities. The portal never sees the keys."""
