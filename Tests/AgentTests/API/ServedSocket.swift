@testable import Agent

/// A server whose clients are answered by a closure, without an agent.
final class ServedSocket: Sendable {
    let server: LocalServer
    private let task: Task<Void, Never>

    init(_ path: String, _ answer: @escaping @Sendable (APIRequest, LocalServer.Client) async -> Void) throws {
        let server = try LocalServer(path: path)
        self.server = server
        server.start()
        task = Task {
            await withDiscardingTaskGroup { group in
                for await client in server.clients {
                    group.addTask {
                        for await request in client.requests { await answer(request, client) }
                    }
                }
                group.cancelAll()
            }
        }
    }

    deinit {
        task.cancel()
        server.stop()
    }
}
