import Foundation
import Synchronization

@testable import Agent

/// A client for asynchronous tests: waits on a thread of its own, so that it never holds one the agent needs.
final class WaitingClient: Sendable {
    private let client: Mutex<LocalClient>

    init(path: String) throws {
        client = Mutex(try LocalClient(path: path))
    }

    func send(_ request: APIRequest) throws { try client.withLock { try $0.send(request) } }

    func next() async throws -> APIReply? {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(with: Result { try self.client.withLock { try $0.next(timeout: .seconds(120)) } })
            }
        }
    }

    /// Reads until so many replies were of a kind, or the agent hangs up; returns how many were.
    func count(to limit: Int, _ isCounted: @escaping @Sendable (APIReply) -> Bool) async throws -> Int {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    with: Result {
                        try self.client.withLock { client in
                            var found = 0
                            while found < limit, let reply = try client.next(timeout: .seconds(120)) {
                                if isCounted(reply) { found += 1 }
                            }
                            return found
                        }
                    })
            }
        }
    }
}

/// A test cannot go on.
struct TestFailure: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }
}
