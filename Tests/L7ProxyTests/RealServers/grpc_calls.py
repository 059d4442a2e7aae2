"""gRPC's own client and server on both sides of a proxy that allows POST /shop.Orders/(Get|Chat). Arguments: the ports of both."""

import queue
import sys
from concurrent import futures

import grpc

proxy, server_port = sys.argv[1:]
seen = []


class Orders(grpc.GenericRpcHandler):
    def service(self, details):
        seen.append(details.method)
        if details.method.endswith("/Chat"):
            return grpc.stream_stream_rpc_method_handler(lambda requests, context: (request for request in requests))

        def get(request, context):
            context.set_trailing_metadata((("x-sum", "1"),))
            return request

        return grpc.unary_unary_rpc_method_handler(get)


server = grpc.server(futures.ThreadPoolExecutor(4))
server.add_generic_rpc_handlers((Orders(),))
assert server.add_insecure_port("127.0.0.1:" + server_port), "the server's port is taken"
server.start()
channel = grpc.insecure_channel("127.0.0.1:" + proxy)
get = channel.unary_unary("/shop.Orders/Get")

answer, call = get.with_call(b"hello", timeout=20)
assert answer == b"hello" and ("x-sum", "1") in [tuple(pair) for pair in call.trailing_metadata()], call.trailing_metadata()

try:
    channel.unary_unary("/shop.Orders/Delete")(b"x", timeout=20)
    raise AssertionError("not denied")
except grpc.RpcError as error:
    assert error.code() == grpc.StatusCode.PERMISSION_DENIED and error.details() == "Access denied", error

pieces = queue.Queue()
answers = channel.stream_stream("/shop.Orders/Chat")(iter(pieces.get, None), timeout=20)
for number in range(3):
    pieces.put(b"%d" % number)
    assert next(answers) == b"%d" % number
pieces.put(None)
assert list(answers) == []

assert len(get(b"x" * 3000000, timeout=20)) == 3000000
for _ in range(200):
    assert get(b"y", timeout=20) == b"y"
assert "/shop.Orders/Delete" not in seen, seen
server.stop(0).wait()
try:
    get(b"x", timeout=20)
    raise AssertionError("answered by nobody")
except grpc.RpcError as error:
    assert error.code() == grpc.StatusCode.UNAVAILABLE, error
print("ok")
