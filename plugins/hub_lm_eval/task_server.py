"""What `task_process` starts: answers about tasks of lm-eval until nobody asks any more."""

import gc
import os
import pickle
import signal
import sys
from typing import BinaryIO

from hub.errors import DataError, HubError
from hub_lm_eval import tasks


def serve() -> None:
    """Answer until nobody asks any more; called in the process itself."""
    gc.disable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who asks
    asked, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what tasks print is no answer
    while _answer_one(asked, answers):
        pass
    os._exit(0)


def _answer_one(asked: BinaryIO, answers: BinaryIO) -> bool:
    try:
        what, *arguments = pickle.load(asked)
    except EOFError:
        return False
    try:
        made = list(tasks.rows_of(*arguments)) if what == "rows" else tasks.aggregate(*arguments)
        content = pickle.dumps(("made", made))
    except Exception as error:
        content = pickle.dumps(("raised", _portable(error)))
    answers.write(content)
    answers.flush()
    return True


def _portable(error: Exception) -> Exception:
    """The exception, or one that says the same where it cannot be sent."""
    try:
        sent = pickle.loads(pickle.dumps(error))
        if type(sent) is type(error) and str(sent) == str(error):
            return error
    except Exception:
        pass
    name = f"{type(error).__name__}: {error}"
    return DataError(str(error)) if isinstance(error, HubError) else RuntimeError(name)
