import Glibc
import Support

/// What a process must be allowed to do for enforcing, and why.
public enum Capability: Int, CaseIterable, Hashable, Sendable {
    /// Attaching to interfaces, loading tc programs, netlink.
    case netAdmin = 12
    /// Looking at processes of others.
    case sysPtrace = 19
    /// Entering namespaces, opening BPF objects by number.
    case sysAdmin = 21
    /// What programs may do that reads memory.
    case perfmon = 38
    /// Maps and programs.
    case bpf = 39

    /// `CAP_BPF`.
    public var name: String {
        switch self {
        case .netAdmin: "CAP_NET_ADMIN"
        case .sysPtrace: "CAP_SYS_PTRACE"
        case .sysAdmin: "CAP_SYS_ADMIN"
        case .perfmon: "CAP_PERFMON"
        case .bpf: "CAP_BPF"
        }
    }

    /// What it is for.
    public var purpose: String {
        switch self {
        case .netAdmin: "loads tc programs, attaches them to interfaces and reads interfaces by netlink"
        case .sysPtrace: "tells the network namespaces of the node's processes"
        case .sysAdmin: "enters the pods' network namespaces, opens what earlier agents loaded, and mounts the bpffs"
        case .perfmon: "lets the verifier accept programs that compare pointers into packets"
        case .bpf: "makes maps and loads programs"
        }
    }

    /// Whether nothing can be enforced without it. Without the others something is, and conditions say what is not.
    public var isRequired: Bool { self != .sysPtrace }

    /// The capabilities that are required and that this process does not have; empty when the system does not say.
    public static func missing() -> [Capability] {
        guard let bytes = try? FileContent.read("/proc/self/status", limit: 1 << 16),
            let mask = effective(in: String(decoding: bytes, as: UTF8.self))
        else { return [] }
        return allCases.filter { $0.isRequired && mask >> UInt64($0.rawValue) & 1 == 0 }
    }

    /// The mask of the line `CapEff:` of a `/proc/<pid>/status`.
    static func effective(in status: String) -> UInt64? {
        let line = status.split(separator: "\n").first { $0.hasPrefix("CapEff:") }
        return line.flatMap { UInt64($0.dropFirst("CapEff:".count).drop { $0 == "\t" || $0 == " " }, radix: 16) }
    }
}
