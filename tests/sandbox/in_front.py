"""`incident sandbox …` over a page that only answers: it stands in for AWS, which takes seconds to fill."""

import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

from sandbox.runtime import services
from sandbox.runtime.state import Files, State
from starters.cli.main import main

_NAME = "tests.sandbox.in_front"


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(204)
        self.end_headers()


def _page(files: Files, state: State) -> list[str]:
    return services._python(_NAME, "--serve", str(state.page_port))


if __name__ == "__main__":
    if sys.argv[1] == "--serve":
        HTTPServer(("127.0.0.1", int(sys.argv[2])), _Page).serve_forever()
    services._aws_command = _page
    main()
