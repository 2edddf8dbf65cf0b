"""`python -m tests.golden`: keep the scenes as this program writes them, in `format-N`.

What is there already stays: programs that people ran have written it. Run it when the number of the
format counts up, or a construct has more to remember; the scene gets another name then.
"""

from __future__ import annotations

import json
import sys

from engine.kernel.snapshot import FORMAT
from tests.golden.kept import FOLDER, write
from tests.golden.scenes import SCENES


def main() -> int:
    """Write what is missing."""
    folder = FOLDER / f"format-{FORMAT}"
    folder.mkdir(exist_ok=True)
    for name, scene in SCENES.items():
        path = folder / f"{name}.json"
        if not path.exists():
            text = json.dumps(write(scene), ensure_ascii=False, indent=1)
            path.write_text(text + "\n", encoding="utf-8")
            print(path.relative_to(FOLDER))
    return 0


if __name__ == "__main__":
    sys.exit(main())
