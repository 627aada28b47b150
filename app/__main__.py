"""`python -m app`, the same as `workflow-engine`."""

from app.cli import main

main()
