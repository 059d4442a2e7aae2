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
}

/// A test cannot go on.
struct TestFailure: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }
}
