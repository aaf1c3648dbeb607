"""Runs untrusted programs in a warm pool of hardened containers."""
