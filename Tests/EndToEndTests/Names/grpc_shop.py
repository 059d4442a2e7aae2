"""gRPC's own server and client: `grpc_shop.py serve ADDRESS` echoes whatever is called, `grpc_shop.py call ADDRESS METHOD` prints the
status of a call."""

import sys
from concurrent import futures

import grpc


class Echo(grpc.GenericRpcHandler):
    def service(self, details):
        return grpc.unary_unary_rpc_method_handler(lambda request, context: request)


if sys.argv[1] == "serve":
    server = grpc.server(futures.ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers((Echo(),))
    assert server.add_insecure_port(sys.argv[2]), "the port is taken"
    server.start()
    server.wait_for_termination()
else:
    try:
        answer = grpc.insecure_channel(sys.argv[2]).unary_unary(sys.argv[3])(b"hello", timeout=5)
        print("OK" if answer == b"hello" else answer)
    except grpc.RpcError as error:
        print(error.code().name, error.details())
