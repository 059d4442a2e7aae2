internal import Foundation
internal import Glibc
internal import Support

/// How the node's proxy stands, as it writes it into a file (`InstancePaths.proxyState`): `proxy` of the status.
public struct ProxyStatus: Hashable, Codable, Sendable {
    /// More bytes than the file has.
    private static let limit = 1 << 20

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

    /// Reads what a proxy says. One of an earlier version does not say all of it.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        processID = try fields.decode(Int32.self, forKey: .processID)
        revision = try fields.decode(UInt64.self, forKey: .revision)
        connections = try fields.decodeIfPresent(Int.self, forKey: .connections) ?? 0
        refusedConnections = try fields.decodeIfPresent([String: UInt64].self, forKey: .refusedConnections) ?? [:]
        clientFaults = try fields.decodeIfPresent([String: UInt64].self, forKey: .clientFaults) ?? [:]
        serverFaults = try fields.decodeIfPresent([String: UInt64].self, forKey: .serverFaults) ?? [:]
    }

    /// What the file says of a process that runs; `nil` without one.
    public static func read(_ path: String) -> ProxyStatus? {
        guard let file = try? FileContent.readRegular(path, limit: limit),
            let status = try? JSONDecoder().decode(ProxyStatus.self, from: Data(file.bytes)),
            kill(status.processID, 0) == 0
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
