import Foundation

/// What a container runtime says on standard input: the plugin's part of the conflist, with the result of the plugins before it.
public struct CNIConfiguration {
    /// What becomes of a pod whose policies are not in force in time.
    public enum Lateness: String, Hashable, Sendable, CaseIterable {
        /// ADD fails; the runtime tries again.
        case fail = "fail"
        /// The pod starts, closed: it reaches nobody until its policies are in force.
        case start = "start"
    }

    /// What becomes of a pod with an interface that passes no veth of the host.
    public enum Unenforceable: String, Hashable, Sendable, CaseIterable {
        /// ADD fails.
        case refuse = "refuse"
        /// It starts and that interface is not enforced; the agent reports it.
        case allow = "allow"
    }

    /// Longest configuration that is read, bytes.
    public static let limit = 4 << 20

    /// `cniVersion`; `0.1.0` is what the specification says of one that is not there, and is not spoken.
    public let version: String
    /// The network's name.
    public let network: String
    /// The agent's instance.
    public let instance: String
    /// The agent's socket, where it is not the instance's.
    public let socket: String?
    /// How long ADD waits for the agent, seconds.
    public let waitSeconds: Int
    /// What becomes of a pod that is late.
    public let onTimeout: Lateness
    /// What becomes of an interface that cannot be enforced.
    public let unenforceable: Unenforceable
    /// The result of the plugins before this one, as it came; `nil` when there was none.
    public let previous: [String: Any]?
    /// GC: what the runtime still has, container and interface.
    public let valid: Set<CNIAttachmentID>?

    /// Reads what a command needs of a configuration. What is removed is removed whatever else was written: DEL and GC take the defaults for
    /// options that are wrong. But GC looks through all that an instance has, so it is told which.
    ///
    /// - Throws: `notDecodable` for what is no JSON object, `invalidConfiguration` naming the key, `incompatibleVersion`.
    public init(_ bytes: [UInt8], for command: CNIInvocation.Command) throws(CNIError) {
        guard bytes.count <= CNIConfiguration.limit else {
            throw CNIError(.notDecodable, "the network configuration has more than \(CNIConfiguration.limit) bytes")
        }
        guard let object = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any] else {
            throw CNIError(.notDecodable, "the network configuration on standard input is no JSON object")
        }
        let version = object["cniVersion"] as? String ?? "0.1.0"
        guard CNIVersion.supported.contains(version) else {
            throw CNIError(
                .incompatibleVersion, "cniVersion \"\(version.prefix(32))\" is not supported",
                details: "netpold speaks \(CNIVersion.supported.joined(separator: ", "))")
        }
        self.version = version
        network = try CNIConfiguration.text(object, "name") ?? ""
        guard CNIInvocation.isContainerID(network) else {
            throw CNIError(.invalidConfiguration, "name is \"\(network.prefix(64))\", which is no network's name")
        }
        let removes = command == .delete || command == .collect
        func option<Value>(_ read: () throws(CNIError) -> Value?, or value: Value) throws(CNIError) -> Value {
            do { return try read() ?? value } catch {
                guard removes else { throw error }
                return value
            }
        }
        instance =
            command == .collect
            ? try CNIConfiguration.text(object, "instance") ?? "default"
            : try option({ () throws(CNIError) in try CNIConfiguration.text(object, "instance") }, or: "default")
        socket = try option({ () throws(CNIError) in .some(try CNIConfiguration.text(object, "socket")) }, or: nil)
        waitSeconds = try option({ () throws(CNIError) in try CNIConfiguration.seconds(object, "waitSeconds") }, or: 10)
        onTimeout = try option({ () throws(CNIError) in try CNIConfiguration.choice(object, "onTimeout") }, or: .fail)
        unenforceable = try option(
            { () throws(CNIError) in try CNIConfiguration.choice(object, "unenforceable") }, or: .refuse)
        switch object["prevResult"] {
        case nil, is NSNull: previous = nil
        case let result as [String: Any]: previous = result
        default:
            guard removes else { throw CNIError(.invalidConfiguration, "prevResult is no object") }
            previous = nil
        }
        // libcni writes an empty list as null.
        if let written = object["cni.dev/valid-attachments"] {
            let list = written is NSNull ? [[String: Any]]() : written
            guard let list = list as? [[String: Any]] else {
                throw CNIError(.invalidConfiguration, "cni.dev/valid-attachments is no list of objects")
            }
            valid = Set(
                list.map {
                    CNIAttachmentID(
                        container: $0["containerID"] as? String ?? "", interface: $0["ifname"] as? String ?? "")
                })
        } else {
            valid = nil
        }
    }

    private static func text(_ object: [String: Any], _ key: String) throws(CNIError) -> String? {
        guard let value = object[key] else { return nil }
        guard let text = value as? String else { throw CNIError(.invalidConfiguration, "\(key) is no text") }
        return text
    }

    private static func seconds(_ object: [String: Any], _ key: String) throws(CNIError) -> Int? {
        guard let value = object[key] else { return nil }
        guard let seconds = value as? Int, (0...600).contains(seconds) else {
            throw CNIError(.invalidConfiguration, "\(key) is not a number from 0 to 600")
        }
        return seconds
    }

    private static func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ object: [String: Any], _ key: String
    ) throws(CNIError) -> Choice? {
        guard let text = try text(object, key) else { return nil }
        guard let choice = Choice(rawValue: text) else {
            let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw CNIError(.invalidConfiguration, "\(key) is \"\(text.prefix(32))\"", details: "it is one of \(known)")
        }
        return choice
    }
}

/// One interface of one container.
public struct CNIAttachmentID: Hashable, Sendable {
    /// The runtime's number for the sandbox.
    public let container: String
    /// The interface's name inside.
    public let interface: String

    /// An attachment.
    public init(container: String, interface: String) {
        self.container = container
        self.interface = interface
    }
}
