"""Rewards past one machine: the engine's work on Ray actors."""
