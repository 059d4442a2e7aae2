import Foundation
import Glibc
import HTTPTestSupport
import L7Proxy
import NIOCore
import PolicyAPI
import ProxyRules
import Testing

/// From the client's own address, so that the server's log says which case a request is from.
private struct MirroringResolver: FlowResolver {
    let server: SocketAddress

    func flow(of client: SocketAddress, to local: SocketAddress) -> ProxiedFlow? {
        guard let host = client.ipAddress else { return nil }
        var flow = ProxiedFlow(destination: server)
        flow.source = try? SocketAddress(ipAddress: host, port: 0)
        flow.ingress = RuleBook.Selection(policy: 1, rules: [0])
        return flow
    }
}

@Suite(
    "The smuggling corpus through the proxy to real servers", .serialized,
    .enabled(
        if: RealServer.arePresent, "needs nginx, haproxy and gunicorn: scripts/install-deps.sh nginx haproxy gunicorn"))
struct RealServerTests {
    @Test(
        "nginx, haproxy and gunicorn read the requests that the proxy decided, in order, and no other",
        arguments: RealServer.Make.allCases)
    func corpus(make: RealServer.Make) async throws {
        let server = try RealServer(make)
        let log = try LogFile()
        let proxy = try await ProxyFixture.start(
            [HTTPRule()], log: log.log, resolver: MirroringResolver(server: try server.address))
        let cases = try SmugglingCase.all().filter { $0.kind == .requests && !$0.bytes.isEmpty }
        guard let port = proxy.proxy.address?.port else { throw ProxyFixture.Broken() }
        let width = 48
        for from in stride(from: 0, to: cases.count, by: width) {
            let numbers = from..<min(from + width, cases.count)
            ClientBatch.run(numbers.map { ($0, cases[$0].bytes) }, port: port, patience: 150)
        }
        // What a server reads to the end of a connection, or waits for more of, is in no other's way.
        try await proxy.stop()
        let seen = try server.stop()
        let decided = try log.forwarded()
        var reached = 0
        for (number, expectation) in cases.enumerated() {
            let address = ClientBatch.address(number)
            let read = seen[address] ?? []
            let known = decided[address] ?? []
            reached += read.count
            #expect(
                RealServerTests.isBeginning(read, of: known),
                "\(make), \(expectation): it read \(read), decided were \(known)")
        }
        // A proxy that forwards nothing would pass.
        #expect(reached > 60, "\(make) read only \(reached)")
    }

    /// Whether a server read what was decided, in order. What it could not read, or did not want, is the last of a connection, and stands for
    /// one request: one more than were decided would be something else.
    private static func isBeginning(_ read: [String], of decided: [String]) -> Bool {
        guard read.count <= decided.count else { return false }
        for (index, request) in read.enumerated() {
            let isUnread = request == "- -" || request == "<BADREQ> <BADREQ>"
            if isUnread, index == read.count - 1 { continue }
            guard plain(request) == decided[index] else { return false }
        }
        return true
    }

    /// Without query, and without scheme and authority of an absolute target, which servers write in ways of their own; and no more of a
    /// path than the access log has.
    private static func plain(_ request: String) -> String {
        let parts = request.split(separator: " ", maxSplits: 1).map(String.init)
        guard parts.count == 2, var target = parts.last else { return request }
        if let scheme = target.range(of: "://") {
            target = target[scheme.upperBound...].firstIndex(of: "/").map { String(target[$0...]) } ?? target
        }
        let path = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)[0]
        return "\(parts[0]) \(path.prefix(1_000))"
    }

    /// The proxy's access log in a file.
    private struct LogFile {
        let log: AccessLog
        private let path: String
        private let descriptor: CInt

        init() throws {
            path = "\(NSTemporaryDirectory())/netpold-smuggled-\(UUID().uuidString)"
            descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw ProxyFixture.Broken() }
            log = AccessLog(descriptor: descriptor)
        }

        /// The requests that were decided and forwarded, by client address, in order: `GET /a`.
        func forwarded() throws -> [String: [String]] {
            log.flush()
            close(descriptor)
            defer { unlink(path) }
            let text = try String(contentsOfFile: path, encoding: .utf8)
            var result: [String: [String]] = [:]
            for line in text.split(separator: "\n") {
                let value = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
                guard let client = value["client"] as? String, let method = value["method"] as? String,
                    let target = value["path"] as? String, let decision = value["decision"] as? String,
                    // With a path: the head was allowed, and what follows it is refused.
                    ["allowed", "error", "refused"].contains(decision)
                else { continue }
                let address = client.split(separator: ":")[0]
                result[String(address), default: []].append(RealServerTests.plain("\(method) \(target)"))
            }
            return result
        }
    }
}
