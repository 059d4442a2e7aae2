import CLibNL
import Foundation
import Glibc
import Support

/// Looks at the node's rules about forwarded packets, from the network namespace of the calling thread.
///
/// By nft and iptables-legacy-save, the programs that own these formats: the rules of both are lists of expressions that differ
/// between versions of the kernel, which their authors keep up with. Tables of kube-proxy's translation, which may have 100,000
/// rules, are not read: type `nat`.
public struct ForwardingScan: Sendable {
    /// What packets would miss that go past the stack, or why nobody can tell, in words; `nil`: nothing.
    public private(set) var problem: String?

    /// Where the programs are.
    private static let folders = ["/usr/sbin", "/sbin", "/usr/bin", "/bin", "/usr/local/sbin"]
    /// How long a program may take.
    private static let patience = Duration.seconds(10)

    /// Looks once. Changes nothing, and loads no kernel module.
    ///
    /// - Parameter interfaces: names of the interfaces by which pods' packets come in.
    public init(interfaces: Set<String>) {
        do {
            try lookAtRules()
            if problem == nil { problem = try ForwardingScan.routingProblem(interfaces) }
        } catch let failure as Failure {
            problem = failure.words
        } catch {
            problem = "the node's rules cannot be read: \(error)"
        }
    }

    private struct Failure: Error { let words: String }

    private mutating func lookAtRules() throws {
        var rules = ForwardingRules()
        if try !NFTables.names().isEmpty {
            let chains = try ForwardingScan.run("nft", ["-j", "list", "chains"])
            for (family, table) in try ForwardingRules.tablesToRead(chains: chains) {
                try rules.add(table: try ForwardingScan.run("nft", ["-j", "list", "table", family, table]))
            }
        }
        for (family, list, program) in [
            ("ip", "ip_tables_names", "iptables-legacy-save"), ("ip6", "ip6_tables_names", "ip6tables-legacy-save"),
        ] {
            // Without the table in the list the question would load its module.
            let bytes = (try? BoundedFile.read("/proc/thread-self/net/\(list)", limit: 1 << 12)) ?? []
            for table in String(decoding: bytes, as: UTF8.self).split(separator: "\n") where table != "nat" {
                let text = try ForwardingScan.run(program, ["-t", String(table)])
                rules.add(iptables: String(decoding: text, as: UTF8.self), family: family, table: String(table))
            }
        }
        problem = rules.problem
    }

    /// Routing rules that may lead a flow's packets elsewhere than its first: by marks, ports, or the like. Those of the three tables that
    /// every node has, and of interfaces that are no pod's, do not.
    private static func routingProblem(_ interfaces: Set<String>) throws -> String? {
        // `struct fib_rule_hdr`.
        let header = [UInt8](repeating: 0, count: 12)
        let problems = try NetlinkSocket().listObjects("rules", message: Int32(RTM_GETRULE), header: header) {
            rule -> String? in
            let table = rtnl_rule_get_table(rule)
            let from = rtnl_rule_get_iif(rule).map { String(cString: $0) } ?? ""
            let isPlain =
                rtnl_rule_get_src(rule) == nil && rtnl_rule_get_mark(rule) == 0 && from.isEmpty
                && rtnl_rule_get_dst(rule) == nil
            if isPlain, [UInt32(253), 254, 255].contains(table) { return nil }
            if !from.isEmpty, !interfaces.contains(from) { return nil }
            return "a routing rule of priority \(rtnl_rule_get_prio(rule)) leads to table \(table)"
        }
        return problems.first
    }

    private static func run(_ program: String, _ arguments: [String]) throws -> Data {
        guard
            let path = folders.lazy.map({ "\($0)/\(program)" })
                .first(where: { FileManager.default.isExecutableFile(atPath: $0) })
        else { throw Failure(words: "the node's rules cannot be read: there is no \(program)") }
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = read(output.fileHandleForReading.fileDescriptor, until: .now + patience)
        if data == nil { process.terminate() }
        process.waitUntilExit()
        guard let data, process.terminationReason == .exit, process.terminationStatus == 0 else {
            throw Failure(
                words: "the node's rules cannot be read: \(program) \(arguments.joined(separator: " ")) failed")
        }
        return data
    }

    /// What comes to the end; `nil` where it does not end in time. On the calling thread: one that Dispatch began for a timer would
    /// stay in its network namespace.
    private static func read(_ descriptor: Int32, until end: ContinuousClock.Instant) -> Data? {
        var data = Data()
        var block = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let left = (end - .now) / .milliseconds(1)
            var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let ready = poll(&waiting, 1, Int32(max(0, left)))
            if ready < 0, errno == EINTR { continue }
            guard ready > 0 else { return nil }
            let count = Glibc.read(descriptor, &block, block.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            guard count > 0 else { return data }
            data += block[..<count]
        }
    }
}
