"""Which language a text is in, by the library langdetect: the same verdict each time."""

from functools import cache

from langdetect.detector_factory import PROFILES_DIRECTORY, DetectorFactory
from langdetect.lang_detect_exception import LangDetectException


def find_language(text: str) -> str | None:
    """Return the ISO 639-1 code of a text's language, as langdetect gives it; None where it sees none.

    >>> find_language("Wo ist denn hier der Bahnhof?"), find_language("1 + 1 = 2")
    ('de', None)
    """
    detector = _factory().create()
    detector.append(text)
    try:
        return str(detector.detect())
    except LangDetectException:
        return None


@cache
def _factory() -> DetectorFactory:
    factory = DetectorFactory()
    factory.load_profile(PROFILES_DIRECTORY)
    factory.set_seed(0)  # without it the verdict on a short text is drawn anew each time
    return factory
