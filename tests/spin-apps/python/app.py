"""Counts its visits and tells what it was asked, as a component of Spin's SDK for Python does."""

from spin_sdk import http, key_value, redis, variables
from spin_sdk.http import Request, Response


class IncomingHandler(http.IncomingHandler):
    def handle_request(self, request: Request) -> Response:
        if request.uri.endswith("/redis"):
            return Response(200, {"content-type": "text/plain"}, redis_says().encode())
        with key_value.open_default() as store:
            visits = int(store.get("visits") or b"0") + 1
            store.set("visits", str(visits).encode())
        said = f"{variables.get('greeting')}, {request.method} of {len(request.body or b'')} bytes, visit {visits}"
        return Response(200, {"content-type": "text/plain"}, said.encode())


def redis_says() -> str:
    try:
        redis.open("redis://localhost")
    except Exception as error:  # the SDK's errors share no other class
        return repr(error)
    return "connected"
