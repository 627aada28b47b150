"""Files that a command is given by name."""

from pathlib import Path

from app.failure import Failure


def read_text(file: Path) -> str:
    """The text in a file; raises Failure, which names it, where there is none."""
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise Failure(f"there is no file {file}") from error
    except IsADirectoryError as error:
        raise Failure(f"{file} is a folder") from error
    except UnicodeDecodeError as error:
        raise Failure(f"{file} isn't text in UTF-8") from error
    except OSError as error:
        raise Failure(f"{file} can't be read: {error.strerror}") from error
