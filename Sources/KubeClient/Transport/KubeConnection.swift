import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// Requests over TLS: HTTP/2 where the server speaks it, else HTTP/1.1.
public final class KubeConnection: KubeTransport {
    /// How the API server is reached.
    public let access: ClusterAccess
    private let credentials: CredentialStore
    private let pools: ConnectionPools
    /// Questions for credentials that are not answered yet; so many are asked at most.
    private let unanswered = Mutex(0)
    private static let questionLimit = 10_000

    /// Nothing is connected yet; `close` must be called at the end.
    public init(_ access: ClusterAccess) {
        self.access = access
        credentials = CredentialStore(access)
        pools = ConnectionPools(access)
    }

    /// Ends all connections, when nothing is under way any more, and a plugin that runs.
    public func close() async {
        credentials.endPlugin()
        await pools.close()
    }

    /// The next request shows others.
    public func reloadCredentials() async { credentials.refuse() }

    /// The next request gets other connections.
    public func renewConnections() async { await pools.renew() }

    /// Sends a request.
    public func send<Result: Sendable>(
        _ request: KubeRequest, _ read: @Sendable (KubeResponse) async throws(RequestFailure) -> Result
    ) async throws(RequestFailure) -> Result {
        let shown = try await shown()
        let pool = try await pools.take(shown.material)
        do throws(RequestFailure) {
            let result = try await send(request, shown, pool.client, read)
            await pools.giveBack(pool)
            return result
        } catch {
            await pools.giveBack(pool)
            throw error
        }
    }

    /// What the next request shows. Whoever gives up is not held up by a plugin or a file system that does not answer: such a plugin is
    /// ended, and what the thread of the credentials does with a file comes to nothing.
    private func shown() async throws(RequestFailure) -> RequestCredentials {
        let count = unanswered.withLock { count in
            count += 1
            return count
        }
        guard count <= KubeConnection.questionLimit else {
            unanswered.withLock { $0 -= 1 }
            throw .credentials("the files or the plugin with the credentials of \(access.origin) do not answer")
        }
        let (answers, answer) = AsyncStream.makeStream(of: Swift.Result<RequestCredentials, RequestFailure>.self)
        let asking = Task {
            do throws(RequestFailure) {
                answer.yield(.success(try await self.credentials.current()))
            } catch {
                answer.yield(.failure(error))
            }
            answer.finish()
            self.unanswered.withLock { $0 -= 1 }
        }
        defer { asking.cancel() }
        var iterator = answers.makeAsyncIterator()
        guard let found = await iterator.next() else { throw .connection("given up") }
        return try found.get()
    }

    private func send<Result: Sendable>(
        _ request: KubeRequest, _ shown: RequestCredentials, _ client: HTTPClient,
        _ read: @Sendable (KubeResponse) async throws(RequestFailure) -> Result
    ) async throws(RequestFailure) -> Result {
        let response: HTTPClientResponse
        do {
            // Deadlines are those of `WatchMachine`, which cancels.
            response = try await client.execute(message(request, shown), deadline: .distantFuture)
        } catch {
            throw .connection(ConnectionTrouble.words(error))
        }
        let body = response.body
        return try await read(
            KubeResponse(
                status: Int(response.status.code),
                retryAfter: response.headers.first(name: "Retry-After").flatMap(Int.init),
                body: KubeResponse.Body {
                    var iterator = body.makeAsyncIterator()
                    return KubeResponse.Reader { () async throws(RequestFailure) in
                        do {
                            return try await iterator.next()
                        } catch {
                            throw .connection(ConnectionTrouble.words(error))
                        }
                    }
                }))
    }

    private func message(_ request: KubeRequest, _ shown: RequestCredentials) -> HTTPClientRequest {
        let server = access.server
        let host = ServerURL.bracketed(server.host)
        var message = HTTPClientRequest(
            url: "https://\(ServerURL.bracketed(access.certifiedName)):\(server.port)\(server.prefix)\(request.target)")
        message.method = HTTPMethod(rawValue: request.method)
        message.headers.add(name: "Host", value: server.port == 443 ? host : "\(host):\(server.port)")
        message.headers.add(name: "User-Agent", value: "netpold")
        message.headers.add(name: "Accept", value: request.accept)
        if request.acceptsGzip { message.headers.add(name: "Accept-Encoding", value: "gzip") }
        if let authorization = shown.authorization {
            message.headers.add(name: "Authorization", value: authorization)
        }
        if let type = request.contentType {
            message.headers.add(name: "Content-Type", value: type)
            message.body = .bytes(ByteBuffer(bytes: request.body))
        }
        return message
    }
}
