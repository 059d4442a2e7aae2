import KubeClient
import NIOCore
import Synchronization
import Testing

/// What a follower does when two things happen at once.
@Suite struct KindFollowerTests {
    /// Refuses the first requests with 503, answers lists with one page, and leaves watches open.
    private final class Server: KubeTransport {
        /// So many that the kind counts as failing.
        private static let refusals = 6
        private let asked = Mutex(0)

        func send<Result: Sendable>(
            _ request: KubeRequest, _ read: @Sendable (KubeResponse) async throws(RequestFailure) -> Result
        ) async throws(RequestFailure) -> Result {
            let number = asked.withLock { asked in
                asked += 1
                return asked
            }
            if number <= Self.refusals { return try await read(KubeResponse(status: 503, body: Self.body(""))) }
            let isWatch = request.target.contains("watch=")
            let page = #"{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"7"},"items":[]}"#
            return try await read(
                KubeResponse(status: 200, body: isWatch ? Self.openBody : Self.body(page)))
        }

        private static func body(_ text: String) -> KubeResponse.Body {
            KubeResponse.Body {
                var rest: ByteBuffer? = ByteBuffer(string: text)
                return KubeResponse.Reader { () async throws(RequestFailure) in
                    defer { rest = nil }
                    return rest
                }
            }
        }

        private static var openBody: KubeResponse.Body {
            KubeResponse.Body {
                KubeResponse.Reader { () async throws(RequestFailure) in
                    try? await Task.sleep(for: .seconds(3600))
                    throw RequestFailure.connection("given up")
                }
            }
        }

        func reloadCredentials() async {}
        func renewConnections() async {}
    }

    /// Stops at the first page until it may go on.
    private final class Sink: KindSink {
        struct State {
            var health: [KindHealth] = []
            var sets = 0
            var pages = 0
        }

        let state = Mutex(State())
        let isHeld = AsyncStream.makeStream(of: Void.self)
        let mayGoOn = AsyncStream.makeStream(of: Void.self)

        func take(_ changes: [KindChange]) async -> String? {
            for change in changes {
                switch change {
                case .health(let health): state.withLock { $0.health.append(health) }
                case .replace: state.withLock { $0.sets += 1 }
                case .page:
                    let pages = state.withLock { state in
                        state.pages += 1
                        return state.pages
                    }
                    guard pages == 1 else { continue }
                    isHeld.continuation.yield()
                    for await _ in mayGoOn.stream { break }
                case .begin, .initial, .discard, .events, .remove: break
                }
            }
            return nil
        }
    }

    @Test("a wish to list again while the last page is being taken loses nothing that this page ended with")
    func relistDuringLastPage() async throws {
        var settings = WatchSettings()
        settings.streamsLists = false
        settings.firstDelay = .milliseconds(1)
        settings.longestDelay = .milliseconds(2)
        let (server, sink) = (Server(), Sink())
        let follower = KindFollower(
            [ResourcePlace(version: "v1", plural: "pods", kind: "Pod")], settings: settings, transport: server,
            sink: sink)
        let following = Task { await follower.run() }
        for await _ in sink.isHeld.stream { break }
        #expect(sink.state.withLock { $0.health.last }.map { "\($0)".contains("failing") } == true)
        follower.relist()
        // The wish is heeded by another task.
        try await Task.sleep(for: .milliseconds(200))
        sink.mayGoOn.continuation.yield()
        let end = ContinuousClock.now + .seconds(60)
        while sink.state.withLock({ $0.sets }) < 2, .now < end { try await Task.sleep(for: .milliseconds(5)) }
        let state = sink.state.withLock { $0 }
        #expect(state.sets == 2)
        #expect(state.health.last == .following, "\(state.health)")
        following.cancel()
        await following.value
    }
}
