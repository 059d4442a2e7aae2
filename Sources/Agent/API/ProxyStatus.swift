internal import Foundation
internal import Glibc

/// How the node's proxy stands, as it writes it into a file (`InstancePaths.proxyState`): `proxy` of the status.
public struct ProxyStatus: Hashable, Codable, Sendable {
    /// Its process.
    public var processID: Int32
    /// The revision of the rules that it has in force.
    public var revision: UInt64
    /// Connections of clients that are open.
    public var connections = 0
    /// Connections that were closed since there was no room for them, by reason.
    public var refusedConnections: [String: UInt64] = [:]
    /// What clients' HTTP/2 was ended for, floods and frames that are none, by name.
    public var clientFaults: [String: UInt64] = [:]
    /// What servers' connections and answers were ended for, by name.
    public var serverFaults: [String: UInt64] = [:]

    /// A proxy that has no connections.
    public init(processID: Int32, revision: UInt64) {
        self.processID = processID
        self.revision = revision
    }

    /// What the file says of a process that runs; `nil` without one.
    static func read(_ path: String) -> ProxyStatus? {
        guard let data = FileManager.default.contents(atPath: path),
            let status = try? JSONDecoder().decode(ProxyStatus.self, from: data), kill(status.processID, 0) == 0
        else { return nil }
        return status
    }

    private enum CodingKeys: String, CodingKey {
        case processID = "pid"
        case revision = "revision"
        case connections = "connections"
        case refusedConnections = "refusedConnections"
        case clientFaults = "clientFaults"
        case serverFaults = "serverFaults"
    }
}
