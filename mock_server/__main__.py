"""`python -m mock_server` is `fla-mock`."""

from mock_server.cli import main

main()
