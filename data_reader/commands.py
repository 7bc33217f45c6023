"""What every command of the project shares."""

import sys
from collections.abc import Callable


def run_command(main: Callable[[], None]) -> None:
    """Call `main`; show a wrong input as one line, with exit status 2 instead of a traceback."""
    try:
        main()
    except (ValueError, OSError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
