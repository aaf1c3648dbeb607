"""Runs untrusted programs on a server that speaks SandboxFusion's protocol."""
