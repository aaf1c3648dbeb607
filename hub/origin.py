"""Where a plugin comes from; kept with everything that it offers and every score it gives."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Origin:
    """Who offers a thing.

    Args:
        plugin: the entry point's name; "" for something defined in the caller's own code.
        distribution: the installed distribution; "" for a file or the caller's own code.
        version: its version; for a file, the start of its SHA-256.
        file: the path of a `path/to/file.py:name` reward, else "".
    """

    plugin: str = ""
    distribution: str = ""
    version: str = ""
    file: str = ""

    def __str__(self) -> str:
        if self.file:
            return self.file
        if not self.distribution:
            return "this program"
        return f"{self.distribution} {self.version}"
