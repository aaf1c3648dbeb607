"""posttrain-hub: rewards and evaluations as plugins, scored by one engine, the same number everywhere."""

__version__ = "0.1.0"
