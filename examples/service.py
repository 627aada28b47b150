"""The HTTP service that the examples call: a shop with orders, a stock that is busy at
first, suppliers near and far, and jobs that take their time.

python examples/service.py --port 8090
"""

import argparse
import itertools
import json
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ORDERS: dict[str, dict[str, Any]] = {
    "A-1001": {
        "id": "A-1001",
        "status": "paid",
        "address": "12 Byron Street, London",
        "items": [
            {"sku": "TEA-250", "quantity": 2, "price": 7.5},
            {"sku": "CUP-WHITE", "quantity": 4, "price": 12},
            {"sku": "KETTLE", "quantity": 1, "price": 49},
        ],
    },
    "A-1002": {"id": "A-1002", "status": "open", "address": "1 Main Street", "items": []},
}
LOOKS_UNTIL_DONE = 3
REFUSALS_OF_STOCK = 2
SECONDS_FOR_AN_ANSWER = 0.3  # as a service that has something to do
SUPPLIERS = {"near": (0, 9), "far": (5, 8)}  # seconds to think, and the price

_numbers = itertools.count(1)
_looks: dict[str, int] = {}
_asked: Counter[str] = Counter()


class Handler(BaseHTTPRequestHandler):
    """Answers JSON; forgets all when it ends."""

    protocol_version = "HTTP/1.1"
    # Head and body of an answer go in two packets: the second must not wait for a receipt.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        match self.path.strip("/").split("/"):
            case ["orders", id] if id in ORDERS:
                self._answer(200, ORDERS[id])
            case ["stock", sku]:
                _asked[sku] += 1
                is_busy = _asked[sku] <= REFUSALS_OF_STOCK
                self._answer(*((503, {"error": "busy"}) if is_busy else (200, _stock(sku))))
            case ["suppliers", name] if name in SUPPLIERS:
                seconds, price = SUPPLIERS[name]
                time.sleep(seconds)
                self._answer(200, {"supplier": name, "price": price})
            case ["jobs", id] if id in _looks:
                _looks[id] += 1
                done = _looks[id] >= LOOKS_UNTIL_DONE
                job = {"id": id, "looks": _looks[id], "state": "done" if done else "working"}
                self._answer(200, {**job, "result": 42} if done else job)
            case _:
                self._answer(404, {"error": f"there is no {self.path}"})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        match self.path:
            case "/reservations":
                self._answer(201, {**body, "reservation": next(_numbers)})
            case "/shipments":
                self._answer(201, {**body, "trackingNumber": f"WE{next(_numbers):08}"})
            case "/jobs":
                id = str(next(_numbers))
                _looks[id] = 0
                self._answer(202, {"id": id, "state": "working"})
            case _:
                self._answer(404, {"error": f"there is no {self.path}"})

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: the caller shows what it did."""

    def _answer(self, status: int, value: Any) -> None:
        time.sleep(SECONDS_FOR_AN_ANSWER)
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _stock(sku: str) -> dict[str, Any]:
    return {"sku": sku, "left": 12}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8090)
    port = parser.parse_args().port
    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        print(f"The examples' service answers at http://127.0.0.1:{port}", flush=True)  # noqa: T201 - for the person who starts it
        server.serve_forever()


if __name__ == "__main__":
    main()
