import Foundation

/// What a plugin prints when it fails (CNI specification, section 5 "Error"): the runtime shows it in the pod's events.
public struct CNIError: Error, Hashable, Sendable {
    /// Well-known codes, and netpold's own from 100 on.
    public enum Code: Int, Hashable, Sendable, CaseIterable {
        /// The configuration's version is not one that the plugin speaks.
        case incompatibleVersion = 1
        /// A `CNI_...` variable is missing or not what it should be.
        case invalidEnvironment = 4
        /// A file cannot be read or written.
        case inputOutput = 5
        /// The configuration is not JSON.
        case notDecodable = 6
        /// The configuration is JSON and not valid.
        case invalidConfiguration = 7
        /// The agent did not put the pod's policies in force in time: the runtime tries again.
        case tryAgainLater = 11
        /// No agent answers: pods that start now would wait in vain.
        case notAvailable = 50
        /// The pod has an interface that does not pass the host's end of a veth.
        case notEnforceable = 100
        /// The kernel did not let the interface be closed.
        case notClosed = 101
        /// CHECK: the pod's policies are not in force.
        case notInForce = 102
    }

    /// The code.
    public let code: Code
    /// A short sentence.
    public let message: String
    /// What to do, or more of the reason; may be empty.
    public let details: String

    /// An error.
    public init(_ code: Code, _ message: String, details: String = "") {
        self.code = code
        self.message = message
        self.details = details
    }
}

extension CNIError {
    /// What is printed, with the version of the configuration.
    public func json(version: String) -> [UInt8] {
        let object: [String: Any] = ["cniVersion": version, "code": code.rawValue, "msg": message, "details": details]
        let data = try? JSONSerialization.data(withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
        return Array(data ?? Data()) + [UInt8(ascii: "\n")]
    }
}

extension CNIError: CustomStringConvertible {
    /// `message: details`.
    public var description: String { details.isEmpty ? message : "\(message): \(details)" }
}
