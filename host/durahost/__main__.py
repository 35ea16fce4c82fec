"""`python -m durahost` is the command `durahost`."""

from durahost.cli.main import main

main()
