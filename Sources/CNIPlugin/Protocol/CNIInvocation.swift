/// What a container runtime asks for, by environment variables (CNI specification, section 2 "Parameters").
public struct CNIInvocation: Hashable, Sendable {
    /// `CNI_COMMAND`.
    public enum Command: String, Hashable, Sendable, CaseIterable {
        case add = "ADD"
        case delete = "DEL"
        case check = "CHECK"
        case collect = "GC"
        case status = "STATUS"
        case version = "VERSION"
    }

    /// What to do.
    public let command: Command
    /// `CNI_CONTAINERID`: the runtime's number for the sandbox; empty for commands that are about none.
    public let containerID: String
    /// `CNI_NETNS`: the path of the namespace; DEL does not look at it.
    public let netns: String
    /// `CNI_IFNAME`: the interface's name inside.
    public let interface: String
    /// `CNI_ARGS`, in order.
    public let arguments: [Argument]

    /// One `KEY=value` of `CNI_ARGS`.
    public struct Argument: Hashable, Sendable {
        /// For example `K8S_POD_NAME`.
        public let key: String
        /// Its value.
        public let value: String
    }

    /// Reads the variables.
    ///
    /// - Parameter environment: the process's.
    /// - Throws: `invalidEnvironment`, naming the variable.
    public init(environment: [String: String]) throws(CNIError) {
        let name = environment["CNI_COMMAND"] ?? ""
        guard let command = Command(rawValue: name) else {
            throw CNIError(
                .invalidEnvironment, "CNI_COMMAND is \"\(name.prefix(64))\"",
                details: "netpold knows \(Command.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        self.command = command
        containerID = environment["CNI_CONTAINERID"] ?? ""
        netns = environment["CNI_NETNS"] ?? ""
        interface = environment["CNI_IFNAME"] ?? ""
        var arguments: [Argument] = []
        for part in (environment["CNI_ARGS"] ?? "").split(separator: ";") {
            let words = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard words.count == 2 else {
                // DEL asks for none of them.
                if command == .delete { continue }
                throw CNIError(.invalidEnvironment, "CNI_ARGS has no value for \"\(part.prefix(64))\"")
            }
            arguments.append(Argument(key: String(words[0]), value: String(words[1])))
        }
        self.arguments = arguments
        switch command {
        case .add, .check, .delete:
            guard CNIInvocation.isContainerID(containerID) else {
                throw CNIError(.invalidEnvironment, "CNI_CONTAINERID is \"\(containerID.prefix(64))\"")
            }
            guard CNIInvocation.isInterfaceName(interface) else {
                throw CNIError(.invalidEnvironment, "CNI_IFNAME is \"\(interface.prefix(64))\"")
            }
            guard netns.hasPrefix("/") || command == .delete else {
                throw CNIError(.invalidEnvironment, "CNI_NETNS is \"\(netns.prefix(64))\", which is no path")
            }
        case .collect, .status, .version: break
        }
    }

    /// The value of a `K8S_POD_...` argument, or nothing.
    public func argument(_ key: String) -> String { arguments.last { $0.key == key }?.value ?? "" }

    /// As the specification has it; it becomes part of a file's name.
    static func isContainerID(_ text: String) -> Bool {
        guard let first = text.utf8.first, isAlphanumeric(first), text.utf8.count <= 200 else { return false }
        return text.utf8.allSatisfy { isAlphanumeric($0) || "_.-".utf8.contains($0) }
    }

    /// At most 15 bytes, as the kernel has it.
    static func isInterfaceName(_ text: String) -> Bool {
        (1...15).contains(text.utf8.count) && text != "." && text != ".."
            && text.utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: ":") }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
