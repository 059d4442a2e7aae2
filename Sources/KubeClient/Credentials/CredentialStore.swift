import Foundation
import Support
import Synchronization

/// Gives each request its credentials. Files are read anew each time, since they are replaced under way; what a plugin
/// printed is kept until it ends or is refused. Blocks a thread of its own, nobody else: who waits for it may give up.
actor CredentialStore {
    /// Bytes that a file of credentials may have.
    private static let limit = 4 << 20
    /// How long before their end credentials are renewed.
    private static let margin: TimeInterval = 30
    /// How long a plugin that failed is not run again: all kinds ask for credentials at the same time.
    private static let pause: Duration = .seconds(3)

    private let access: ClusterAccess
    private let executor = ThreadExecutor(name: "netpold-creds")
    private let now: @Sendable () -> Date
    private var printed: ExecCredential?
    /// Why the plugin failed last, and until when that counts.
    private var failure: (why: RequestFailure, until: ContinuousClock.Instant)?
    private let isRefused = Mutex(false)
    private let running = RunningPlugin()

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init(_ access: ClusterAccess, now: @escaping @Sendable () -> Date = { Date() }) {
        self.access = access
        self.now = now
    }

    /// What the next request shows.
    ///
    /// - Throws: `RequestFailure.credentials`; `RequestFailure.connection` when the task is cancelled.
    func current() throws(RequestFailure) -> RequestCredentials {
        guard !Task.isCancelled else { throw .connection("given up") }
        var material = ConnectionMaterial()
        material.authorities = try access.authorities.map(bytes)
        material.certificate = try (access.clientCertificate?.certificate).map(bytes)
        material.key = try (access.clientCertificate?.key).map(bytes)
        switch access.credentials {
        case .anonymous: return RequestCredentials(material: material)
        case .token(let token): return RequestCredentials(authorization: "Bearer \(token)", material: material)
        case .tokenFile(let path):
            let text = String(decoding: try bytes(.file(path)), as: UTF8.self)
            let token = text.trimmingCharacters(in: .whitespacesAndNewlines)
            guard BearerToken.isSound(token) else {
                throw .credentials("\(PrintableName.of(path)) holds no token; \(BearerToken.fix)")
            }
            return RequestCredentials(authorization: "Bearer \(token)", material: material)
        case .password(let user, let password):
            let pair = Data("\(user):\(password)".utf8).base64EncodedString()
            return RequestCredentials(authorization: "Basic \(pair)", material: material)
        case .exec(let plugin):
            let credential = try printedNow(plugin)
            material.certificate = credential.certificate ?? material.certificate
            material.key = credential.key ?? material.key
            return RequestCredentials(authorization: credential.token.map { "Bearer \($0)" }, material: material)
        }
    }

    /// What was shown last was refused: a plugin is to be run again.
    nonisolated func refuse() { isRefused.withLock { $0 = true } }

    /// Ends a plugin that runs.
    nonisolated func endPlugin() { running.end() }

    private func printedNow(_ plugin: ExecPlugin) throws(RequestFailure) -> ExecCredential {
        let wasRefused = isRefused.withLock { isRefused in
            defer { isRefused = false }
            return isRefused
        }
        if wasRefused { printed = nil }
        if let printed {
            guard let end = printed.expires, end.timeIntervalSince(now()) < CredentialStore.margin else {
                return printed
            }
        }
        do throws(RequestFailure) {
            if let failure, ContinuousClock.now < failure.until { throw failure.why }
            let new = try ExecCredential(
                parsing: try ExecRun(running: running).output(of: plugin), version: plugin.apiVersion)
            printed = new
            failure = nil
            return new
        } catch {
            let isRemembered = failure.map { ContinuousClock.now < $0.until } ?? false
            if case .credentials = error, !isRemembered {
                failure = (why: error, until: ContinuousClock.now + CredentialStore.pause)
            }
            // What has not ended yet is still good.
            if let printed, let end = printed.expires, end > now() { return printed }
            throw error
        }
    }

    private func bytes(_ material: ClusterAccess.Material) throws(RequestFailure) -> [UInt8] {
        switch material {
        case .data(let bytes): return bytes
        case .file(let path):
            do throws(SystemError) {
                // A pipe in its place would hold up every request.
                return try FileContent.readRegular(path, limit: CredentialStore.limit).bytes
            } catch {
                throw .credentials("\(error)")
            }
        }
    }
}
