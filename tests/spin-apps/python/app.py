"""Counts its visits and tells what it was asked, as a component of Spin's SDK for Python does."""

from spin_sdk import http, key_value, mysql, redis, variables
from spin_sdk.http import Request, Response


class IncomingHandler(http.IncomingHandler):
    def handle_request(self, request: Request) -> Response:
        for other, open_it in {"redis": redis.open, "mysql": mysql.open}.items():
            if request.uri.endswith(f"/{other}"):
                said = said_by(open_it, f"{other}://localhost")
                return Response(200, {"content-type": "text/plain"}, said.encode())
        with key_value.open_default() as store:
            visits = int(store.get("visits") or b"0") + 1
            store.set("visits", str(visits).encode())
        said = f"{variables.get('greeting')}, {request.method} of {len(request.body or b'')} bytes, visit {visits}"
        return Response(200, {"content-type": "text/plain"}, said.encode())


def said_by(open_it, address: str) -> str:
    try:
        open_it(address)
    except Exception as error:  # the SDK's errors share no other class
        return repr(error)
    return "connected"
