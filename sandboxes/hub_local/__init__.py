"""Runs untrusted programs on this machine, confined by the Linux kernel, without a daemon."""
