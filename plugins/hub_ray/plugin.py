"""Offers nothing by a hook yet."""

import hub  # noqa: F401
