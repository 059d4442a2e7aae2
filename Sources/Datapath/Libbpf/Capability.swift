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

    /// The capabilities any of which is enough; none for what can be done without.
    private var alternatives: [Capability] {
        switch self {
        case .netAdmin, .sysAdmin: [self]
        // What CAP_SYS_ADMIN once stood for it still includes.
        case .bpf, .perfmon: [self, .sysAdmin]
        case .sysPtrace: []
        }
    }

    /// Whether something can be enforced without it.
    public var isOptional: Bool { alternatives.isEmpty }

    /// The capabilities that this process needs and does not have; empty when the system does not say.
    public static func missing() -> [Capability] {
        guard let bytes = try? FileContent.read("/proc/self/status", limit: 1 << 16),
            let mask = effective(in: String(decoding: bytes, as: UTF8.self))
        else { return [] }
        return missing(in: mask)
    }

    /// Those that a mask of capabilities lacks.
    static func missing(in mask: UInt64) -> [Capability] {
        func has(_ capability: Capability) -> Bool { mask >> UInt64(capability.rawValue) & 1 == 1 }
        return allCases.filter { !has($0) && !$0.alternatives.contains(where: has) }
    }

    /// The mask of the line `CapEff:` of a `/proc/<pid>/status`.
    static func effective(in status: String) -> UInt64? {
        let line = status.split(separator: "\n").first { $0.hasPrefix("CapEff:") }
        return line.flatMap { UInt64($0.dropFirst("CapEff:".count).drop { $0 == "\t" || $0 == " " }, radix: 16) }
    }
}
