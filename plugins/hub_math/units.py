"""Units of measurement: which two are different."""

import re

_SPELLINGS = """
mm millimeter; cm centimeter; dm decimeter; m meter; km kilometer; in inch inche; ft foot feet
yd yard; mi mile
g gram; kg kilogram; mg milligram; lb pound; oz ounce; ton tonne
s sec second; min minute; h hr hour; day; week wk; month; year yr
l liter litre; ml milliliter; gallon gal; quart qt; pint pt; cup; cent; dollar usd
mi/h mph; km/h kph
"""
_KNOWN = {
    name: names[0]
    for names in (group.split() for group in _SPELLINGS.replace("\n", ";").split(";"))
    for name in names
}
_MODIFIERS = {"square": "2", "sq": "2", "sq.": "2", "cubic": "3", "cu": "3"}
_PART = re.compile(r"[a-zA-Z.]+|[23]|/")


def same_unit(one: str | None, other: str | None) -> bool | None:
    """Whether two units are the same; None where one is missing or not known."""
    if one is None or other is None:
        return None
    first, second = _read(one), _read(other)
    if first is None or second is None:
        return None
    return first == second


def _read(unit: str) -> str | None:
    """Return a known unit in one spelling, with its power; None for any other word."""
    parts: list[str] = []
    power = ""
    for part in _PART.findall(unit.lower().replace("metre", "meter").replace("per", "/")):
        if part in _MODIFIERS:
            power = _MODIFIERS[part]
        elif part in "23":
            power = part
        elif part == "/":
            parts.append("/")
        else:
            name = _KNOWN.get(part) or _KNOWN.get(part.rstrip("s.")) or _KNOWN.get(part.rstrip("."))
            if name is None:
                return None
            parts.append(name)
    return "".join(parts) + power if parts else None
