import Foundation
import NIOCore
import PolicyAPI
import Testing

@Suite("gRPC's own client and server")
struct GRPCTests {
    private static let python = "/usr/bin/python3"
    /// Debian's python3-grpcio.
    static let isPresent = FileManager.default.fileExists(atPath: "/usr/lib/python3/dist-packages/grpc")

    @Test(
        "calls, streams, large messages and trailers pass; a denied call is PERMISSION_DENIED, one without a server UNAVAILABLE",
        .enabled(if: GRPCTests.isPresent, "needs python3-grpcio: scripts/install-deps.sh python3-grpcio"))
    func calls() async throws {
        let port = try RealServer.freePort()
        let proxy = try await ProxyFixture.start(
            [HTTPRule(method: "POST", path: "/shop.Orders/(Get|Chat)")],
            to: try SocketAddress(ipAddress: "127.0.0.1", port: port))
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "grpc_calls.py")
        let process = Process()
        process.executableURL = URL(filePath: Self.python)
        process.arguments = [script.path(), "\(proxy.proxy.address?.port ?? 0)", "\(port)"]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let said = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0 && said.hasSuffix("ok\n"), "\(said)")
        let counters = try await proxy.proxy.counters()
        #expect(counters.denied == 1 && counters.http2Faults.isEmpty, "\(counters.http2Faults)")
        try await proxy.stop()
    }
}
